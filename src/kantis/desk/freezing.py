"""Freezing: what keeps points from being spent while somebody may be stealing them.

Guarantee: from the commit that freezes on, no batch of any process decides an event that
spends, through whatever door it comes. Who asks is refused, and the id is not used up; what has
happened is recorded, and is decided when spending is free again. Collecting, returns and what
time does go on. A freeze and its line in the audit log are committed together.

An owner freezes a whole program with a ``switch``. A member's account is frozen by the ``lock``
that they press in a letter, until they or staff end it; and for three days after another
``address`` (e-mail or phone) counts. In these days points are still spent at the counter: there
somebody stands with a card, goods go over it one by one, and members who have only changed their
provider keep what they came for. What leaves without anybody being there does not go: no
transfer, no exchange, no household, and nothing that a shop on the net asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.core.account import decode_account
from kantis.core.calendar import DAY_MS
from kantis.core.decision import DESK
from kantis.core.events import (
    Capture,
    Event,
    Exchange,
    Join,
    Leave,
    Merge,
    Purchase,
    Redeem,
    Transfer,
    Use,
)
from kantis.desk.audit import By, record
from kantis.desk.chores import chore, chore_alone
from kantis.store import freezing as rows
from kantis.store import passkeys, people
from kantis.store import staff as sessions
from kantis.store.books import Books
from kantis.store.freezing import FreezingRow
from kantis.store.reading import Reading
from kantis.store.rows import AccountRow
from kantis.store.schema import READY

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

SWITCH: Final = "switch"
LOCK: Final = "lock"
ADDRESS: Final = "address"
#: Why nothing is spent, the weightiest first; each with the code of its refusal.
CODES: Final = {SWITCH: "spending-frozen", LOCK: "account-locked", ADDRESS: "address-changed"}
#: So long after another address counts, points leave at the counter only.
ADDRESS_MS: Final = 3 * DAY_MS
#: Until somebody ends it.
OPEN_ENDED: Final = 1 << 53
#: Keys of those at whose counter a member stands.
_COUNTER: Final = ("till", "staff")
_ACCOUNT: Final = "account:"
_OVER_THE_COUNTER: Final = (Purchase, Redeem, Capture, Use)

#: A program and an account of it; the account 0 is the whole program.
Whose = tuple[int, int]


def spends(event: Event) -> bool:
    """Whether an event takes points or vouchers out of a member's hands.

    >>> spends(Event("till", "1", 0, "card:1", Redeem("coffee")))
    True
    >>> spends(Event("till", "1", 0, "card:1", Purchase(())))
    False
    """
    body = event.body
    if isinstance(body, Purchase):
        return bool(body.points) or bool(body.vouchers)
    if isinstance(body, Exchange):
        return not body.back
    if isinstance(body, Join):
        return bool(body.into)
    if isinstance(body, Capture):
        return event.ask  # what was set aside before, and is told to be paid, is finished
    return isinstance(body, Redeem | Use | Transfer | Leave | Merge)


class Freezes:
    """What is frozen, as the batches of a process know it; read anew with what came since."""

    def __init__(self) -> None:
        self.held: dict[Whose, dict[str, int]] = {}
        self._last = 0

    def refresh(self, books: Reading) -> None:
        """Read what is not known yet."""
        for row in rows.changes(books, self._last):
            whose = row.program, row.account
            if row.until:
                self.held.setdefault(whose, {})[row.reason] = row.until
            else:
                self.held.get(whose, {}).pop(row.reason, None)
                if not self.held.get(whose):
                    self.held.pop(whose, None)
            self._last = row.number

    def reason(self, program: int, account: int, now: int) -> str:
        """Why nothing is spent from an account now; empty where it is."""
        return self.own_reason(program, 0, now) or self.own_reason(program, account, now)

    def own_reason(self, program: int, account: int, now: int) -> str:
        """What freezes an account now, beside what freezes the program; empty for nothing."""
        found = self.held.get((program, account), {})
        return next((each for each in CODES if found.get(each, 0) > now), "")

    def stops(self, row: AccountRow, now: int) -> bool:
        """Whether an account spends nothing now, at no door."""
        return self.reason(row.program, row.id, now) in (SWITCH, LOCK)

    def forbids(self, books: Reading, program: int, account: int, event: Event, now: int) -> str:
        """The code of why an event is not decided now; empty where it is."""
        why = self.reason(program, account, now) if spends(event) else ""
        if isinstance(event.body, Join) and event.body.into and not why:
            # whoever joins spends what is there, so nobody joins what is frozen
            why = self.reason(program, _joined(books, program, event.body.into), now)
        if why == ADDRESS:
            # what follows from another event was looked at with that one
            if event.source == DESK:
                return ""
            counter = isinstance(event.body, _OVER_THE_COUNTER)
            if counter and rows.at_counter(books, program, event.source, _COUNTER):
                return ""
        return CODES.get(why, "")


# ── what holds, from the books ───────────────────────────────────────────────


def standing(books: Reading, program: int, account: int, now: int) -> dict[str, FreezingRow]:
    """What is frozen of an account now (0: of the program), by reason."""
    found: dict[str, FreezingRow] = {}
    for row in rows.of_account(books, program, account):
        found.setdefault(row.reason, row)
    return {reason: row for reason, row in found.items() if row.until > now}


def is_locked(books: Reading, account: int, now: int) -> bool:
    """Whether the member of an account, or staff for them, has locked it."""
    row = books.account(account)
    return row is not None and LOCK in standing(books, row.program, account, now)


def waiting(books: Reading, program: int) -> int:
    """How many events of a program wait until spending is free again."""
    own = f"{rows.WAITS}{program}:"
    return sum(count for waits, count in rows.parked(books) if waits.startswith(own))


def waits_for(program: int, account: int) -> str:
    """What an event is parked under.

    >>> waits_for(1, 42)
    'frozen:1:42'
    """
    return f"{rows.WAITS}{program}:{account}"


def accounts_of(books: Reading, account: int) -> list[int]:
    """An account, what it became a part of, and that of the household whose points its member
    spends: all the way to where the points are."""
    found = [account]
    while (row := books.account(found[-1])) is not None:
        into = decode_account(row.snapshot).away[0]
        if not into or int(into.removeprefix(_ACCOUNT)) in found:
            break
        found.append(int(into.removeprefix(_ACCOUNT)))
    return found


def _joined(books: Reading, program: int, into: str) -> int:
    """The account that somebody joins by a card or a number of it; 0 where there is none."""
    kind, _, said = into.partition(":")
    if kind == "card":
        number = books.cards([(program, said)]).get((program, said), 0)
    else:
        number = int(said) if said.isdecimal() else 0
    return people.living(books, number)


# ── freezing and ending it ───────────────────────────────────────────────────


def switch(desk: Desk | RemoteDesk, program: int, by: By, *, on: bool) -> bool:
    """Freeze a program, or let its points be spent again; ``False`` where it was so before."""
    until = OPEN_ENDED if on else 0
    return bool(desk.chore("set_freezing", program, 0, SWITCH, until, [by.who, by.name]))


def freeze_account(desk: Desk | RemoteDesk, account: int, reason: str, by: By) -> bool:
    """Freeze the account of a member, and that of the household whose points they spend; a
    ``lock`` ends their sessions and their passkeys too. ``False`` where it was frozen so before."""
    return bool(desk.chore("begin_freezing", account, reason, [by.who, by.name]))


def free_account(desk: Desk | RemoteDesk, account: int, by: By) -> bool:
    """End whatever freezes the account of a member, and that of their household; ``False`` where
    nothing did."""
    return bool(desk.chore("end_freezing", account, [by.who, by.name]))


@chore_alone
def set_freezing(
    books: Books, now: int, program: int, account: int, reason: str, until: int, by: list[str]
) -> bool:
    """Write down that something is frozen until an instant, or with 0 that it is over, and by
    whom; ``False`` where that changes nothing."""
    held = standing(books, program, account, now).get(reason)
    before = held.until if held is not None else 0
    if until == before or 0 < until < before:
        return False
    who = By(*by)
    rows.add(books, FreezingRow(0, program, account, reason, until, now, who.who))
    about = str(account) if account else next(
        name for name, number in books.programs().items() if number == program
    )  # fmt: skip
    record(books, now, who, program, "freeze" if until else "unfreeze", about, reason=reason)
    if not until:
        thaw(books, now)
    return True


@chore_alone
def begin_freezing(books: Books, now: int, account: int, reason: str, by: list[str]) -> bool:
    """Freeze an account and those its points are on, for a reason; ``False`` where it was
    before."""
    row = books.account(account)
    assert row is not None
    until = OPEN_ENDED if reason == LOCK else now + ADDRESS_MS
    done = [
        set_freezing(books, now, row.program, each, reason, until, by)
        for each in accounts_of(books, account)
    ]
    for each in {account, people.living(books, account)} if reason == LOCK else ():
        sessions.end_sessions(books, account=each)
        passkeys.end_all(books, each)
    return any(done)


@chore_alone
def end_freezing(books: Books, now: int, account: int, by: list[str]) -> bool:
    """End whatever freezes an account and its household's; ``False`` where nothing did."""
    row = books.account(account)
    assert row is not None
    done = [
        set_freezing(books, now, row.program, each, reason, 0, by)
        for each in accounts_of(books, account)
        for reason in standing(books, row.program, each, now)
    ]
    return any(done)


@chore
def thaw(books: Books, now: int) -> int:
    """Let what waits for nothing any more be decided by the next batch; how many there were."""
    done = 0
    for waits, _ in rows.parked(books):
        program, account = map(int, waits.removeprefix(rows.WAITS).split(":"))
        if standing(books, program, 0, now) or standing(books, program, account, now):
            continue
        done += rows.wake(books, waits, READY, "spending is free again")
    return done
