"""Showing: an account and its entries in words and decimal numbers, for every door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from kantis.core import calendar, places, windows
from kantis.core.account import Account, decode_account, value_at
from kantis.core.decision import Entry
from kantis.core.events import Event
from kantis.core.records import Lot
from kantis.core.sentences import Value
from kantis.desk.programs import Home
from kantis.desk.recorded import entry_of, event_of
from kantis.engine.decide import advance
from kantis.engine.explain import explain as sentences
from kantis.engine.members import entitled
from kantis.engine.plan import Plan
from kantis.engine.program import Program
from kantis.engine.reach import Step, shared_limits, tiers_within
from kantis.features.balances import end_of
from kantis.store.books import Books
from kantis.store.rows import AccountRow
from kantis.store.schema import DECIDED

#: How a door says a sentence, or a value of one; ``str`` says it in English.
Say: TypeAlias = Callable[[Value], str]

#: Among so many of the newest events of all programs those of one are looked for.
_LATEST_OF: Final = 1_000
PLACES: Final = [place.name for place in places.CHART if place.member]


class Told:
    """An entry with its event and its sentences."""

    def __init__(self, program: Program, entry: Entry, event: Event | None) -> None:
        self.entry, self.event = entry, event
        self.sentences = sentences(program, entry, event)
        moment = event.time if event is not None else entry.at
        self.when = f"{program.calendar.local(moment):%Y-%m-%d %H:%M}"
        self.what = f"{event.type} {entry.event}" if event is not None else "time passed"

    def plain(self, say: Say = str) -> dict[str, object]:
        """In plain values."""
        return {
            "seq": self.entry.seq,
            "time": self.when,
            "event": self.entry.event,
            "type": self.event.type if self.event else "",
            "version": self.entry.version,
            "sentences": [say(each) for each in self.sentences],
        }


def told(books: Books, program: Program, wanted: list[tuple[int, int]]) -> list[Told]:
    """Entries by account and seq, each with its sentences."""
    recorded = books.entries(wanted)
    events = {row.key: row for row in books.events(r.event for r, _ in recorded if r.event)}
    found = []
    for row, postings in recorded:
        said = events.get(row.event)
        event = event_of(said, row.value, row.at) if said is not None and said.body else None
        found.append(Told(program, entry_of(row, postings), event))
    return found


def latest(books: Books, home: Home, count: int) -> list[tuple[int, Told]]:
    """What was decided last, the newest first: the account, and its entry."""
    rows = books.rows(
        "SELECT account, seq FROM event WHERE n > (SELECT max(n) FROM event) - ? "
        "AND program = ? AND state = ? AND seq IS NOT NULL ORDER BY n DESC LIMIT ?",
        (_LATEST_OF, home.number, DECIDED, count),
    )
    wanted = [(account, seq) for account, seq in rows]
    found = dict(zip(sorted(wanted), told(books, home.program, wanted), strict=True))
    return [(account, found[account, seq]) for account, seq in wanted]


def standing(books: Books, home: Home, row: AccountRow, now: int) -> dict[str, Any]:
    """An account as it stands now, in words and decimal numbers."""
    return _plain(home, now_of(home, row, now), books.tokens(row.id), now)


def now_of(home: Home, row: AccountRow, now: int) -> Account:
    """The account as it stands at an instant, whatever was written since."""
    state = decode_account(row.snapshot)
    if state.joined:
        advance(home.program, state, max(now, state.at))
    return state


def left_of(books: Books, home: Home, state: Account, moment: int) -> dict[str, int]:
    """What is left for everybody of the stocks and budgets that are there for an account."""
    names = [(home.number, each) for each in shared_limits(home.program, state, moment)]
    rows = books.limits(names, lock=False) if names else []
    return {each.name: each.quantity - each.taken for each in rows}


def _lots(plan: Plan, state: Account) -> list[tuple[int, Lot]]:
    """The open lots with the first day without them (0: none is known), the soonest first."""
    found = [
        (end_of(plan.balances[lot.balance], state, lot.expires), lot)
        for lot in state.lots.values()
        if lot.open and lot.balance in plan.balances
    ]
    return sorted(found, key=lambda each: each[0] or 1 << 60)


def _plain(home: Home, state: Account, cards: list[str], now: int) -> dict[str, Any]:
    program: Program = home.program
    units, money, day = program.units, program.money, calendar.show_day
    plan = program.plan_for(state, max(state.at, 0))
    today = program.calendar.day(max(state.at, 0))
    counters = {}
    for name in plan.windows:
        counted = windows.total(plan.windows[name], state.counters.get(name), today, state.joined)
        counters[name] = program.counted[name].number(counted)
    return {
        "account": state.id,
        "program": home.name,
        "cards": cards,
        "joined": day(state.joined),
        "balances": {
            name: {
                place: units[name].number(-amount if place == "owed" else amount)
                for place, amount in zip(PLACES, purse, strict=True)
            }
            for name, purse in state.purse.items()
            if name in units
        },
        "lots": [
            {
                "balance": lot.balance,
                "amount": units[lot.balance].number(lot.open),
                "earned": day(lot.bucket),
                "until": day(end - 1 if end else 0),
                "group": lot.group,
            }
            for end, lot in _lots(plan, state)
        ],
        "waiting": _waiting(program, state),
        "tiers": _tiers(program, state, max(now, state.at)),
        "counters": counters,
        "vouchers": [
            {
                "code": code,
                "kind": each.kind,
                "worth": money.number(each.worth),
                "until": day(each.expires - 1 if each.expires else 0),
            }
            for code, each in state.vouchers.items()
            if each.state == "open"
        ],
        **_membership(program, state, now),
        "offers": [name for name, (loaded, _) in state.offers.items() if loaded >= 0],
        "choices": {name: value_at(said, 1 << 62, "") for name, said in state.choices.items()},
        "facts": {name: value_at(said, 1 << 62, "") for name, said in state.facts.items()},
        "holds": _holds(program, state),
        "members": _members(state),
        "shares": state.away[0],
    }


def _holds(program: Program, state: Account) -> list[dict[str, str]]:
    """What is set aside, for what, and until when."""
    units = program.units
    return [
        {
            "key": key,
            "reward": hold.reward,
            "balance": hold.balance,
            "points": units[hold.balance].number(sum(amount for _, amount in hold.lots)),
            "worth": program.money.number(hold.worth),
            "until": calendar.show_instant(hold.until),
        }
        for key, hold in state.holds.items()
    ]


def _members(state: Account) -> dict[str, dict[str, Any]]:
    """The members of a household, their roles, and the accounts that they came from."""
    return {
        name: {
            "role": each.role,
            "joined": calendar.show_day(each.joined),
            "burns": each.burns or each.role == "lead",
            "home": each.home,
        }
        for name, each in state.members.items()
    }


def _waiting(program: Program, state: Account) -> list[dict[str, str]]:
    """Pending points: the instant at which they open, or the group that they wait for."""
    found = []
    timed: dict[int, int] = {}
    for opens, number, amount in state.waiting:
        lot = state.lots[number]
        timed[number] = timed.get(number, 0) + amount
        found.append((lot, amount, calendar.show_instant(opens)))
    for number, lot in state.lots.items():
        if lot.pending > timed.get(number, 0):
            found.append((lot, lot.pending - timed.get(number, 0), ""))
    return [
        {
            "balance": lot.balance,
            "amount": program.units[lot.balance].number(amount),
            "opens": opens,
            "group": "" if opens else lot.group,
        }
        for lot, amount, opens in found
    ]


def _tiers(program: Program, state: Account, moment: int) -> dict[str, dict[str, Any]]:
    """The level in each group, what the next one takes, and what would keep this one."""
    return {
        each.group: {
            "level": each.level,
            "until": calendar.show_day(each.until - 1 if each.until else 0),
            "next": each.next,
            "way": _ways(program, each.way),
            "keep": _ways(program, each.keep),
        }
        for each in tiers_within(program, state, moment)
    }


def _ways(program: Program, ways: list[list[Step]]) -> list[list[dict[str, str]]]:
    """What a level takes, in decimal numbers: any one of the lists, of that all steps."""
    return [
        [
            {
                "counter": each.counter,
                "has": program.counted[each.counter].number(each.has),
                "takes": program.counted[each.counter].number(each.takes),
                "missing": program.counted[each.counter].number(each.missing),
            }
            for each in way
        ]
        for way in ways
    ]


def _membership(program: Program, state: Account, now: int) -> dict[str, Any]:
    """The plans that an account has, and what it is entitled to now."""
    day = calendar.show_day
    return {
        "plans": {
            each.plan: {
                "state": each.state,
                "per": each.period,
                "until": day(each.until - 1),
                "renews": each.renews,
            }
            for each in state.plans.values()
            if each.state != "ended"
        },
        "entitlements": {
            each.name: {
                "good for": each.good_for,
                "until": day(each.until - 1 if each.until else 0),
            }
            for each in entitled(program, state, max(now, state.at))
        },
    }
