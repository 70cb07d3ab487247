"""kantis key: made, listed and revoked, with exit codes that scripts can use."""

from pathlib import Path

from tests.doors.command import Kantis


def test_a_key_is_made_listed_and_revoked(kantis: Kantis, cafe: Path) -> None:
    assert kantis("publish", cafe).status == 0
    said = kantis("key", "new", "Till 7", "--scope", "till", "--source", "till-7", "--json")
    made = said.json
    assert (said.status, made["program"], made["scope"]) == (0, "corner-cafe", "till")
    assert made["key"].startswith("kantis_" + made["prefix"])
    listed = kantis("key", "list", "--json")
    assert made["key"] not in listed.out
    assert [(each["prefix"], each["revoked"]) for each in listed.json] == [(made["prefix"], None)]
    assert kantis("key", "revoke", made["prefix"]).status == 0
    assert "Till 7" in kantis("key", "list").out
    again = kantis("key", "revoke", made["prefix"], "--json")
    assert (again.status, again.json["error"]["code"]) == (1, "unknown-key")


def test_a_key_is_shown_to_people_once(kantis: Kantis, cafe: Path) -> None:
    kantis("publish", cafe)
    said = kantis("key", "new", "Shop", "--scope", "shop", "--source", "shop")
    assert said.out.startswith("kantis_")
    assert "not shown again" in said.out


def test_what_is_wrong_with_a_key_is_said(kantis: Kantis, cafe: Path) -> None:
    said = kantis("key", "list", "--json")
    assert (said.status, said.json["error"]["code"]) == (3, "no-store")
    kantis("publish", cafe)
    said = kantis("key", "new", "x", "--scope", "tils", "--source", "x", "--json")
    assert (said.status, said.json["error"]["code"]) == (2, "unknown-scope")
    assert "Did you mean 'till'" in said.json["error"]["message"]
