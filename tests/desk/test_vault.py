"""The vault: found by exact forms and starts of names, sealed in the books, gone when erased."""

import os
import threading
from datetime import date
from pathlib import Path

import pytest
from msgspec import structs

import kantis.desk.vault.vault as rooms
from kantis.desk.vault.keyfile import KEYS, MASTER, FolderKeys, Locked, faults
from kantis.desk.vault.person import Consent, Person, Wrong, checked, fits, phone_form, starts
from kantis.desk.vault.vault import Reader, Refusal, Vault
from kantis.desk.writer import RemoteDesk
from kantis.store import people
from kantis.store.books import Forbidden, Outage
from tests.desk.shop import Shop, codes
from tests.desk.vault import AN, ANNA, Desk

TODAY = date(2024, 3, 1)
PLANTED = ("Anna-Liisa", "Mäkinen", "Anna.Makinen@example.org", "+358401234567", "oat milk")


@pytest.fixture
def desk(shop: Shop, tmp_path: Path) -> Desk:
    """A vault on each store."""
    return Desk(shop, tmp_path / "vault")


def test_a_member_is_found_by_exact_forms(desk: Desk) -> None:
    anna, an = desk.enrol("1", ANNA), desk.enrol("2", AN)
    vault, books = desk.vault, desk.books
    for spelling in ("anna.makinen@example.org", " ANNA.Makinen@Example.ORG"):
        assert desk.ids(vault.by_email(books, 1, spelling)) == [anna]
    for spelling in ("+358 40 123 4567", "00358 (0)40-1234567"):
        assert desk.ids(vault.by_phone(books, 1, spelling)) == [anna]
    assert desk.ids(vault.by_card(books, 1, "2")) == [an]
    assert vault.by_email(books, 1, "anna@example.org") == []
    assert vault.by_email(books, 2, "anna.makinen@example.org") == []
    assert vault.by_card(books, 2, "2") == vault.by_card(books, 1, "3") == []
    assert vault.by_id(books, 2, anna) is None


def test_a_member_is_found_by_the_receipt(desk: Desk) -> None:
    from kantis.desk import keys

    anna = desk.enrol("1", ANNA)
    keys.make(desk.shop.desk, "Till", "p", "till", "till")
    desk.shop(desk.shop.buy("r-1", "1"), desk.shop.buy("r-2", ""))
    assert desk.ids(desk.vault.by_receipt(desk.books, 1, "r-1")) == [anna]
    assert desk.ids(desk.vault.by_receipt(desk.books, 1, "Rr-1")) == [anna]  # what is in it
    assert desk.vault.by_receipt(desk.books, 1, "r-2") == []
    assert desk.vault.by_receipt(desk.books, 1, "Rr-2") == []
    desk.shop(desk.shop.claim("c", "1", "Rr-2"))
    assert desk.ids(desk.vault.by_receipt(desk.books, 1, "Rr-2")) == [anna]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("mak", "Anna-Liisa Mäkinen"),
        ("MÄK", "Anna-Liisa Mäkinen"),
        ("liisa", "Anna-Liisa Mäkinen"),
        ("anna mäkinen", "Anna-Liisa Mäkinen"),
        ("nguyen", "Văn An Nguyễn"),
        ("Nguyễn An", "Văn An Nguyễn"),
        ("an", "Văn An Nguyễn"),
        ("makinenen", ""),
        ("kinen", ""),
        ("anna berg", ""),
    ],
)
def test_a_member_is_found_by_the_start_of_a_name(desk: Desk, asked: str, found: str) -> None:
    desk.enrol("1", ANNA)
    desk.enrol("2", AN)
    assert desk.names(asked) == ([found] if found else [])


def test_the_same_accents_come_first(desk: Desk) -> None:
    desk.enrol("1", Person("Jaan", "Oun"))
    desk.enrol("2", Person("Jaan", "Õun"))
    assert desk.names("õun") == ["Jaan Õun", "Jaan Oun"]
    assert desk.names("oun") == ["Jaan Oun", "Jaan Õun"]


def test_long_words_are_compared_to_their_end() -> None:
    assert starts("Konstantin") == ["kon", "kons", "konst", "konsta", "konstan", "konstant"]
    assert fits("Konstantin", "konstanti")
    assert not fits("Konstanze", "konstanti")


def test_one_email_is_one_member(desk: Desk) -> None:
    anna, an = desk.enrol("1", ANNA), desk.enrol("2", AN)
    with pytest.raises(Refusal, match="email-taken"):
        desk.enrol("3", Person("A", "B", "ANNA.makinen@example.org"))
    member = desk.member(an)
    assert member.person
    with pytest.raises(Refusal, match="email-taken"):
        desk.vault.change(member, structs.replace(member.person, email=ANNA.email), desk.shop.now)
    assert desk.member(an).row.version == 1
    desk.vault.change(desk.member(anna), structs.replace(ANNA, email=""), desk.shop.now)
    desk.vault.change(member, structs.replace(member.person, email=ANNA.email), desk.shop.now)
    assert desk.ids(desk.vault.by_email(desk.books, 1, ANNA.email)) == [an]


def test_of_two_who_change_the_same_member_one_is_late(desk: Desk) -> None:
    first = desk.member(desk.enrol("1", ANNA))
    desk.vault.change(first, structs.replace(ANNA, given_name="Anu"), desk.shop.now)
    with pytest.raises(Refusal, match="stale"):
        desk.vault.change(first, structs.replace(ANNA, given_name="Liisa"), desk.shop.now)
    assert desk.names("anu") == ["Anu Mäkinen"]
    assert desk.names("anna") == []


def test_consents_come_back_as_they_were_given(desk: Desk) -> None:
    given = (
        Consent("e-mail", True, 5, "2024-1", "We write to you once a month.", "till-1"),
        Consent("e-mail", False, 9, "2024-1", "", "portal"),
    )
    member = desk.enrol("1", structs.replace(ANNA, consents=given))
    person = desk.member(member).person
    assert person is not None
    assert person.consents == given


# ── nothing in the books ─────────────────────────────────────────────────────


def everything(folder: Path) -> bytes:
    """All bytes of all files of an installation but those of the keys."""
    return b"".join(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "vault"
    )


def planted(data: bytes) -> list[str]:
    found = data.lower()
    return [each for each in PLANTED if each.lower().encode() in found]


def fill(folder: Path) -> bytes:
    with Shop(str(folder / "books.db")) as shop:
        desk = Desk(shop, folder / "vault")
        member = desk.enrol("1", ANNA)
        shop(shop.buy("1", "1"), shop.refund("2", "1", "1"))
        found = desk.vault.by_name(desk.books, 1, "mäk")
        desk.vault.note(found, Reader("till", "search"), ["given_name"])
        changed = structs.replace(ANNA, given_name="Anu")
        desk.vault.change(desk.member(member), changed, shop.now)
        data = everything(folder)
    return data + everything(folder)


def test_no_file_holds_a_planted_name(tmp_path: Path) -> None:
    assert planted(fill(tmp_path)) == []


def test_without_sealing_each_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin."""
    monkeypatch.setattr(rooms, "wrap", lambda key, about, secret: secret)
    monkeypatch.setattr(rooms, "unwrap", lambda key, about, sealed: sealed)
    assert planted(fill(tmp_path)) == list(PLANTED)


def test_a_row_of_another_member_does_not_open(desk: Desk) -> None:
    """Somebody with access to the books alone cannot give one member the data of another."""
    anna, an = desk.member(desk.enrol("1", ANNA)), desk.member(desk.enrol("2", AN))
    swapped = an.row._replace(sealed=anna.row.sealed)
    with pytest.raises(Locked, match="right keys"):
        desk.vault.open([swapped])
    assert desk.vault.open([anna.row])[0].person


# ── erasing ──────────────────────────────────────────────────────────────────


def test_who_was_erased_is_nowhere(desk: Desk) -> None:
    member = desk.member(desk.enrol("1", ANNA))
    card = (1, "1", member.row.account, people.ERASED, desk.shop.now, "staff")
    desk.vault.erase(member, [card], desk.shop.now)
    left = desk.member(member.row.id)
    assert left.person is None
    assert (left.row.sealed, left.row.erased) == (None, desk.shop.now)
    assert desk.vault.by_email(desk.books, 1, ANNA.email) == []
    assert desk.books.one("SELECT count(*) FROM mark") == 0
    assert desk.names("mak") == []
    assert codes(desk.shop(desk.shop.redeem("r", "1"))) == ["card-erased"]
    desk.vault.erase(left, [], desk.shop.now + 1)
    assert desk.member(member.row.id).row.erased == desk.shop.now
    with pytest.raises(Refusal, match="erased"):
        desk.vault.change(left, ANNA, desk.shop.now)
    desk.enrol("2", ANNA)


def test_a_row_from_before_the_erasure_does_not_open(desk: Desk, tmp_path: Path) -> None:
    """Also when the books come back as they were; the twin: without it, it opens."""
    member = desk.member(desk.enrol("1", ANNA))
    assert desk.vault.open([member.row])[0].person == member.person
    desk.vault.erase(member, [], desk.shop.now)
    assert desk.vault.open([member.row])[0].person is None
    desk.keys.close()
    again = FolderKeys(tmp_path / "vault")
    assert Vault(desk.shop.desk, again).open([member.row])[0].person is None
    assert again.destroyed() == {member.row.id: desk.shop.now}


def test_a_destroyed_key_is_overwritten_on_the_disk(tmp_path: Path) -> None:
    keys = FolderKeys(tmp_path / "vault", new=True)
    keys.make([f"m{n}" for n in range(50)])
    wrapped = keys._db.execute("SELECT wrapped FROM key WHERE member = 'm7'").fetchall()[0][0]
    assert wrapped in (tmp_path / "vault" / KEYS).read_bytes()
    keys.destroy(["m7"], 5)
    assert wrapped not in everything_in(tmp_path / "vault")
    assert sorted(keys.find(["m7", "m8"])) == ["m8"]
    keys.destroy(["m7"], 9)
    assert keys.destroyed() == {"m7": 5}


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_the_database_itself_keeps_who_was_erased_and_who_read(desk: Desk) -> None:
    member = desk.member(desk.enrol("1", ANNA))
    desk.vault.note([member], Reader("till", "search"), ["given_name"])
    desk.vault.erase(member, [(1, "1", 1, "erased", 5, "x")], desk.shop.now)
    for statement in (
        "UPDATE member SET erased = NULL",
        "UPDATE member SET sealed = 'x', erased = NULL",
        "DELETE FROM member",
        "UPDATE reading SET who = 'nobody'",
        "DELETE FROM reading",
        "DELETE FROM card_change",
    ):
        desk.books.begin()
        with pytest.raises((Forbidden, Outage)):
            desk.books.execute(statement)
        desk.books.rollback()


# ── who read what ────────────────────────────────────────────────────────────


def test_every_reading_stands_in_the_list(desk: Desk) -> None:
    member = desk.member(desk.enrol("1", ANNA))
    desk.vault.note([member], Reader("ab12cd34", "search"), ["given_name", "email"])
    (row,) = people.readings_of(desk.books, member.row.id)
    assert row[1:] == (desk.shop.now, "ab12cd34", member.row.id, "search", "given_name email")


def test_many_who_file_at_once_are_all_answered(desk: Desk) -> None:
    member = desk.member(desk.enrol("1", ANNA))

    def read() -> None:
        for _ in range(20):
            desk.vault.note([member], Reader("t", "card"), ["given_name"])

    threads = [threading.Thread(target=read) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(people.readings_of(desk.books, member.row.id)) == 160


# ── the master key ───────────────────────────────────────────────────────────


def rotate(desk: Desk) -> None:
    desk.keys.begin_rotation()
    while desk.keys.wrap_again(2):
        pass
    at = 0
    while at := desk.vault.index_again(desk.books, at, 2):
        pass
    desk.keys.end_rotation()


def test_another_master_key_changes_nothing_that_is_seen(desk: Desk, tmp_path: Path) -> None:
    ids = [desk.enrol(f"{n}", structs.replace(ANNA, email=f"a{n}@x.org")) for n in range(5)]
    master = (tmp_path / "vault" / MASTER).read_bytes()
    marks = set(desk.books.rows("SELECT tag FROM mark"))
    rotate(desk)
    assert (tmp_path / "vault" / MASTER).read_bytes() != master
    assert not marks & set(desk.books.rows("SELECT tag FROM mark"))
    assert desk.ids(desk.vault.by_email(desk.books, 1, "A3@x.org")) == [ids[3]]
    assert len(desk.names("mak")) == 5
    rotate(desk)
    assert desk.ids(desk.vault.by_email(desk.books, 1, "A3@x.org")) == [ids[3]]
    assert desk.books.one("SELECT count(DISTINCT indexed) FROM member") == 1


def test_while_the_master_key_changes_everybody_is_found(desk: Desk, tmp_path: Path) -> None:
    old = desk.enrol("1", ANNA)
    beside = FolderKeys(tmp_path / "vault")  # another process
    beside.begin_rotation()
    new = desk.enrol("2", structs.replace(ANNA, email="new@x.org"))
    assert desk.ids(desk.vault.by_email(desk.books, 1, ANNA.email)) == [old]
    assert desk.ids(desk.vault.by_email(desk.books, 1, "new@x.org")) == [new]
    assert len(desk.names("mak")) == 2
    member = desk.member(new)
    with pytest.raises(Refusal, match="email-taken"):
        desk.vault.change(member, structs.replace(ANNA, notes=""), desk.shop.now)
    assert beside.begin_rotation() == 2
    rotate(desk)
    assert len(desk.names("mak")) == 2
    beside.close()


def test_keys_without_their_master_say_so(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    FolderKeys(folder, new=True).close()
    assert faults(folder) == []
    assert {oct(p.stat().st_mode & 0o777) for p in folder.iterdir()} == {"0o600"}
    (folder / MASTER).chmod(0o644)
    assert [code for code, _ in faults(folder)] == ["keys-open"]
    os.rename(folder / MASTER, tmp_path / "away")
    assert [code for code, _ in faults(folder)] == ["keys-missing"]
    with pytest.raises(Locked, match="master key is missing"):
        FolderKeys(folder, new=True)
    (folder / MASTER).write_text("{}")
    with pytest.raises(Locked, match="cannot be read"):
        FolderKeys(folder)


def test_the_keys_of_another_installation_open_nothing(desk: Desk, tmp_path: Path) -> None:
    member = desk.member(desk.enrol("1", ANNA))
    other = Vault(desk.shop.desk, FolderKeys(tmp_path / "other", new=True))
    assert other.open([member.row])[0].person is None
    assert other.by_email(desk.books, 1, ANNA.email) == []


# ── cards ────────────────────────────────────────────────────────────────────


def test_a_stopped_card_refuses_asks_and_flags_what_has_happened(desk: Desk) -> None:
    member = desk.member(desk.enrol("1", ANNA))
    account, now = member.row.account, desk.shop.now
    desk.shop(desk.shop.buy("b-1", "1"))
    added = (1, "2", account, people.ADDED, now, "staff")
    gone = (1, "1", account, people.REPLACED, now, "staff")
    assert desk.vault.file(people.Slip(cards=[added, gone])) == [""]
    assert codes(desk.shop(desk.shop.redeem("r-1", "1"))) == ["card-replaced"]
    assert codes(desk.shop(desk.shop.redeem("r-2", "2", 1))) == ["decided"]
    assert codes(desk.shop(desk.shop.buy("b-2", "1"))) == ["decided"]
    assert [flag.flag for flag in desk.books.flags(9)] == ["card-replaced"]
    assert people.cards_of(desk.books, [account]) == {account: {"1": "replaced", "2": ""}}
    assert codes(desk.shop.desk.quote([desk.shop.redeem("r-3", "1")])) == ["card-replaced"]


def test_a_card_of_somebody_cannot_be_added_nor_stopped_by_another(desk: Desk) -> None:
    one, other = desk.member(desk.enrol("1", ANNA)), desk.member(desk.enrol("2", AN))
    taken = (1, "2", one.row.account, people.ADDED, 5, "staff")
    assert desk.vault.file(people.Slip(cards=[taken])) == ["card-taken"]
    for card in ("1", "9"):
        foreign = (1, card, other.row.account, people.BLOCKED, 5, "staff")
        assert desk.vault.file(people.Slip(cards=[foreign])) == ["card-gone"]
    assert desk.books.one("SELECT count(*) FROM card_change") == 0


def test_a_purchase_that_waited_for_a_card_is_decided_once_it_is_added(desk: Desk) -> None:
    member = desk.member(desk.enrol("1", ANNA))
    assert codes(desk.shop(desk.shop.buy("b", "7"))) == ["parked"]
    desk.vault.file(people.Slip(cards=[(1, "7", member.row.account, people.ADDED, 5, "x")]))
    desk.shop.desk.settle()
    assert desk.shop.points("1") == 10


def test_another_process_files_over_the_socket(tmp_path: Path) -> None:
    with Shop(str(tmp_path / "books.db")) as shop:
        desk = Desk(shop, tmp_path / "vault")
        member = desk.member(desk.enrol("1", ANNA))
        with RemoteDesk(tmp_path / "books.db") as far:
            there = Vault(far, FolderKeys(tmp_path / "vault"))
            there.change(member, structs.replace(ANNA, given_name="Anu"), shop.now)
            stop = (1, "1", member.row.account, people.BLOCKED, 5, "cli")
            assert there.file(people.Slip(cards=[stop])) == [""]
        assert desk.names("anu") == ["Anu Mäkinen"]
        assert codes(shop(shop.redeem("r", "1"))) == ["card-blocked"]
        shop.prove()


def test_a_card_that_another_worker_stops_is_stopped_here_on_postgres(
    pg_url: str, tmp_path: Path
) -> None:
    with Shop(pg_url) as here, Shop(pg_url) as there:
        desk, far = Desk(here, tmp_path / "vault"), Desk(there, tmp_path / "vault")
        account = desk.member(desk.enrol("1", ANNA)).row.account
        assert codes(there(there.ask("a", "card:1", here.buy("x", "1").body))) == ["decided"]
        desk.vault.file(people.Slip(cards=[(1, "1", account, people.BLOCKED, 5, "x")]))
        assert codes(there(there.redeem("r", "1"))) == ["card-blocked"]
        with pytest.raises(Refusal, match="email-taken"):
            far.enrol("2", structs.replace(ANNA, phone=""))


# ── values ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("email", "anna"), ("email", "a b@x.org"), ("email", "a@" + "x" * 300 + ".org"),
        ("phone", "040 1234567"), ("phone", "+358"), ("phone", "+35840123456789012"),
        ("phone", "+٣٥٨٤٠١٢٣٤"), ("birthday", "17.5.1990"), ("birthday", "2030-01-01"),
        ("birthday", "1890-01-01"), ("birthday", "13-01"), ("language", "Finnish!"),
        ("given_name", "a\x00b"),
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(name: str, value: str) -> None:
    with pytest.raises(Wrong) as wrong:
        checked(structs.replace(ANNA, **{name: value}), TODAY)
    assert wrong.value.field == name


def test_values_come_into_their_form() -> None:
    found = checked(Person(" Anna  Liisa ", "Ma\u0308kinen", " A@x.org", "", "02-29"), TODAY)
    assert (found.name, found.email, found.birthday) == ("Anna Liisa Mäkinen", "A@x.org", "02-29")
    assert found.short_name == "Anna Liisa M."
    assert phone_form("+84 91-234.5678") == "+84912345678"
