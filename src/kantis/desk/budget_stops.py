"""Budget stops: where the budgets in a program file stand, and who is told of them.

Guarantee: used is what the decisions took, from the row that they took it from. Each alarm and
each stop is told once for an amount, in the transaction that notes it, to every webhook that
wants it. What stops is the decision itself (see ``engine/budgets.py``); this only tells of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from kantis.core.amounts import Unit
from kantis.core.budgets import MONEY, PREFIX, TIMES, Budget
from kantis.core.calendar import show_day
from kantis.desk import outbox
from kantis.desk.beside import beside
from kantis.desk.budgets import ALARM, ALARM_TYPE, paced
from kantis.desk.chores import chore
from kantis.desk.measures import counting
from kantis.desk.notices import Notice
from kantis.desk.programs import Home
from kantis.engine.program import Program
from kantis.store import budgets as rows
from kantis.store.books import Books
from kantis.store.budgets import ToldRow
from kantis.store.reading import Reading

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

STOPPED_TYPE: Final = "budget.stopped"
#: No forecast goes further than that, in days.
_AHEAD_MAX: Final = 3_660


class Stop(Struct, frozen=True):
    """Where the budget of a rule stands: what is ``used`` of its ``amount``, in what it counts.

    ``first`` is the day on which it was first used (0: not yet), ``gone`` the one on which it is
    used up if it goes on like that (0: not in sight, or not before its last date ``last``).
    ``missed`` went without, ever; ``stopped`` is the instant at which it was told that this
    amount is at its end (0: it is not).
    """

    budget: Budget
    what: str
    title: dict[str, str]
    used: int
    amount: int
    first: int
    gone: int
    last: int
    missed: int
    stopped: int

    @property
    def left(self) -> int:
        """What is left."""
        return self.amount - self.used

    @property
    def alarming(self) -> bool:
        """Whether so much is used that it alarms."""
        return self.used * 100 >= self.amount * ALARM

    @property
    def over(self) -> bool:
        """Whether nothing can be had of it any more."""
        return self.left < self.budget.least


def stops(books: Reading, home: Home, now: int) -> list[Stop]:
    """The budgets of a program's newest version, in the order of the file."""
    program: Program = home.program
    if not program.budgeted:
        return []
    stand = {each.name: each for each in books.all_limits() if each.program == home.number}
    told, today = rows.told(books, home.number), program.calendar.day(now)
    found = []
    for limit, amount in program.limits().items():
        if not limit.startswith(PREFIX) or limit not in stand:
            continue
        plan = next(x for x in reversed(program.plans) if limit[len(PREFIX) :] in x.budgets)
        budget, used = plan.budgets[limit[len(PREFIX) :]], stand[limit].taken
        first, missed = _counted(books, home.number, budget)
        gone = paced(used, amount, first, today + _AHEAD_MAX, today)[1] if first else 0
        last = budget.spans[-1].last if budget.spans else 0
        what, section = _section(plan, budget.name)
        this = budget.name, amount, STOPPED_TYPE
        mine = [x.at for x in told if (x.name, x.amount, x.told) == this]
        found.append(
            Stop(
                budget, what, section.title, used, amount, first,
                0 if last and gone > last else gone, last, missed, max(mine, default=0),
            )
        )  # fmt: skip
    return found


def _section(plan: Any, name: str) -> tuple[str, Any]:
    """What has a budget: an offer, a price or a rule; and what the file says of it."""
    if name in plan.offers:
        return "offer", plan.offers[name]
    if name in plan.earning.families:
        return "rule", plan.earning.families[name][0].rule
    return "price", next(each.rule for each in plan.prices.rules if each.name == name)


def _counted(books: Reading, program: int, budget: Budget) -> tuple[int, int]:
    """The first day on which a rule did something, and how many have gone without it."""
    days = [
        books.one(
            "SELECT min(day) FROM tally WHERE program = ? AND what IN (?, ?) AND name = ?",
            (program, counting.GAVE, counting.LESS, name),
        )
        for name in {budget.name, *budget.names}
    ]
    missed = books.one(
        "SELECT coalesce(sum(count), 0) FROM tally WHERE program = ? AND what = ? AND name = ?",
        (program, counting.MISSED, budget.name),
    )
    return min((int(day) for day in days if day), default=0), int(missed)


# ── telling ──────────────────────────────────────────────────────────────────


def tell(desk: Desk | RemoteDesk) -> int:
    """Tell of the budgets that have come to their alarm, or have stopped; how many there were."""
    with desk.books.reader() as books:
        wanted = {each.program for each in books.all_limits() if each.name.startswith(PREFIX)}
    if not wanted:
        return 0
    told = 0
    with beside(desk) as reader:
        for program in sorted(wanted):
            home = reader.homes.numbered(program)
            for each in stops(reader.books, home, reader.clock()):
                told += sum(desk.chore("tell_budget", *about) for about in _due(reader, home, each))
    return told


def _due(reader: Desk, home: Home, each: Stop) -> list[tuple[Any, ...]]:
    """What is to be told of a budget now: (program, budget, amount, type, missed, words).

    It has stopped when nothing can be had any more, or when more have gone without than had
    when it was told last.
    """
    known = [x for x in rows.told(reader.books, home.number) if x.name == each.budget.name]
    before = max((x.missed for x in known), default=0)
    types = []
    if each.alarming:
        types.append(ALARM_TYPE)
    if each.over or each.missed > before:
        types.append(STOPPED_TYPE)
    there = {(x.amount, x.told) for x in known}
    about = home.number, each.budget.name, each.amount
    return [
        (*about, type, each.missed, _said(home.program, each, type))
        for type in types
        if (each.amount, type) not in there
    ]


def unit_of(program: Program, budget: Budget) -> Unit | None:
    """The unit of what a budget counts; none of times."""
    if budget.counts == TIMES:
        return None
    return program.money if budget.counts == MONEY else program.units[budget.unit]


def _said(program: Program, each: Stop, type: str) -> dict[str, Any]:
    """What a message tells of a budget."""
    unit = unit_of(program, each.budget)
    used, amount = (unit.number(n) if unit else str(n) for n in (each.used, each.amount))
    said: dict[str, Any] = {
        "of": f"{each.what} {each.budget.name}", "counts": each.budget.counts,
        "since": show_day(each.first) if each.first else "", "used": used, "amount": amount,
    }  # fmt: skip
    return said | ({"alarm": ALARM} if type == ALARM_TYPE else {"missed": each.missed})


@chore
def tell_budget(
    books: Books, now: int, program: int, name: str, amount: int, type: str,
    missed: int, said: dict[str, Any],
) -> bool:  # fmt: skip
    """Note that a budget has come to its alarm, or has stopped, and stage the messages; ``False``
    when it was noted before."""
    if not rows.tell(books, ToldRow(program, name, amount, type, now, missed)):
        return False
    outbox.announce(books, program, f"{type}-{name}-{amount}", Notice(type, said), {}, now)
    return True
