"""Who signs in: invitations open once, passwords are kept as Argon2 makes them, tries are few."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.calendar import DAY_MS
from kantis.core.knobs import ProgramError
from kantis.desk import sessions, staff, tries
from kantis.desk.audit import By
from kantis.desk.submit import Desk

SECRET = "correct horse battery"
BY = By("test")


class Clock:
    """A clock that a test moves."""

    now = 1_790_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A desk on each store, with a clock to move."""
    on_postgres = request.param == "postgres"
    url = request.getfixturevalue("pg_url") if on_postgres else str(tmp_path / "books.db")
    with kantis.desk.open(url, clock=Clock()) as found:
        yield found


def clock_of(desk: Desk) -> Clock:
    assert isinstance(desk.clock, Clock)
    return desk.clock


def owner(desk: Desk, login: str = "liisa") -> int:
    number, token = staff.invite(desk, login, "Liisa Lumi", "owner", "", BY)
    assert staff.accept(desk, token, SECRET) is not None
    return number


def refused(desk: Desk, login: str, password: str) -> str:
    with pytest.raises(staff.SignInRefused) as caught:
        staff.sign_in(desk, login, password)
    return caught.value.code


def wrong(desk: Desk, *about: str) -> str:
    with pytest.raises(ProgramError) as caught:
        staff.invite(desk, *about, BY)
    return caught.value.faults[0].code


def test_an_invitation_opens_once(desk: Desk) -> None:
    number, token = staff.invite(desk, "Liisa", "Liisa Lumi", "owner", "", BY)
    found = staff.invited(desk.books, token, desk.clock())
    assert found is not None
    assert (found.number, found.login, found.invited) == (number, "liisa", True)
    assert refused(desk, "liisa", "") == "wrong-password"
    assert staff.accept(desk, token, SECRET) is not None
    assert staff.accept(desk, token, "another password") is None
    assert staff.sign_in(desk, " LIISA ", SECRET).number == number


def test_an_invitation_ends(desk: Desk) -> None:
    _, token = staff.invite(desk, "liisa", "Liisa", "owner", "", BY)
    clock_of(desk).now += staff.INVITED_MS
    assert staff.accept(desk, token, SECRET) is None


def test_the_books_hold_no_password_and_no_token(desk: Desk) -> None:
    owner(desk)
    token = sessions.begin(desk, "a browser", staff=1)
    for table in ("staff", "session", "ticket", "sign_in_try"):
        told = repr(desk.books.rows(f"SELECT * FROM {table}"))
        assert SECRET not in told
        assert token not in told
    assert desk.books.one("SELECT password FROM staff").startswith(
        "$argon2id$v=19$m=19456,t=2,p=1$"
    )


@pytest.mark.parametrize("password", ["short", "a" * 12, "ab" * 6, "x" * 257, ""])
def test_a_weak_password_is_refused_and_the_invitation_stays(desk: Desk, password: str) -> None:
    _, token = staff.invite(desk, "liisa", "Liisa", "owner", "", BY)
    with pytest.raises(ProgramError, match="at least 12 letters"):
        staff.accept(desk, token, password)
    assert staff.accept(desk, token, SECRET) is not None


def test_five_wrong_tries_close_a_login_for_a_while(desk: Desk) -> None:
    owner(desk)
    for _ in range(staff.TRIES_MAX):
        assert refused(desk, "liisa", "wrong") == "wrong-password"
    assert refused(desk, "liisa", SECRET) == "too-many-tries"
    assert refused(desk, "nobody", SECRET) == "wrong-password"
    clock_of(desk).now += tries.WITHIN_MS
    assert staff.sign_in(desk, "liisa", SECRET)


def test_without_the_limit_tries_go_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    owner(desk)
    monkeypatch.setattr(staff, "TRIES_MAX", 1_000)
    assert {refused(desk, "liisa", "wrong") for _ in range(7)} == {"wrong-password"}


def test_a_right_password_forgets_the_tries(desk: Desk) -> None:
    owner(desk)
    for _ in range(3):
        for _ in range(staff.TRIES_MAX - 1):
            refused(desk, "liisa", "wrong")
        staff.sign_in(desk, "liisa", SECRET)


@pytest.mark.parametrize(
    ("about", "code"),
    [
        (("x y", "X", "owner", ""), "bad-login"),
        (("x1", "X", "king", ""), "unknown-role"),
        (("x1", "", "owner", ""), "bad-name"),
        (("x1", "X", "owner", "nowhere"), "unknown-program"),
    ],
)
def test_what_nobody_could_explain_is_refused(
    desk: Desk, about: tuple[str, ...], code: str
) -> None:
    assert wrong(desk, *about) == code


def test_a_login_is_taken_for_ever(desk: Desk) -> None:
    owner(desk)
    second = owner(desk, "second")
    assert wrong(desk, "Liisa", "Another", "owner", "") == "login-taken"
    assert staff.end(desk, second, BY)
    assert wrong(desk, "second", "Another", "owner", "") == "login-taken"


def test_the_last_owner_stays(desk: Desk) -> None:
    first, second = owner(desk), owner(desk, "second")
    assert staff.end(desk, first, BY)
    with pytest.raises(ProgramError, match="last owner"):
        staff.end(desk, second, BY)
    assert not staff.end(desk, first, BY)


# ── sessions ─────────────────────────────────────────────────────────────────


def found(desk: Desk, token: str) -> sessions.Session | None:
    return sessions.find(desk.books, token, desk.clock())


def test_a_session_ends_when_it_is_not_used(desk: Desk) -> None:
    token = sessions.begin(desk, "a browser", staff=owner(desk))
    for _ in range(10):
        clock_of(desk).now += sessions.STAFF_IDLE_MS // 2
        session = found(desk, token)
        assert session is not None
        assert session.stale
        sessions.see(desk, session)
    clock_of(desk).now += sessions.STAFF_IDLE_MS + 1
    assert found(desk, token) is None


def test_a_session_ends_at_the_latest_after_its_longest_time(desk: Desk) -> None:
    token = sessions.begin(desk, "a browser", staff=owner(desk))
    end = desk.clock() + sessions.STAFF_LONGEST_MS
    while desk.clock() + sessions.STAFF_IDLE_MS // 2 < end:
        clock_of(desk).now += sessions.STAFF_IDLE_MS // 2
        session = found(desk, token)
        assert session is not None
        sessions.see(desk, session)
    clock_of(desk).now = end
    assert found(desk, token) is None


def test_whoever_leaves_is_signed_out_everywhere(desk: Desk) -> None:
    first = owner(desk)
    owner(desk, "second")
    tokens = [sessions.begin(desk, "a browser", staff=first) for _ in range(3)]
    assert all(found(desk, token) for token in tokens)
    staff.end(desk, first, BY)
    assert not any(found(desk, token) for token in tokens)
    assert refused(desk, "liisa", SECRET) == "wrong-password"


def test_signing_out_ends_one_session_or_all_others(desk: Desk) -> None:
    number = owner(desk)
    one, two, three = (sessions.begin(desk, "a browser", staff=number) for _ in range(3))
    first = found(desk, one)
    assert first is not None
    sessions.end_others(desk, first)
    assert (found(desk, two), found(desk, three)) == (None, None)
    sessions.end(desk, first)
    assert found(desk, one) is None
    assert found(desk, "") is None


def test_a_proof_is_fresh_for_a_while(desk: Desk) -> None:
    token = sessions.begin(desk, "a browser", account=7)
    clock_of(desk).now += sessions.PROVED_MS + 1
    session = found(desk, token)
    assert session is not None
    assert (session.account, session.staff, session.is_fresh(desk.clock())) == (7, None, False)
    sessions.prove(desk, session)
    session = found(desk, token)
    assert session is not None
    assert session.is_fresh(desk.clock())
    clock_of(desk).now += 80 * DAY_MS
    assert found(desk, token) is not None


# ── under attack ─────────────────────────────────────────────────────────────


def place(number: int) -> bytes:
    return bytes([number % 256, number // 256])


def tried(desk: Desk, login: str, password: str, origin: staff.Origin) -> str:
    """What became of a try; empty where somebody is in."""
    return staff.show_password(desk, login, password, origin)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of tries, each as fast as a hash may be: how slow it is has its own test."""
    monkeypatch.setattr(staff, "_HASHER", staff.PasswordHasher(1, 8, 1))
    monkeypatch.setattr(staff, "_NOBODY", staff._HASHER.hash("nobody"))


@pytest.mark.usefixtures("quick")
def test_who_is_attacked_is_not_locked_out(desk: Desk) -> None:
    number = owner(desk)
    mine = staff.Origin(b"home", staff.keep_device(desk, number))
    codes = [tried(desk, "liisa", "wrong", staff.Origin(place(n))) for n in range(60)]
    assert codes == ["wrong-password"] * 50 + ["too-many-tries"] * 10
    assert tried(desk, "liisa", SECRET, staff.Origin(b"elsewhere")) == "too-many-tries"
    assert tried(desk, "liisa", SECRET, mine) == "", "her own device goes on"
    for _ in range(staff.TRIES_MAX):
        assert tried(desk, "liisa", "wrong", mine) == "wrong-password"
    assert tried(desk, "liisa", SECRET, mine) == "too-many-tries", "a stolen one does not"
    number, token = staff.invite(desk, "second", "Second", "owner", "", BY)
    assert staff.accept(desk, token, SECRET)
    other = staff.Origin(b"x", mine.device)
    assert [tried(desk, "second", "wrong", other) for _ in range(6)][-1] == "too-many-tries"


@pytest.mark.usefixtures("quick")
def test_one_place_tries_few_logins(desk: Desk) -> None:
    """Each login once, so that no login is closed: the place is."""
    for n in range(30):
        _, token = staff.invite(desk, f"clerk-{n}", "Clerk", "cashier", "", BY)
        assert staff.accept(desk, token, SECRET)
    there = staff.Origin(b"thief")
    found = [tried(desk, f"clerk-{n}", "wrong", there) for n in range(staff.FROM_ONE_MAX)]
    assert set(found) == {"wrong-password"}
    assert tried(desk, "clerk-29", SECRET, there) == "too-many-tries"
    assert tried(desk, "clerk-29", SECRET, staff.Origin(b"shop")) == ""
    assert [tried(desk, f"clerk-{n}", SECRET, staff.Origin(b"office")) for n in range(28)] == (
        [""] * 28
    ), "right passwords do not close a place"


@pytest.mark.usefixtures("quick")
def test_stuffing_from_many_places_gets_nobody_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 tries at 100 logins from 200 places, one in two hundred with the right password:
    once 100 were wrong, no new device is let in, and who works here goes on."""
    monkeypatch.setattr(staff, "ALL_MAX", 100)
    devices = {}
    for n in range(100):
        number, token = staff.invite(desk, f"clerk-{n}", "Clerk", "cashier", "", BY)
        assert staff.accept(desk, token, f"{SECRET} {n}")
        devices[n] = staff.keep_device(desk, number)
    got_in = 0
    for n in range(1_000):
        right = n % 200 == 199
        password = f"{SECRET} {n % 100}" if right else "leaked elsewhere"
        got_in += not tried(desk, f"clerk-{n % 100}", password, staff.Origin(place(n % 200)))
    assert got_in == 0
    for n in (0, 99):
        mine = staff.Origin(b"shop", devices[n])
        assert tried(desk, f"clerk-{n}", f"{SECRET} {n}", mine) == ""


@pytest.mark.usefixtures("quick")
def test_without_limits_each_right_pair_gets_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(staff, "_limits", lambda *_: {b"x" * 32: 1_000_000})
    for n in range(10):
        _, token = staff.invite(desk, f"clerk-{n}", "Clerk", "cashier", "", BY)
        assert staff.accept(desk, token, SECRET)
    for n in range(200):
        tried(desk, f"clerk-{n % 10}", "wrong", staff.Origin(b"thief"))
    assert tried(desk, "clerk-9", SECRET, staff.Origin(b"thief")) == ""
