"""The page of the merchant's side runs as it stands there, on another port."""

import json
import re
from pathlib import Path

from kantis.desk.audit import DEEDS
from tests.doors.service.test_quick_start import READY, run
from tests.house.sources import REPO

PAGE = (REPO / "docs" / "merchant.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_runs_from_nothing_to_the_audit_log(tmp_path: Path) -> None:
    begin, *rest = STEPS
    found = [json.loads(line) for line in run(begin + READY + "".join(rest), tmp_path)]
    validated, published, enrolled, waits, same, done, *entries, audit = found
    assert (validated["ok"], published["version"]) == (True, 1)
    assert enrolled["outcome"] == "decided"
    assert (waits["state"], same["code"]) == ("waits", "same-person")
    assert (done["state"], done["outcome"], done["decided_by"]) == ("approved", "decided", "ben")
    assert [each["amount"] for each in entries] == ["25", "800"]
    assert [each["deed"] for each in audit["lines"]] == ["export", "export", "key"]


def test_the_page_names_every_deed() -> None:
    for deed in DEEDS:
        assert f"`{deed}`" in PAGE, deed
