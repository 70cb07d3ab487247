"""Household: who shares an account as its members see it, how others are invited, and what
somebody who leaves would take.

Guarantee: what is shown before somebody leaves is what leaving decides: the event itself is
decided, and rolled back. An invitation lets one account in, within seven days, and the books
hold its SHA-256 only; nobody tries more than twenty codes within a quarter of an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from kantis.core.account import Account
from kantis.core.calendar import DAY_MS
from kantis.core.decision import Refusal
from kantis.core.events import Event, Join, Leave, Permit
from kantis.core.places import AVAILABLE, HELD, PENDING, TRANSIT
from kantis.desk.audit import alone
from kantis.desk.codes import code_of, digest, grouped, new_code
from kantis.desk.programs import Home
from kantis.desk.showing import now_of
from kantis.store import staff as rows
from kantis.store.reading import Reading
from kantis.store.rows import AccountRow
from kantis.store.staff import TicketRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk

#: What the ticket of an invitation is for.
INVITATION: Final = "household"
INVITED_MS: Final = 7 * DAY_MS
TRIES_MAX: Final = 20
LEAD: Final = "lead"
_CODE_LETTERS: Final = 12
_PREFIX: Final = "account:"


class One(Struct, frozen=True):
    """A member of a household: the ``name`` in the books, and the ``account`` that is their own
    (0: they came without one). ``founder``: the household stands on their account."""

    name: str
    role: str
    burns: bool
    account: int
    founder: bool


class Part(Struct, frozen=True):
    """Of a balance, in minor units: what the household has, and what would go along."""

    balance: str
    there: int
    goes: int


class Leaving(Struct, frozen=True):
    """What leaving would do now; ``refusal`` where it cannot be."""

    parts: tuple[Part, ...] = ()
    refusal: Refusal | None = None


# ── who is in it ─────────────────────────────────────────────────────────────


def seen_from(books: Reading, home: Home, row: AccountRow, now: int) -> AccountRow:
    """The account whose points the member of an account sees: the household's, if they share
    one, or else their own."""
    into, name = now_of(home, row, now).away
    found = books.account(_number(into)) if name else None
    return found if found is not None and found.program == row.program else row


def name_in(home: Home, row: AccountRow, now: int) -> str:
    """How the member of an account is called in the household that they share; empty where they
    share none."""
    return now_of(home, row, now).away[1]


def members(state: Account, cards: list[str]) -> list[One]:
    """The members of a household, the lead first; ``cards`` are those of its own account."""
    alone_here = [name for name, each in state.members.items() if not each.home]
    founder = next((name for name in alone_here if name in cards), "")
    founder = founder or next((x for x in alone_here if state.members[x].role == LEAD), "")
    found = [
        One(
            name, each.role, each.burns or each.role == LEAD,
            state.id if name == founder else _number(each.home), name == founder,
        )
        for name, each in state.members.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.role != LEAD)


def name_of(row: AccountRow, cards: list[str]) -> str:
    """How the member of an account is called in the books of a household: by the first card, so
    that what comes with it is theirs."""
    return cards[0] if cards else f"account-{row.id}"


def _number(reference: str) -> int:
    number = reference.removeprefix(_PREFIX)
    return int(number) if reference.startswith(_PREFIX) and number.isdecimal() else 0


# ── inviting ─────────────────────────────────────────────────────────────────


def invite(desk: Desk, account: int) -> str:
    """A code that lets one member into the household of an account; it is shown once."""
    code, now = new_code(_CODE_LETTERS), desk.clock()
    with alone(desk) as books:
        row = TicketRow(_hashed(code), INVITATION, 0, account, now, now + INVITED_MS)
        rows.add_ticket(books, row)
    return grouped(code)


def invited(books: Reading, typed: str, now: int) -> int:
    """The account that a code lets into; 0 where it lets nobody in (any more)."""
    found = rows.ticket(books, _hashed(code_of(typed)))
    if found is None or found.purpose != INVITATION or found.ends <= now:
        return 0
    return found.account


def take(desk: Desk, typed: str) -> int:
    """As ``invited``, and the code is used up."""
    with alone(desk) as books:
        found = invited(books, typed, desk.clock())
        return found if found and rows.take_ticket(books, _hashed(code_of(typed))) else 0


def may_try(desk: Desk, account: int) -> bool:
    """Count that a member tries a code; ``False`` when it was too often of late."""
    return bool(desk.chore("may_try", digest(f"household tried by {account}"), TRIES_MAX))


def _hashed(code: str) -> bytes:
    return digest(f"household {code}")


# ── the events ───────────────────────────────────────────────────────────────


def founding(source: str, row: AccountRow, cards: list[str]) -> Event:
    """The account becomes a household, and whoever has it leads it."""
    id = f"household-{row.id}-{row.seq}"
    return _asked(source, id, row.id, Join(name_of(row, cards)))


def joining(source: str, row: AccountRow, cards: list[str], into: int) -> Event:
    """The member of an account joins the household on another one."""
    id = f"joins-{row.id}-{row.seq}"
    return _asked(source, id, row.id, Join(name_of(row, cards), f"{_PREFIX}{into}"))


def leaving(source: str, row: AccountRow, name: str, by: str) -> Event:
    """A member leaves the household of an account, because ``by`` says so."""
    return _asked(source, f"leaves-{row.id}-{row.seq}", row.id, Leave(name, "", by))


def permitting(source: str, row: AccountRow, name: str, by: str, *, burns: bool) -> Event:
    """The lead says whether a member may spend."""
    return _asked(source, f"permits-{row.id}-{row.seq}", row.id, Permit(name, burns, by))


def _asked(source: str, id: str, account: int, body: Join | Leave | Permit) -> Event:
    return Event(source, id, 0, f"{_PREFIX}{account}", body, 0, ask=True)


def foresee(reader: Desk, home: Home, row: AccountRow, event: Event) -> Leaving:
    """What an event by which somebody leaves would move, balance by balance."""
    (result,) = reader.quote([event], program=home.name)
    if result.refusal is not None or result.entry is None:
        return Leaving(refusal=result.refusal)
    goes: dict[str, int] = {}
    for balance, _, target, amount, _, _ in result.entry.decision.postings:
        if target == TRANSIT:
            goes[balance] = goes.get(balance, 0) + amount
    purses = now_of(home, row, reader.clock()).purse
    there = {name: x[AVAILABLE] + x[PENDING] + x[HELD] for name, x in purses.items()}
    parts = [Part(name, there[name], goes.get(name, 0)) for name in there]
    return Leaving(tuple(each for each in parts if each.there or each.goes))
