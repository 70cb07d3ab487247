"""Around: what a member can have, in words and decimal numbers, for every door.

Texts come in the first language that is wanted and there. Days are the program's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from kantis.core.account import value_at
from kantis.core.amounts import Unit
from kantis.core.calendar import show_day, show_instant
from kantis.core.levels import Lasts
from kantis.core.sentences import Amount
from kantis.desk.programs import Home
from kantis.desk.showing import Say, left_of, now_of
from kantis.engine import reach
from kantis.engine.members import entitled
from kantis.engine.program import Program
from kantis.features.counters import THOUSANDTHS
from kantis.store.books import Books
from kantis.store.rows import AccountRow

#: The language of a text where none of those that are wanted is there.
DEFAULT_LANGUAGE: Final = "en"

Plain = dict[str, Any]


def text_in(texts: dict[str, str], wanted: Iterable[str]) -> str:
    """A text in the best of the languages that are wanted, or in the one that there is.

    >>> text_in({"en": "Coffee", "fi": "Kahvi"}, ["vi", "fi"]), text_in({"": "Latte"}, ["fi"])
    ('Kahvi', 'Latte')
    """
    for language in (*wanted, DEFAULT_LANGUAGE):
        if language in texts:
            return texts[language]
    return next(iter(texts.values()), "")


def last_day(until: int) -> str:
    """The last day before a first day without it.

    >>> last_day(738977), last_day(0)
    ('2024-03-31', 'never')
    """
    return show_day(until - 1 if until else 0)


def rewards(
    books: Books,
    home: Home,
    row: AccountRow,
    now: int,
    subject: str = "",
    basket: int = 0,
    wanted: Sequence[str] = (),
    say: Say = str,
) -> list[Plain]:
    """All rewards: what can be had now, and how far it is to the rest."""
    program: Program = home.program
    state = now_of(home, row, now)
    moment = max(now, state.at)
    limits = left_of(books, home, state, moment)
    found = reach.rewards_within(program, state, moment, subject, basket, limits)
    units = program.units
    return [
        {
            "reward": each.name,
            "title": text_in(each.title, wanted),
            "gives": say(each.gives),
            "comes": each.comes,
            "balance": each.balance,
            "points": units[each.balance].number(each.points) if each.balance else "",
            "worth": program.money.number(each.money),
            "can": each.can,
            "missing": units[each.balance].number(each.missing) if each.balance else "",
            "code": each.code,
            "why": say(each.why),
            "left": each.left if each.left >= 0 else None,
            "stock": each.stock if each.stock >= 0 else None,
        }
        for each in found
    ]


def offers(
    books: Books,
    home: Home,
    row: AccountRow,
    now: int,
    subject: str = "",
    wanted: Sequence[str] = (),
    say: Say = str,
) -> list[Plain]:
    """The offers that are meant for a member, and how each stands."""
    state = now_of(home, row, now)
    moment = max(now, state.at)
    limits = left_of(books, home, state, moment)
    found = reach.offers_within(home.program, state, moment, subject, limits)
    return [
        {
            "offer": each.name,
            "title": text_in(each.title, wanted),
            "says": say(each.says),
            "state": each.state,
            "since": show_day(each.since) if each.since else "",
            "until": last_day(each.until),
            "loaded": show_instant(each.loaded) if each.loaded >= 0 else "",
            "used": each.used,
            "left": each.left if each.left >= 0 else None,
        }
        for each in found
    ]


def choices(home: Home, row: AccountRow, now: int, wanted: Sequence[str] = ()) -> list[Plain]:
    """What a member may choose, and what they have chosen; without options anything can be
    named, or a number in steps."""
    state = now_of(home, row, now)
    found = home.program.plan_for(state, max(now, state.at)).choices
    return [
        {
            "choice": each.name,
            "title": text_in(each.title, wanted),
            "options": [] if each.names_anything else list(each.options),
            "step": each.amount.amount if each.amount is not None else 0,
            "chosen": value_at(state.choices[each.name], 1 << 62, "")
            if each.name in state.choices
            else "",
        }
        for each in found.values()
    ]


def vouchers(
    home: Home, row: AccountRow, now: int, wanted: Sequence[str] = (), *, closed: bool = False
) -> list[Plain]:
    """The vouchers that can be used, the first to end first; with ``closed`` the others too."""
    state = now_of(home, row, now)
    program: Program = home.program
    plan = program.plan_for(state, max(now, state.at))
    found = []
    for code, each in state.vouchers.items():
        if each.state != "open" and not closed:
            continue
        kind = plan.vouchers.get(each.kind)
        least = kind.least_basket if kind is not None else None
        found.append(
            {
                "code": code,
                "kind": each.kind,
                "title": text_in(kind.title, wanted) if kind is not None else "",
                "good_for": kind.good_for if kind is not None else "",
                "worth": program.money.number(each.worth),
                "state": each.state,
                "issued": show_day(each.issued),
                "until": last_day(each.expires),
                "least_basket": program.money.number(least.amount) if least is not None else "",
                "at": list(kind.at) if kind is not None else [],
            }
        )
    return sorted(found, key=lambda each: (each["state"] != "open", each["until"]))


def challenges(
    home: Home, row: AccountRow, now: int, wanted: Sequence[str] = (), say: Say = str
) -> list[Plain]:
    """The challenges that can still be won: what is done of each, and what it gives."""
    state, money = now_of(home, row, now), home.program.money
    return [
        {
            "challenge": each.name,
            "title": text_in(each.title, wanted),
            "counts": money.name if each.counts == "spend" else each.counts,
            "has": _progress(each.has, each.counts, money),
            "goal": _progress(each.goal, each.counts, money),
            "gives": say(each.gives),
            "until": last_day(each.until),
        }
        for each in reach.challenges_within(home.program, state, max(now, state.at))
    ]


def _progress(done: int, counts: str, money: Unit) -> str:
    """How much of a goal, as a decimal number; a measure without needless zeros."""
    if counts == "spend":
        return money.number(done)
    return Amount(THOUSANDTHS, done, short=True).number if counts == "measure" else str(done)


def coming(home: Home, row: AccountRow, now: int) -> list[Plain]:
    """Points that are pending: since when, and from which day on they can be spent, or what
    they wait for; those of one day and one cause together."""
    state, days = now_of(home, row, now), home.program.calendar
    sums: dict[tuple[str, int, int, str], int] = {}
    timed: dict[int, int] = {}
    for opens, number, amount in state.waiting:
        lot = state.lots[number]
        timed[number] = timed.get(number, 0) + amount
        key = lot.balance, days.day(opens), lot.bucket, ""
        sums[key] = sums.get(key, 0) + amount
    for number, lot in state.lots.items():
        rest = lot.pending - timed.get(number, 0)
        if rest > 0:
            key = lot.balance, 0, lot.bucket, lot.group
            sums[key] = sums.get(key, 0) + rest
    return [
        {
            "balance": balance,
            "amount": home.program.units[balance].number(amount),
            "from": show_day(opens) if opens else "",
            "earned": show_day(earned),
            # a purchase that nobody has named waits under its own key
            "group": "" if "/" in group else group,
        }
        for (balance, opens, earned, group), amount in sorted(
            sums.items(), key=lambda each: (each[0][1] or 1 << 60, each[0])
        )
        if balance in home.program.units
    ]


def entitlements(
    home: Home, row: AccountRow, now: int, subject: str = "", wanted: Sequence[str] = ()
) -> list[Plain]:
    """What a member may have now, until when, and how often still."""
    state = now_of(home, row, now)
    moment = max(now, state.at)
    sections = home.program.plan_for(state, moment).entitlements.sections
    return [
        {
            "entitlement": each.name,
            "title": text_in(sections[each.name].title, wanted),
            "good_for": each.good_for,
            "until": last_day(each.until),
            "left": each.left if each.left >= 0 else None,
        }
        for each in entitled(home.program, state, moment)
    ]


def referrals(home: Home, row: AccountRow, now: int, wanted: Sequence[str] = ()) -> Plain:
    """By whom the member came, which friends they have brought, and what the program offers."""
    state = now_of(home, row, now)
    program: Program = home.program
    found = program.plan_for(state, max(now, state.at)).referrals
    came, friends = [], []
    for fact, history in state.facts.items():
        if fact.startswith("referral "):
            name = fact.removeprefix("referral ")
            spent = state.counters.get(fact, {}).get(0, 0)
            since = history[0][0]
            then = program.plan_for(state, max(since, 0)).referrals.get(name)
            section = (then or found[name]).section if then or name in found else None
            within = section.within if section is not None else None
            ends = Lasts(length=within).until(program.calendar.day(since)) if within else 0
            came.append(
                {
                    "referral": name,
                    "by": history[0][1],
                    "done": fact in state.awards,
                    "spent": program.money.number(spent),
                    "missing": program.money.number(
                        max(0, section.spends - spent) if section is not None else 0
                    ),
                    "until": last_day(ends),
                }
            )
    for key, award in state.awards.items():
        name, _, friend = key.removeprefix("referral ").partition(" ")
        if key.startswith("referral ") and friend:
            points = program.units[award.balance].number(award.points)
            friends.append(
                {"referral": name, "friend": friend, "day": show_day(award.day), "points": points}
            )
    return {
        "came": came,
        "friends": friends,
        "referrals": [
            {
                "referral": name,
                "title": text_in(each.section.title, wanted),
                "balance": each.balance.name,
                "friend_gets": each.balance.unit.number(each.section.give.friend),
                "referrer_gets": each.balance.unit.number(each.section.give.referrer),
                "spends": program.money.number(each.section.spends),
                "stages": list(each.section.stages),
            }
            for name, each in found.items()
        ],
    }
