"""Factors: what staff show beside a password: a code of an app, or one of ten recovery codes.

Guarantee: the secret of an app stands in the books sealed, and counts only once a code of it
was shown. A code is good once, in its half minute and the ones beside it; a recovery code is
good once. Five wrong ones within a quarter of an hour close the second step for the rest of
it, also across a restart, and whoever does not know the password cannot try at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyotp
from msgspec import Struct
from pyotp.utils import strings_equal

from kantis.desk.audit import By, alone, record
from kantis.desk.codes import code_of, digest, grouped, new_code, new_token
from kantis.desk.staff import ROLES, TRIES_MAX, Staff, shown
from kantis.desk.tries import may_try
from kantis.desk.vault.seals import app as sealed_for
from kantis.store import factors as rows
from kantis.store import staff as people
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.staff import TicketRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.vault.seals import Seals

#: A code of an app changes so often.
STEP_MS: Final = 30_000
#: Codes of so many steps before and after now are taken, for clocks that are not quite right.
STEPS_BESIDE: Final = 1
CODES: Final = 10
#: Between the password and the second step there may be so much time.
HALF_MS: Final = 10 * 60_000
#: What a link is for that stands for a right password, while the second step is to come.
HALF: Final = "second step"
#: Why a code is refused.
WRONG: Final = "wrong-code"
OFTEN: Final = "too-many-tries"

_CODE_LETTERS: Final = 16
_TYPED_MAX: Final = 100
_DIGITS: Final = re.compile(r"[0-9]{6}")


class Factors(Struct, frozen=True):
    """What somebody can show beside a password. ``app`` is since when, in ms."""

    app: int | None = None
    codes: int = 0
    passkeys: int = 0

    @property
    def any(self) -> bool:
        """Whether a password alone does not sign them in."""
        return self.app is not None or bool(self.passkeys)


def of(books: Reading, number: int) -> Factors:
    """What somebody of the staff can show."""
    app = rows.app(books, number)
    made = app.made if app is not None and app.secret else None
    return Factors(made, rows.codes(books, number), len(rows.passkeys(books, number)))


# ── the app ──────────────────────────────────────────────────────────────────


def offer_app(desk: Desk, seals: Seals, number: int) -> None:
    """Make a secret for an app. It counts once it is confirmed; an older one holds until then."""
    made = seals.seal(sealed_for(number), pyotp.random_base32().encode())
    with alone(desk) as books:
        rows.offer_app(books, number, made, desk.clock())


def coming(books: Reading, seals: Seals, number: int) -> str:
    """The secret that waits for its first code, in base 32; nothing where none does."""
    app = rows.app(books, number)
    if app is None or app.coming is None:
        return ""
    return seals.open(sealed_for(number), app.coming).decode()


def confirm_app(desk: Desk, seals: Seals, number: int, typed: str, by: By) -> tuple[str, list[str]]:
    """The app shows the right code, so it counts from now on: why not, or nothing; and new
    recovery codes where there are none yet."""
    now = desk.clock()
    with alone(desk) as books:
        if not may_try(books, now, _subject(number), TRIES_MAX):
            return OFTEN, []
        secret = coming(books, seals, number)
        step = step_of(secret, typed, now) if secret else 0
        if not step:
            return WRONG, []
        forget_tries(books, number)
        rows.confirm_app(books, number, step, now)
        _note(books, now, number, "app", by)
        return "", first_codes(books, number)


def end_app(desk: Desk, number: int, by: By) -> bool:
    """No app any more; recovery codes go with the last factor. ``False`` where there was none."""
    with alone(desk) as books:
        if not rows.end_app(books, number):
            return False
        _note(books, desk.clock(), number, "no app", by)
        drop_codes(books, number)
    return True


def drop_codes(books: Books, number: int) -> None:
    """Recovery codes stand in for another factor: without one they are worth nothing."""
    if not of(books, number).any:
        rows.set_codes(books, number, [])


def step_of(secret: str, typed: str, now: int) -> int:
    """The time step whose code somebody typed; 0 where it is none of those around now.

    >>> step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287 082", 59_000)
    1
    >>> step_of("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "287082", 120_000)
    0
    """
    code = re.sub(r"\s", "", typed[:_TYPED_MAX])
    if not _DIGITS.fullmatch(code):
        return 0
    shows, middle = pyotp.TOTP(secret), now // STEP_MS
    steps = range(middle - STEPS_BESIDE, middle + STEPS_BESIDE + 1)
    return next((each for each in steps if strings_equal(shows.generate_otp(each), code)), 0)


# ── recovery codes ───────────────────────────────────────────────────────────


def new_codes(desk: Desk, number: int, by: By) -> list[str]:
    """Ten new recovery codes; those that there were are good for nothing any more."""
    with alone(desk) as books:
        if not of(books, number).any:
            return []
        made = _new_codes(books, number)
        _note(books, desk.clock(), number, "recovery codes", by)
    return made


def first_codes(books: Books, number: int) -> list[str]:
    """Ten recovery codes for whoever has none yet."""
    return [] if rows.codes(books, number) else _new_codes(books, number)


def _new_codes(books: Books, number: int) -> list[str]:
    made = [new_code(_CODE_LETTERS) for _ in range(CODES)]
    rows.set_codes(books, number, [_hashed(number, each) for each in made])
    return [grouped(each) for each in made]


def _hashed(number: int, code: str) -> bytes:
    return digest(f"recovery {number} {code}")


# ── who needs one ────────────────────────────────────────────────────────────


def demand(desk: Desk, roles: set[str], by: By) -> None:
    """From now on these roles need a second factor, and no other."""
    at = desk.clock()
    with alone(desk) as books:
        rows.set_demands(books, roles & set(ROLES), at)
        record(books, at, by, 0, "demand", " ".join(sorted(roles & set(ROLES))) or "nobody")


def lacks(books: Reading, who: Staff) -> bool:
    """Whether somebody has to set up a second factor before anything else."""
    return who.role in rows.demands(books) and not of(books, who.number).any


def reset(desk: Desk, number: int, by: By, *, within: int = 0) -> bool:
    """Take all that somebody shows beside the password from them, and sign them out: what they
    had is lost. ``within`` one program nobody else's people."""
    with alone(desk) as books:
        person = people.by_number(books, number)
        if person is None or within not in (0, person.program) or not of(books, number).any:
            return False
        take_all(books, number)
        _note(books, desk.clock(), number, "reset", by)
    return True


def take_all(books: Books, number: int) -> None:
    """Whatever somebody shows beside the password is gone, and so are their sessions."""
    rows.forget_app(books, number)
    for each in rows.passkeys(books, number):
        rows.end_passkey(books, number, each.number)
    drop_codes(books, number)
    people.end_sessions(books, staff=number)


# ── showing one ──────────────────────────────────────────────────────────────


def halfway(desk: Desk, number: int) -> str:
    """The token of whoever has shown the password, and has to show another factor soon."""
    token, now = new_token(), desk.clock()
    with alone(desk) as books:
        row = TicketRow(digest(token), HALF, number, 0, now, now + HALF_MS)
        people.add_ticket(books, row)
    return token


def who_is_halfway(books: Reading, token: str, now: int) -> Staff | None:
    """Whose token that is, while it holds."""
    found = people.ticket(books, digest(token)) if token else None
    if found is None or found.purpose != HALF or found.ends <= now:
        return None
    row = people.by_number(books, found.staff)
    return shown(row) if row is not None and row.ended is None else None


def finish(desk: Desk, seals: Seals, token: str, typed: str) -> tuple[Staff | None, str]:
    """Who is in with the second step, and why not; the token is used up only where they are."""
    now = desk.clock()
    with alone(desk) as books:
        who = who_is_halfway(books, token, now)
        why = _show(books, seals, who.number, typed, now) if who is not None else ""
        if who is not None and not why:
            people.take_ticket(books, digest(token))
    return who, why


def show(desk: Desk, seals: Seals, number: int, typed: str) -> str:
    """Why a code, of an app or for recovery, does not show who somebody is; or nothing."""
    with alone(desk) as books:
        return _show(books, seals, number, typed, desk.clock())


def _show(books: Books, seals: Seals, number: int, typed: str, now: int) -> str:
    if not may_try(books, now, _subject(number), TRIES_MAX):
        return OFTEN
    if not _fits(books, seals, number, typed, now):
        return WRONG
    forget_tries(books, number)
    return ""


def _fits(books: Books, seals: Seals, number: int, typed: str, now: int) -> bool:
    """Whether a code is right, and use it up."""
    app = rows.app(books, number)
    if app is not None and app.secret:
        step = step_of(seals.open(sealed_for(number), app.secret).decode(), typed, now)
        if step:
            return rows.use_step(books, number, step)
    code = code_of(typed[:_TYPED_MAX])
    if not rows.use_code(books, number, _hashed(number, code)):
        return False
    person = people.by_number(books, number)
    assert person is not None
    _note(books, now, number, "recover", By(person.login, person.name))
    return True


def forget_tries(books: Books, number: int) -> None:
    """The second step is open to somebody again."""
    people.forget_tries(books, _subject(number))


def _subject(number: int) -> bytes:
    return digest(f"second step {number}")


def _note(books: Books, at: int, number: int, deed: str, by: By) -> None:
    person = people.by_number(books, number)
    assert person is not None
    record(books, at, by, person.program, deed, person.login)
