"""Sessions: browsers that are signed in.

Guarantee: a session has a token of 32 random bytes, of which the books hold the SHA-256. It
ends when somebody signs out, when it was not used for a while, at the latest after its
longest time, and at once when whoever has it leaves. Nobody takes a session over that was
there before they signed in: each sign-in opens a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.calendar import DAY_MS
from kantis.desk import factors, freezing
from kantis.desk.audit import By, alone, record
from kantis.desk.codes import code_of, digest, new_token
from kantis.desk.staff import Staff, shown
from kantis.store import staff as rows
from kantis.store.reading import Reading
from kantis.store.staff import SessionRow, TicketRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

HOUR_MS: Final = 3_600_000
#: Staff are signed out after so long without a page, and at the latest after so long.
STAFF_IDLE_MS: Final = 8 * HOUR_MS
STAFF_LONGEST_MS: Final = 7 * DAY_MS
#: Members have their card at hand for a season.
MEMBER_IDLE_MS: Final = 90 * DAY_MS
MEMBER_LONGEST_MS: Final = 365 * DAY_MS
#: What is great takes a sign-in that is not older than this.
PROVED_MS: Final = 15 * 60_000
#: The code of a letter, by which a member shows a shop that it is them; its source stands behind.
PROVE: Final = "prove"
#: A device is a new one for so long.
NEW_MS: Final = 3 * DAY_MS
#: A link signs a member in for so long after it was made.
TICKET_MS: Final = 15 * 60_000
#: What such a link is for.
SIGN_IN: Final = "sign in"
#: One that shows that an e-mail address is one's own signs in too; a mark of the address
#: stands behind the word.
CONFIRM: Final = "confirm"
#: A link to the address that a member had before: by it they lock their account, for so long;
#: and one by which they open it again. A mark of the address stands behind both words.
LOCK: Final = "lock"
LOCK_MS: Final = 7 * DAY_MS
UNLOCK: Final = "unlock"
#: So often it is written down that a session was used.
_SEEN_EVERY_MS: Final = 5 * 60_000
_DEVICE_LETTERS_MAX: Final = 200


class Session(Struct, frozen=True):
    """Who is signed in, and since when they have shown it. ``lacks`` those who have to set up
    a second factor before anything else. ``opened`` is since when they are signed in here."""

    digest: bytes
    staff: Staff | None
    account: int
    proved: int
    stale: bool
    lacks: bool = False
    opened: int = 0

    def is_new(self, now: int) -> bool:
        """Whether they are signed in on this device for a short while only."""
        return now - self.opened < NEW_MS

    def is_fresh(self, now: int) -> bool:
        """Whether they have shown who they are just now."""
        return now - self.proved <= PROVED_MS


def begin(
    desk: Desk, device: str, *, staff: int = 0, account: int = 0, since: int = 0,
    proved: bool = True,
) -> str:  # fmt: skip
    """Open a session; the token for its cookie. ``since`` when they were signed in on this device
    before, if they were; ``proved``: they have shown who they are, as far as what is great asks."""
    token, now = new_token(), desk.clock()
    longest = STAFF_LONGEST_MS if staff else MEMBER_LONGEST_MS
    about = device[:_DEVICE_LETTERS_MAX]
    with alone(desk) as books:
        fresh = now if proved else 0
        ends, opened = now + longest, since or now
        row = SessionRow(digest(token), staff, account, opened, now, ends, fresh, about)
        rows.add_session(books, row)
    return token


def ticket(desk: Desk, account: int, by: By) -> str:
    """The token of a link by which the member of an account signs in: it opens once, and soon."""
    token, now = new_token(), desk.clock()
    with alone(desk) as books:
        row = TicketRow(digest(token), SIGN_IN, 0, account, now, now + TICKET_MS)
        rows.add_ticket(books, row)
        found = books.account(account)
        assert found is not None
        record(books, now, by, found.program, "sign in", str(account))
    return token


def proof(account: int, source: str, code: str) -> bytes:
    """What the books hold of a code: it is for one account and one shop."""
    return digest(f"{PROVE} {account} {source} {code_of(code)}")


def ticketed(books: Reading, token: str, now: int) -> tuple[str, int]:
    """What a link is for, and the account that it signs in to; 0 where it does not open."""
    found = rows.ticket(books, digest(token))
    if found is None or found.ends <= now:
        return "", 0
    does = found.purpose.partition(" ")[0]
    if does not in (CONFIRM, UNLOCK) and found.purpose != SIGN_IN:
        return "", 0
    if does != UNLOCK and freezing.is_locked(books, found.account, now):
        return "", 0
    return found.purpose, found.account


def locking(books: Reading, token: str, now: int) -> tuple[int, str]:
    """The account that a link locks, and the mark of the address that it was sent to; 0 where it
    does nothing. It is not used up: whoever has pressed once may press again."""
    found = rows.ticket(books, digest(token))
    if found is None or found.ends <= now or not found.purpose.startswith(f"{LOCK} "):
        return 0, ""
    return found.account, found.purpose.removeprefix(f"{LOCK} ")


def take(desk: Desk, token: str) -> tuple[str, int]:
    """As ``ticketed``, and the link is used up."""
    with alone(desk) as books:
        found = ticketed(books, token, desk.clock())
        if not found[1] or not rows.take_ticket(books, digest(token)):
            return "", 0
    return found


def find(books: Reading, token: str, now: int) -> Session | None:
    """The session of a cookie, while it lasts."""
    row = rows.session(books, digest(token)) if token else None
    if row is None or row.ends <= now:
        return None
    if now - row.seen > (STAFF_IDLE_MS if row.staff else MEMBER_IDLE_MS):
        return None
    stale = now - row.seen >= _SEEN_EVERY_MS
    if not row.staff:
        return Session(row.digest, None, row.account, row.proved, stale, opened=row.opened)
    person = rows.by_number(books, row.staff)
    if person is None or person.ended is not None:
        return None
    who = shown(person)
    return Session(row.digest, who, 0, row.proved, stale, factors.lacks(books, who))


def of_account(books: Reading, account: int, now: int) -> list[SessionRow]:
    """The sessions of a member, the one that was used last first."""
    found = [row for row in rows.sessions(books, account=account) if row.ends > now]
    return [row for row in found if now - row.seen <= MEMBER_IDLE_MS]


def of_staff(books: Reading, number: int, now: int) -> list[SessionRow]:
    """The sessions of somebody who works here, likewise."""
    found = [row for row in rows.sessions(books, staff=number) if row.ends > now]
    return [row for row in found if now - row.seen <= STAFF_IDLE_MS]


def see(desk: Desk, session: Session) -> None:
    """Write down that it was used."""
    with alone(desk) as books:
        rows.see(books, session.digest, desk.clock())


def prove(desk: Desk, session: Session) -> None:
    """Write down that whoever has it has shown again who they are."""
    with alone(desk) as books:
        rows.prove(books, session.digest, desk.clock())


def end(desk: Desk, session: Session) -> None:
    """Sign out."""
    with alone(desk) as books:
        rows.end_session(books, session.digest)


def end_others(desk: Desk, session: Session) -> None:
    """Sign out everywhere else."""
    number = session.staff.number if session.staff is not None else 0
    with alone(desk) as books:
        rows.end_sessions(books, staff=number, account=session.account, but=session.digest)
