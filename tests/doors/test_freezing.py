"""kantis freeze and unfreeze: a program that spends nothing, from the machine of the books."""

from pathlib import Path

from tests.doors.command import Kantis


def test_a_program_is_frozen_and_spends_again(kantis: Kantis, cafe: Path) -> None:
    assert kantis("publish", cafe).status == 0
    assert "collecting goes on" in kantis("freeze").out
    said = kantis("freeze", "corner-cafe", "--json")
    assert (said.status, said.json) == (
        0, {"program": "corner-cafe", "frozen": True, "changed": False},
    )  # fmt: skip
    said = kantis("unfreeze", "--json").json
    assert (said["frozen"], said["changed"], said["decided"]) == (False, True, 0)
    assert "nothing changed" in kantis("unfreeze").out


def test_a_program_that_is_not_there_is_said(kantis: Kantis, cafe: Path) -> None:
    kantis("publish", cafe)
    said = kantis("freeze", "corner-caff", "--json")
    assert (said.status, said.json["error"]["code"]) == (3, "unknown-program")
