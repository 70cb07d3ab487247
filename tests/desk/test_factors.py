"""Second factors: a code is good once, tries are few, no copy of the books has a secret."""

from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest

import kantis.desk
from kantis.desk import factors, sessions, staff, tries
from kantis.desk.audit import By
from kantis.desk.rescue import rescue
from kantis.desk.submit import Desk
from kantis.desk.vault.opening import open_seals, open_vault
from kantis.desk.vault.rotating import rotate
from kantis.desk.vault.seals import Seals
from kantis.store import factors as rows
from kantis.store.hands import audit
from tests.desk.test_staff import SECRET, Clock, clock_of, owner

BY = By("liisa", "Liisa Lumi")


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A desk on each store, with a clock to move."""
    on_postgres = request.param == "postgres"
    url = request.getfixturevalue("pg_url") if on_postgres else str(tmp_path / "books.db")
    with kantis.desk.open(url, clock=Clock()) as found:
        yield found


@pytest.fixture
def seals(desk: Desk, tmp_path: Path) -> Seals:
    return open_seals(desk, str(tmp_path / "keys"))


def code(desk: Desk, secret: str, steps: int = 0) -> str:
    """What an app shows, so many steps from now."""
    return pyotp.TOTP(secret).generate_otp(desk.clock() // factors.STEP_MS + steps)


def set_up(desk: Desk, seals: Seals) -> tuple[int, str, list[str]]:
    """An owner with an app: number, secret, recovery codes. The code of now is used."""
    number = owner(desk)
    factors.offer_app(desk, seals, number)
    secret = factors.coming(desk.books, seals, number)
    why, codes = factors.confirm_app(desk, seals, number, code(desk, secret), BY)
    assert why == ""
    return number, secret, codes


def test_an_app_counts_once_it_is_confirmed(desk: Desk, seals: Seals) -> None:
    number = owner(desk)
    factors.offer_app(desk, seals, number)
    secret = factors.coming(desk.books, seals, number)
    assert not factors.of(desk.books, number).any
    assert factors.show(desk, seals, number, code(desk, secret)) == factors.WRONG
    assert factors.confirm_app(desk, seals, number, "000000", BY) == (factors.WRONG, [])
    assert not factors.of(desk.books, number).any
    why, codes = factors.confirm_app(desk, seals, number, code(desk, secret), BY)
    assert (why, len(set(codes))) == ("", factors.CODES)
    assert factors.of(desk.books, number) == factors.Factors(desk.clock(), factors.CODES)
    assert factors.coming(desk.books, seals, number) == ""


def test_another_app_holds_only_when_it_is_confirmed(desk: Desk, seals: Seals) -> None:
    number, first, _ = set_up(desk, seals)
    factors.offer_app(desk, seals, number)
    clock_of(desk).now += factors.STEP_MS
    assert factors.show(desk, seals, number, code(desk, first)) == ""
    second = factors.coming(desk.books, seals, number)
    clock_of(desk).now += factors.STEP_MS
    why, codes = factors.confirm_app(desk, seals, number, code(desk, second), BY)
    assert (why, codes) == ("", []), "the recovery codes stay"
    clock_of(desk).now += factors.STEP_MS
    assert factors.show(desk, seals, number, code(desk, first)) == factors.WRONG
    assert factors.show(desk, seals, number, code(desk, second)) == ""


def test_a_code_is_good_once(desk: Desk, seals: Seals) -> None:
    number, secret, _ = set_up(desk, seals)
    assert factors.show(desk, seals, number, code(desk, secret)) == factors.WRONG
    clock_of(desk).now += 2 * factors.STEP_MS
    assert factors.show(desk, seals, number, code(desk, secret)) == ""
    assert factors.show(desk, seals, number, code(desk, secret)) == factors.WRONG
    assert factors.show(desk, seals, number, code(desk, secret, -1)) == factors.WRONG
    assert factors.show(desk, seals, number, code(desk, secret, +1)) == ""


def test_without_the_guard_a_code_is_good_again(
    desk: Desk, seals: Seals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    number, secret, _ = set_up(desk, seals)
    monkeypatch.setattr(rows, "use_step", lambda books, staff, step: True)
    assert factors.show(desk, seals, number, code(desk, secret)) == ""


def test_a_code_is_good_around_its_half_minute_only(desk: Desk, seals: Seals) -> None:
    number, secret, _ = set_up(desk, seals)
    clock_of(desk).now += 20 * factors.STEP_MS
    for steps in (-2, +2):
        assert factors.show(desk, seals, number, code(desk, secret, steps)) == factors.WRONG
    for steps in (-1, +1):
        assert factors.show(desk, seals, number, code(desk, secret, steps)) == ""


def test_five_wrong_codes_close_the_second_step(desk: Desk, seals: Seals) -> None:
    number, secret, codes = set_up(desk, seals)
    clock_of(desk).now += 2 * factors.STEP_MS
    for each in ("000000", "", "x" * 999, "ABCD-EFGH", "12345"):
        assert factors.show(desk, seals, number, each) == factors.WRONG
    assert factors.show(desk, seals, number, code(desk, secret)) == factors.OFTEN
    assert factors.show(desk, seals, number, codes[0]) == factors.OFTEN
    clock_of(desk).now += tries.WITHIN_MS
    assert factors.show(desk, seals, number, code(desk, secret)) == ""


def test_a_right_password_opens_no_second_step_again(desk: Desk, seals: Seals) -> None:
    number, secret, _ = set_up(desk, seals)
    clock_of(desk).now += 2 * factors.STEP_MS
    for _ in range(staff.TRIES_MAX):
        staff.sign_in(desk, "liisa", "correct horse battery")
        factors.show(desk, seals, number, "000000")
    assert factors.show(desk, seals, number, code(desk, secret)) == factors.OFTEN


def test_without_the_limit_codes_can_be_guessed(
    desk: Desk, seals: Seals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    number, secret, _ = set_up(desk, seals)
    monkeypatch.setattr(factors, "TRIES_MAX", 1_000)
    clock_of(desk).now += 2 * factors.STEP_MS
    for _ in range(staff.TRIES_MAX + 1):
        assert factors.show(desk, seals, number, "000000") == factors.WRONG
    assert factors.show(desk, seals, number, code(desk, secret)) == ""


def test_a_recovery_code_is_good_once_and_for_its_owner(desk: Desk, seals: Seals) -> None:
    number, _, codes = set_up(desk, seals)
    other = owner(desk, "second")
    assert factors.show(desk, seals, other, codes[0]) == factors.WRONG
    assert factors.show(desk, seals, number, f" {codes[0].lower().replace('-', ' ')} ") == ""
    assert factors.show(desk, seals, number, codes[0]) == factors.WRONG
    assert factors.of(desk.books, number).codes == factors.CODES - 1
    fresh = factors.new_codes(desk, number, BY)
    assert factors.show(desk, seals, number, codes[1]) == factors.WRONG
    assert factors.show(desk, seals, number, fresh[1]) == ""
    deeds = [each.deed for each in audit(desk.books, 1 << 60, 20)]
    assert deeds[:5] == ["recover", "recovery codes", "recover", "accept", "invite"]


def test_between_the_steps_there_is_a_token_that_ends(desk: Desk, seals: Seals) -> None:
    number, secret, codes = set_up(desk, seals)
    token = factors.halfway(desk, number)
    assert factors.finish(desk, seals, "x" * 43, codes[0]) == (None, "")
    who, why = factors.finish(desk, seals, token, "000000")
    assert (who is not None, why) == (True, factors.WRONG)
    who, why = factors.finish(desk, seals, token, codes[0])
    assert who is not None
    assert (who.number, why) == (number, "")
    assert factors.finish(desk, seals, token, codes[1]) == (None, "")
    token = factors.halfway(desk, number)
    clock_of(desk).now += factors.HALF_MS
    assert factors.finish(desk, seals, token, code(desk, secret)) == (None, "")


def test_an_invitation_is_no_token_of_the_second_step(desk: Desk, seals: Seals) -> None:
    set_up(desk, seals)
    _, token = staff.invite(desk, "second", "Second", "owner", "", BY)
    assert factors.who_is_halfway(desk.books, token, desk.clock()) is None


def test_without_a_factor_there_are_no_recovery_codes(desk: Desk, seals: Seals) -> None:
    number, _, codes = set_up(desk, seals)
    assert factors.end_app(desk, number, BY)
    assert not factors.end_app(desk, number, BY)
    assert factors.of(desk.books, number) == factors.Factors()
    assert factors.show(desk, seals, number, codes[0]) == factors.WRONG
    assert factors.new_codes(desk, number, BY) == []


def test_whoever_leaves_leaves_no_factor(desk: Desk, seals: Seals) -> None:
    number, _, _ = set_up(desk, seals)
    owner(desk, "second")
    assert staff.end(desk, number, BY)
    for table in ("authenticator", "recovery_code", "passkey"):
        assert desk.books.one(f"SELECT count(*) FROM {table}") == 0


def test_who_has_lost_everything_is_let_in_again(desk: Desk, seals: Seals) -> None:
    number, _, _ = set_up(desk, seals)
    session = sessions.begin(desk, "a device", staff=number)
    password = rescue(desk, "liisa", BY)
    assert staff.sign_in(desk, "liisa", password).number == number
    assert not factors.of(desk.books, number).any
    assert sessions.find(desk.books, session, desk.clock()) is None
    assert "rescue" in {row.deed for row in audit(desk.books, 1 << 40, 9)}
    with pytest.raises(staff.SignInRefused):
        staff.sign_in(desk, "liisa", SECRET)
    assert rescue(desk, "nobody", BY) == ""
    owner(desk, "second")
    assert staff.end(desk, number, BY)
    assert rescue(desk, "liisa", BY) == "", "who has left stays out"


def kept(desk: Desk) -> str:
    """All that the books say of factors, sessions and audit."""
    tables = ("authenticator", "recovery_code", "sign_in_try", "ticket", "audit")
    return repr([desk.books.rows(f"SELECT * FROM {each}") for each in tables])


def test_the_books_hold_no_secret_and_no_code(desk: Desk, seals: Seals) -> None:
    _, secret, codes = set_up(desk, seals)
    said = kept(desk)
    assert secret not in said
    assert not any(each in said or each.replace("-", "") in said for each in codes)


def test_without_sealing_it_would_be_found(
    desk: Desk, seals: Seals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(Seals, "seal", lambda self, about, secret: secret)
    monkeypatch.setattr(Seals, "open", lambda self, about, data: data)
    _, secret, _ = set_up(desk, seals)
    assert secret in kept(desk)


def test_another_master_key_opens_the_app_too(desk: Desk, tmp_path: Path) -> None:
    vault = open_vault(desk, str(tmp_path / "keys"))
    number, secret, _ = set_up(desk, Seals(vault.keys))
    factors.offer_app(desk, Seals(vault.keys), number)
    rotate(vault, vault.keys, desk.books, lambda what, done, of: None)  # type: ignore[arg-type]
    clock_of(desk).now += 2 * factors.STEP_MS
    assert factors.show(desk, Seals(vault.keys), number, code(desk, secret)) == ""
    assert factors.coming(desk.books, Seals(vault.keys), number)


# ── who needs one ────────────────────────────────────────────────────────────


def lacking(desk: Desk, token: str) -> bool:
    session = sessions.find(desk.books, token, desk.clock())
    assert session is not None
    return session.lacks


def test_a_role_needs_a_factor_from_the_next_page_on(desk: Desk, seals: Seals) -> None:
    number = owner(desk)
    token = sessions.begin(desk, "a browser", staff=number)
    assert not lacking(desk, token)
    factors.demand(desk, {"manager", "no such role"}, BY)
    assert not lacking(desk, token)
    factors.demand(desk, {"owner"}, BY)
    assert rows.demands(desk.books) == {"owner"}
    assert lacking(desk, token)
    factors.offer_app(desk, seals, number)
    assert lacking(desk, token), "one that is not confirmed is none"
    secret = factors.coming(desk.books, seals, number)
    factors.confirm_app(desk, seals, number, code(desk, secret), BY)
    assert not lacking(desk, token)
    factors.demand(desk, set(), BY)
    factors.end_app(desk, number, BY)
    assert not lacking(desk, token)


def test_what_was_lost_is_taken_away(desk: Desk, seals: Seals) -> None:
    number, _, codes = set_up(desk, seals)
    token = sessions.begin(desk, "a browser", staff=number)
    assert not factors.reset(desk, number, BY, within=7), "people of another program"
    assert rows.guarded(desk.books) == {number}
    assert factors.reset(desk, number, BY)
    assert sessions.find(desk.books, token, desk.clock()) is None
    assert factors.show(desk, seals, number, codes[0]) == factors.WRONG
    assert not factors.reset(desk, number, BY)
    assert rows.guarded(desk.books) == set()
