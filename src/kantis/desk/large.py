"""Large: what a member may spend over the net on a sign-in that is not fresh.

Guarantee: a spending of more than the limit is decided only if its member has just shown who
they are; how much it would be is asked of the books, as a quote. On the pages of Kantis there is
a limit from the first day on; for shops on the net it holds once an owner has set it, because
they have to ask their customers for a code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kantis.core.decision import Entry
from kantis.core.places import AVAILABLE
from kantis.desk import settings
from kantis.desk.chores import chore
from kantis.desk.codes import digest
from kantis.desk.measures.worth import worth_of
from kantis.desk.sessions import PROVE, PROVED_MS
from kantis.desk.tries import may_try
from kantis.store import freezing as rows
from kantis.store import staff as tickets
from kantis.store.books import Books
from kantis.store.reading import Reading

if TYPE_CHECKING:
    from kantis.desk.programs import Home

#: From how much on, where no owner has said anything: 20.00 of a currency with hundredths.
USUAL: Final = 2_000
TRIES_MAX: Final = 5


def limit(books: Reading, home: Home) -> int:
    """From how much on, in the smallest coin; ``USUAL`` where an owner has said nothing."""
    said = settings.get(books, home.number, settings.PROVE_FROM)
    return USUAL if said is None else said


def worth(home: Home, entry: Entry, now: int) -> int:
    """How much a decision takes out of a member's hands, in the smallest coin, rounded down.

    Points that the program turns into no money count as a whole of its money each.
    """
    sums: dict[str, int] = {}
    for balance, source, _, amount, _, _ in entry.decision.postings:
        if source == AVAILABLE:
            sums[balance] = sums.get(balance, 0) + amount
    plan, total = home.program.plan(now), 0
    for balance, amount in sums.items():
        whole = 10**home.program.money.scale
        scale = 10 ** home.program.units[balance].scale
        total += worth_of(plan, balance, amount) or amount * whole // scale
    return total


# ── a proof that a shop asks for ─────────────────────────────────────────────


@chore
def show_code(books: Books, now: int, hashed: bytes, account: int, source: str) -> str:
    """Take a code that a member has typed; why it is not right, or nothing. It is good once, and
    then the member has shown to this source who they are, for a quarter of an hour."""
    if not may_try(books, now, digest(f"{PROVE} {account} {source}"), TRIES_MAX):
        return "too-many-tries"
    found = tickets.ticket(books, hashed)
    if found is None or found.ends <= now or found.account != account:
        return "wrong-code"
    tickets.take_ticket(books, hashed)
    rows.prove(books, account, source, now + PROVED_MS)
    return ""


def is_proved(books: Reading, account: int, source: str, now: int) -> bool:
    """Whether a member has just shown to a source who they are."""
    return rows.proved(books, account, source) > now
