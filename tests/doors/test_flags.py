"""kantis flags: what waits for a look, from the machine of the books."""

from pathlib import Path

import kantis.desk as kantis_desk
from kantis.core.events import Enrol, Event, Line, Purchase, Redeem
from tests.doors.command import Kantis


def test_flags_are_listed_cleared_and_tried_again(kantis: Kantis, cafe: Path) -> None:
    kantis("publish", cafe)
    assert "Nothing waits for a look." in kantis("flags").out
    lines = tuple(Line(f"{n}", "latte", 1, (1 << 63) - 1) for n in range(110))
    with kantis_desk.open("kantis.db") as desk:
        for key, body in (("e", Enrol()), ("r", Redeem("free-tea")), ("h", Purchase(lines))):
            desk.submit([Event("till", key, desk.clock(), "card:1", body, ask=False)])
    said = kantis("flags", "--json").json
    assert [(each["number"], each["event"], each["what"]) for each in said["flags"]] == [
        (1, "till/r", "unknown-reward")
    ]
    assert [each["event"] for each in said["aside"]] == ["till/h"]
    assert kantis("flags", "--clear", "2", "--json").json["error"]["code"] == "unknown-flag"
    assert kantis("flags", "--again", "till/x", "--json").json["error"]["code"] == "unknown-event"
    assert "marked for a look" not in kantis("flags", "--clear", "1", "--remark", "Paid.").out
    assert kantis("flags", "--again", "till/h").status == 0
    assert [each["event"] for each in kantis("flags", "--json").json["aside"]] == ["till/h"]
