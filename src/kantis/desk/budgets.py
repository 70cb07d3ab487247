"""Budgets: what rewards and offers may cost in a window, what is used, and where it leads.

Guarantee: used is what the tallies say, in money as on the page of costs or in times. The
alarm of a window is told once, in the transaction that notes it, to every webhook that wants
it. These budgets stop nothing: one that does stands in the program file (see ``budget_stops``),
where the decision itself takes it from a shared limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from kantis.core.amounts import divide
from kantis.core.calendar import show_day, window_end, window_start
from kantis.core.knobs import Fault, ProgramError
from kantis.desk import outbox
from kantis.desk.audit import By, alone, record
from kantis.desk.beside import beside
from kantis.desk.chores import chore
from kantis.desk.measures.catalogue import Booked
from kantis.desk.measures.had import KIND, OFFER, REWARD
from kantis.desk.notices import Notice
from kantis.desk.programs import Home
from kantis.engine.plan import Plan
from kantis.store import budgets as rows
from kantis.store.books import Books
from kantis.store.budgets import BudgetRow
from kantis.store.reading import Reading

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

MONEY: Final = "money"
TIMES: Final = "times"
EVER: Final = "ever"
#: The windows of a budget.
WINDOWS: Final = ("month", "quarter", "year", EVER)
#: At this share of a budget it is told, in percent, where nobody says another.
ALARM: Final = 80
AMOUNT_MAX: Final = 10**15
ALARM_TYPE: Final = "budget.alarm"


class Standing(Struct, frozen=True):
    """Where a budget stands in its window, from ``first`` to the day before ``end`` (0: none).

    ``forecast`` is what is used at the window's end if it goes on as it has until today: used,
    times the days of the window, divided by those until today, rounded half up. ``gone`` is the
    day on which the budget is used up at that pace (0: not in this window).
    """

    row: BudgetRow
    first: int
    end: int
    used: int
    forecast: int | None
    gone: int

    @property
    def alarming(self) -> bool:
        """Whether its alarm has been reached."""
        return self.used * 100 >= self.row.amount * self.row.alarm

    @property
    def over(self) -> bool:
        """Whether all of it is used, or more."""
        return self.used >= self.row.amount


def window(row: BudgetRow, today: int) -> tuple[int, int]:
    """The first day of a budget's window that holds a day, and the first day after it (0: it has
    no end)."""
    if row.per == EVER:
        return row.since, 0
    return window_start(row.per, today), window_end(row.per, today)


def paced(used: int, amount: int, first: int, end: int, today: int) -> tuple[int, int]:
    """(used at the end, day on which it is used up or 0), going on as until today.

    >>> paced(50, 200, 1, 31, 10)  # 5 a day, 30 days
    (150, 0)
    >>> paced(100, 200, 1, 31, 10)  # 10 a day: on the twentieth
    (300, 20)
    """
    days = today - first + 1
    forecast = divide(used * (end - first), days, "half up")
    gone = first - 1 + -(-amount * days // used) if used > 0 else 0
    return forecast, gone if gone < end else 0


def standing(books: Reading, home: Home, row: BudgetRow, now: int) -> Standing:
    """Where a budget stands."""
    plan: Plan = home.program.plan(now)
    today = home.program.calendar.day(now)
    first, end = window(row, today)
    used = used_of(plan, row, Booked(books, home.number, first, today + 1))
    if not end:
        return Standing(row, first, end, used, None, 0)
    return Standing(row, first, end, used, *paced(used, row.amount, first, end, today))


def standings(books: Reading, home: Home, now: int) -> list[Standing]:
    """Where all budgets of a program stand."""
    return [standing(books, home, row, now) for row in rows.budgets(books, home.number)]


def used_of(plan: Plan, row: BudgetRow, booked: Booked) -> int:
    """What is used of a budget, in what it counts."""
    if row.counts == TIMES:
        return booked.had(row.what, row.name)

    def meant(what: str, name: str) -> bool:
        return not row.what or (row.what, row.name) == (what, name)

    rewards = [each for each in plan.rewards.values() if meant(REWARD, each.name)]
    kinds = [each for each in plan.vouchers.values() if meant(KIND, each.name)]
    offers = [each for each in plan.offers.values() if meant(OFFER, each.name)]
    return (
        sum(booked.of_reward(each) or 0 for each in rewards)
        + sum(booked.of_voucher(each.name, each.costs_us) for each in kinds)
        + sum(booked.of_offer(plan, each.name, each.costs_us) for each in offers)
    )


# ── setting them ─────────────────────────────────────────────────────────────


def choices(plan: Plan) -> list[tuple[str, str]]:
    """(what, name) of everything that can have a budget; the whole program first."""
    found = [("", "")]
    found += [(REWARD, each.name) for each in plan.rewards.values() if not each.gives.voucher]
    found += [(KIND, name) for name in plan.vouchers]
    return found + [(OFFER, name) for name in plan.offers]


def check(plan: Plan, row: BudgetRow) -> list[str]:
    """The codes of what is wrong with a budget."""
    faults = []
    if (row.what, row.name) not in choices(plan):
        faults.append("unknown-item")
    if row.counts not in (MONEY, TIMES) or (row.counts == TIMES and not row.what):
        faults.append("counts-expected")
    if row.per not in WINDOWS:
        faults.append("window-expected")
    if not 0 < row.amount <= AMOUNT_MAX:
        faults.append("amount-expected")
    if not 0 < row.alarm <= 100:
        faults.append("share-expected")
    return faults


def make(desk: Desk, row: BudgetRow, by: By) -> int:
    """A new budget; its number. ``ProgramError`` with what is wrong with it."""
    with alone(desk) as books:
        desk.homes.refresh(books)
        home = desk.homes.numbered(row.program)
        faults = check(home.program.plan(desk.clock()), row)
        if faults:
            raise ProgramError([Fault(each, "This is no budget.") for each in faults])
        number = rows.add(books, row._replace(since=home.program.calendar.day(desk.clock())))
        said = {"of": row.name, "counts": row.counts, "amount": row.amount, "per": row.per}
        record(books, desk.clock(), by, row.program, "budget", str(number), **said)
    return number


def end(desk: Desk, program: int, number: int, by: By) -> bool:
    """A budget counts no longer; ``False`` where there is none."""
    with alone(desk) as books:
        ended = rows.end(books, program, number, desk.clock())
        if ended:
            record(books, desk.clock(), by, program, "budget", str(number), ended=True)
    return ended


# ── alarms ───────────────────────────────────────────────────────────────────


def tell(desk: Desk | RemoteDesk) -> int:
    """Tell of the budgets whose alarm is reached, each window once; how many there were."""
    with desk.books.reader() as books:
        if not rows.budgets(books):
            return 0
    told = 0
    with beside(desk) as reader:
        now = reader.clock()
        for row in rows.budgets(reader.books):
            home = reader.homes.numbered(row.program)
            first, _ = window(row, home.program.calendar.day(now))
            if row.alarmed >= first:
                continue
            each = standing(reader.books, home, row, now)
            if each.alarming:
                about = row.number, row.program, first, _said(home, each)
                told += desk.chore("alarm_budget", *about)
    return told


def _said(home: Home, each: Standing) -> dict[str, Any]:
    """What a message tells of a budget."""
    row = each.row
    unit = home.program.money if row.counts == MONEY else None
    used, amount = (unit.number(n) if unit else str(n) for n in (each.used, row.amount))
    return {
        "budget": row.number, "of": f"{row.what} {row.name}".strip(), "counts": row.counts,
        "since": show_day(each.first), "used": used, "amount": amount, "alarm": row.alarm,
    }  # fmt: skip


@chore
def alarm_budget(
    books: Books, now: int, number: int, program: int, first: int, said: dict[str, Any]
) -> bool:
    """Note the alarm of a window and stage its messages; ``False`` when it was noted before."""
    if not rows.alarm(books, number, first):
        return False
    notice, message = Notice(ALARM_TYPE, said), f"budget-{number}-{first}"
    outbox.announce(books, program, message, notice, {}, now)
    return True
