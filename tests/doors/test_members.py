"""Members on the command line: found, shown, exported, erased; their keys looked after."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from kantis import desk as desks
from kantis.desk import doctor as doctors
from kantis.desk.submit import Desk
from kantis.desk.vault import membership
from kantis.desk.vault.membership import Request
from kantis.desk.vault.opening import folder_of, open_vault
from kantis.desk.vault.person import Person
from kantis.desk.vault.rotating import left_since
from tests.desk.vault import ANNA
from tests.doors.command import Kantis
from tests.doors.service.server import begin, buy

NUMBER = iter(range(1_000))


def joined(store: Path | str, *people: Person, cards: tuple[str, ...] = ()) -> list[str]:
    """Members of the club, with their ids."""
    found = []
    with desks.open(str(store)) as desk:
        vault = open_vault(desk)
        with Desk(desk.books.reader()) as reader:
            reader.homes.refresh(reader.books)
            home = reader.homes.find("club")
            assert home is not None
            for n, person in enumerate(people):
                request = Request("test", f"join-{next(NUMBER)}", b"")
                card = cards[n] if cards else ""
                joining = membership.joining(reader, vault, home, request, person, card)
                assert joining.event is not None
                (result,) = desk.submit([joining.event], program="club")
                id, _ = membership.keep(reader, vault, home, joining, request, result.account)
                found.append(id)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Books with the program club and two members."""
    path = tmp_path / "books.db"
    begin(str(path), "club")
    return path


def findings(store: Path | str, **other: Any) -> dict[str, bool]:
    """The doctor's findings about keys, and whether each needs a person."""
    found = doctors.doctor(str(store), **other)
    return {x.code: x.act for x in found if x.code.startswith(("keys", "master"))}


def test_a_member_is_found_shown_and_exported(store: Path, kantis: Kantis) -> None:
    (anna,) = joined(store, ANNA, cards=("6407",))
    at = ("--store", store)
    for by in (("mäk",), ("--email", ANNA.email), ("--phone", ANNA.phone), ("--card", "6407")):
        said = kantis("member", "find", *by, *at)
        assert said.status == 0
        assert anna in said.out
    found = kantis("member", "find", "makinen", *at, "--json").json
    assert found[0]["person"]["email"] == ANNA.email
    assert "oat milk" in kantis("member", "show", "card:6407", *at).out
    exported = kantis("member", "export", anna, *at).json
    assert [each["why"] for each in exported["readings"]][-2:] == ["show", "export"]
    assert exported["readings"][0]["who"].startswith("user ")
    assert exported["events"][0]["type"] == "enrol"
    nobody = kantis("member", "find", "nobody", *at)
    assert (nobody.status, nobody.out) == (1, "Nobody was found.\n")
    assert kantis("member", "find", "a", "--card", "1", *at).status == 2
    assert "unknown-member" in kantis("member", "show", "0" * 24, *at).err
    assert kantis("member", "find", "--phone", "040", *at).status == 2


def test_a_member_is_erased(store: Path, kantis: Kantis) -> None:
    (anna,) = joined(store, ANNA)
    said = kantis("member", "erase", anna, "--yes", "--store", store)
    assert said.out == f"{anna}: erased. The books go on with numbers only.\n"
    assert kantis("member", "erase", anna, "--yes", "--store", store).status == 0
    assert kantis("member", "find", "mäk", "--store", store).status == 1
    assert "Erased" in kantis("member", "show", anna, "--store", store).out
    assert kantis("verify", "--store", store).status == 0
    (again,) = joined(store, structs.replace(ANNA, notes="again"))
    assert again != anna


def test_another_master_key_from_the_command_line(store: Path, kantis: Kantis) -> None:
    joined(store, *(structs.replace(ANNA, email=f"a{n}@x.org") for n in range(3)))
    assert kantis("vault", "rotate", "--store", store, "--json").json == {"members": 3}
    assert kantis("member", "find", "--email", "a2@x.org", "--store", store).status == 0
    assert findings(store) == {"keys": False}


def test_personal_data_of_a_file_go_to_the_vault(store: Path, kantis: Kantis) -> None:
    file = store.with_name("members.csv")
    file.write_text(
        "card,joined,first name,surname,e-mail,mobile,city\n"
        "1,2024-01-05,Anna,Mäkinen,anna@x.org,+358 40 123 4567,Tampere\n"
        "2,2024-01-06,Berta,Berg,ANNA@x.org,,\n"
        "3,2024-01-07,Carl,Canary,carl@x.org,040 1234567,\n"
        "4,2024-01-08,,,,,\n",
        encoding="utf-8",
    )
    said = kantis("import", file, "--kind", "members", "--store", store, "--json")
    assert (said.status, said.json["accepted"]) == (1, 4)
    assert (said.json["people"], said.json["people_refused"]) == (1, 2)
    bad = file.with_name("members.csv.bad.csv").read_text(encoding="utf-8")
    assert "email-taken" in bad
    assert "bad-value" in bad
    assert "Canary" not in bad
    assert "1234567" not in bad
    shown = kantis("member", "show", "card:1", "--store", store, "--json").json
    assert shown["person"]["address"]["city"] == "Tampere"
    assert b"Tampere" not in store.read_bytes()
    again = kantis("import", file, "--kind", "members", "--store", store, "--json")
    assert (again.json["people"], again.json["again"]) == (0, 4)
    assert kantis("verify", "--store", store).status == 0


# ── backup, restore, doctor, move ────────────────────────────────────────────


def test_a_backup_says_where_the_keys_are_and_has_none(store: Path, kantis: Kantis) -> None:
    empty = kantis("backup", store.with_name("empty.backup"), "--store", store)
    assert "Personal data" not in empty.out
    joined(store, ANNA)
    file = store.with_name("monday.backup")
    said = kantis("backup", file, "--store", store)
    assert str(folder_of(str(store))) in said.out
    kept = file.read_bytes()
    for path in folder_of(str(store)).iterdir():
        assert path.read_bytes()[:1000] not in kept
    assert "Mäkinen".encode() not in kept


def test_who_was_erased_stays_so_in_a_restored_backup(store: Path, kantis: Kantis) -> None:
    anna, berta = joined(store, ANNA, Person("Berta", "Berg", "berta@x.org"), cards=("1", "2"))
    file, there = store.with_name("monday.backup"), store.with_name("restored.db")
    kantis("backup", file, "--store", store)
    kantis("member", "erase", anna, "--yes", "--store", store)
    shutil.copytree(folder_of(str(store)), folder_of(str(there)))
    said = kantis("restore", file, "--to", there, "--verify", "--json")
    assert (said.status, said.json["erased_again"], said.json["keys"]) == (0, 1, True)
    at = ("--store", there)
    assert kantis("member", "find", "--email", ANNA.email, *at).status == 1
    assert kantis("member", "find", "berg", *at).status == 0
    shown = kantis("member", "show", anna, *at, "--json").json
    assert (shown["person"], shown["cards"]) == (None, {"1": "erased"})
    assert shown["erased"]
    assert kantis("member", "show", berta, *at, "--json").json["cards"] == {"2": "in use"}
    joined(there, ANNA)


def test_keys_that_come_later_erase_before_anybody_is_found(store: Path, kantis: Kantis) -> None:
    (anna,) = joined(store, ANNA, cards=("1",))
    file, there = store.with_name("monday.backup"), store.with_name("restored.db")
    kantis("backup", file, "--store", store)
    kantis("member", "erase", anna, "--yes", "--store", store)
    said = kantis("restore", file, "--to", there)
    assert "Personal data need their keys" in said.out
    assert findings(there) == {"keys-missing": True}
    missing = kantis("member", "find", "mäk", "--store", there)
    assert (missing.status, "keys-missing" in missing.err) == (3, True)
    shutil.copytree(folder_of(str(store)), folder_of(str(there)))
    found = kantis("member", "show", anna, "--store", there, "--json").json
    assert (found["person"], found["cards"]) == (None, {"1": "erased"})


def test_without_the_list_of_the_erased_the_hashes_would_come_back(
    store: Path, kantis: Kantis
) -> None:
    """The twin: what is not replayed is still in the index, though it does not open."""
    (anna,) = joined(store, ANNA)
    file, there = store.with_name("monday.backup"), store.with_name("restored.db")
    kantis("backup", file, "--store", store)
    kantis("member", "erase", anna, "--yes", "--store", store)
    kantis("restore", file, "--to", there)
    with desks.open(str(there)) as desk, desks.open(str(store)) as old:
        marks = "SELECT count(*) FROM mark"
        assert desk.books.one(marks) > 0
        keys = open_vault(old).keys
        assert [slip.of for slip in left_since(desk.books, keys) if slip.erase] == [anna]


def test_doctor_knows_the_keys(store: Path, tmp_path: Path) -> None:
    assert findings(store) == {"keys": False}
    joined(store, ANNA)
    folder = folder_of(str(store))
    assert findings(store) == {"keys": False}
    (folder / "master").chmod(0o640)
    assert findings(store) == {"keys-open": True}
    (folder / "master").chmod(0o600)
    folder.chmod(0o755)
    assert findings(store) == {"keys-open": True}
    folder.chmod(0o700)
    kept = (folder / "master").read_bytes()
    (folder / "master").unlink()
    assert findings(store) == {"keys-missing": True}
    other = tmp_path / "other.db"
    begin(str(other), "club")
    joined(other, ANNA)
    assert findings(store, vault=str(folder_of(str(other)))) == {"keys-lost": True}
    shutil.copy(folder_of(str(other)) / "master", folder / "master")
    (folder / "master").chmod(0o600)
    assert findings(store) == {"keys-differ": True}
    (folder / "master").write_bytes(kept)
    assert findings(store) == {"keys": False}


def test_members_move_to_another_store_with_their_keys(
    store: Path, kantis: Kantis, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (anna,) = joined(store, ANNA)
    said = kantis("move", "--store", store, "--to", pg_url)
    assert said.status == 0
    assert "Bring the keys to personal data along" in said.out
    monkeypatch.setenv("KANTIS_VAULT", str(folder_of(str(store))))
    assert kantis("member", "find", "mäk", "--store", pg_url, "--json").json[0]["id"] == anna
    assert kantis("member", "erase", anna, "--yes", "--store", pg_url).status == 0
    assert kantis("member", "find", "mäk", "--store", pg_url).status == 1


def test_no_new_keys_are_made_where_members_have_others(store: Path, kantis: Kantis) -> None:
    joined(store, ANNA)
    shutil.rmtree(folder_of(str(store)))
    said = kantis("member", "find", "mäk", "--store", store)
    assert (said.status, "keys-missing" in said.err) == (3, True)
    assert not folder_of(str(store)).exists()


def test_purchases_go_on_without_the_keys(store: Path) -> None:
    joined(store, ANNA, cards=("77",))
    shutil.rmtree(folder_of(str(store)))
    from msgspec import json

    from kantis.doors.api import wire

    with desks.open(str(store)) as desk:
        event = wire.read_event(json.encode(buy("b", "77")), "till")
        (result,) = desk.submit([event], program="club")
    assert result.outcome == "decided"
