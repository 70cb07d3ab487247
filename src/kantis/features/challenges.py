"""challenges: a goal, a streak, a badge: something to do in a time, for a reward.

Guarantee: the progress of a challenge is what its events counted in its window, less what
came back of them; a challenge is won once (or once in each window, or for each streak, if it
repeats); what it gave is taken back when too little is left, unless it is used already.

A goal is so much of something: ``5 items``, ``3 purchases``, ``100.00 EUR``, ``10 times``. A
streak asks for the goal in each of several windows in a row.

>>> reader = Reader(money("EUR"))
>>> GOAL.read(node("3 purchases"), reader)
Goal(counts='purchases', amount=3)
>>> GOAL.read(node("100.00 EUR"), reader)
Goal(counts='spend', amount=10000)
>>> STREAK.read(node("4 weeks in a row"), reader)
Streak(count=4, window='week')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated

from msgspec import Struct

from kantis.core import calendar, windows
from kantis.core.account import Account
from kantis.core.amounts import money
from kantis.core.basket import ALL, Classifier, Sums
from kantis.core.code import Code
from kantis.core.conditions import EXCEPT, IF, WHEN, WHERE, WHO, Filter, If, When, Who, write_gates
from kantis.core.earner import open_block
from kantis.core.knobs import Kind, Knob, Node, Reader, Wrong, node
from kantis.core.limits import AVAILABLE_WHEN, Available
from kantis.core.lots import Balance, claw_back, issue
from kantis.core.phrases import (
    QUANTITY,
    TEXT,
    TITLE,
    WINDOW,
    YES,
    Quantity,
    Window,
    quantity,
    text_of,
)
from kantis.core.places import REVERSED
from kantis.core.records import Award
from kantis.core.turn import Turn

__all__ = ["GOAL", "STREAK", "ChallengeSection", "money", "node"]

REASON = "challenges"


class Goal(Struct, frozen=True):
    """So much of something: spend, items, purchases, a measure, or times of an activity."""

    counts: str
    amount: int


def _goal(node: Node, reader: Reader) -> Goal:
    text = text_of(node)
    if match := re.fullmatch(r"([1-9][0-9]*) purchases?", text):
        return Goal("purchases", int(match[1]))
    found = quantity(text, node, reader)
    if reader.money is not None and found.unit == reader.money.name:
        return Goal("spend", found.amount)
    if found.unit in ("items", "times"):
        return Goal(found.unit, found.amount)
    if found.unit in reader.measures:
        return Goal("measure", found.amount)
    message = f"{text!r} is no goal. Write 5 items, 3 purchases, 100.00 EUR or 10 times."
    raise Wrong("goal-expected", message, node)


GOAL = Kind(
    "goal", _goal, "5 items | 3 purchases | 100.00 EUR | 10 times", ("3 purchases", "5 items")
)


class Streak(Struct, frozen=True):
    """So many calendar windows in a row."""

    count: int
    window: str


def _streak(node: Node, reader: Reader) -> Streak:
    match = re.fullmatch(r"([0-9]+) (day|week|month|quarter|year)s in a row", text_of(node))
    if not match or int(match[1]) < 2:
        raise Wrong("streak-expected", "Write for example: 4 weeks in a row.", node)
    return Streak(int(match[1]), match[2])


STREAK = Kind("streak", _streak, "number weeks in a row", ("4 weeks in a row",))


class ChallengeSection(Struct, frozen=True, kw_only=True):
    """A challenge: what there is to do, in which time, and what it gives."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    for_: Annotated[str, Knob(TEXT, "the event or activity that counts")] = "purchase"
    where: Annotated[Filter | None, Knob(WHERE, "the lines that count")] = None
    except_: Annotated[Filter | None, Knob(EXCEPT, "the lines that do not count")] = None
    who: Annotated[Who | None, Knob(WHO, "the members that are meant")] = None
    when: Annotated[When | None, Knob(WHEN, "the times that are meant")] = None
    if_: Annotated[If | None, Knob(IF, "what the purchase must be like")] = None
    goal: Annotated[Goal, Knob(GOAL, "how much of it there is to do")]
    window: Annotated[Window, Knob(WINDOW, "the window in which the goal is reached")] = Window(
        "ever"
    )
    streak: Annotated[
        Streak | None, Knob(STREAK, "the goal is to be reached in each of so many windows")
    ] = None
    repeats: Annotated[
        bool, Knob(YES, "whether it can be won again: in the next window, by the next streak")
    ] = False
    give: Annotated[Quantity | None, Knob(QUANTITY, "the points that it gives")] = None
    voucher: Annotated[str, Knob(TEXT, "the kind of voucher that it gives")] = ""
    badge: Annotated[str, Knob(TEXT, "the badge that it gives, in words")] = ""
    available: Annotated[Available, Knob(AVAILABLE_WHEN, "when the points can be spent")] = (
        Available()
    )

    @property
    def counted_in(self) -> Window:
        """What progress is counted in."""
        return Window(self.streak.window) if self.streak is not None else self.window


class Challenge(Struct):
    """A challenge, ready for use."""

    name: str
    section: ChallengeSection
    balance: Balance | None
    bit: int


#: Issues a voucher: (turn, kind) -> its code.
Bring = Callable[[Turn, str], str]


def compile_challenges(
    sections: Iterable[ChallengeSection], balances: Mapping[str, Balance], classifier: Classifier
) -> dict[str, Challenge]:
    """The challenges, ready for use."""
    found = {}
    for each in sections:
        bit = classifier.bit(each.where, each.except_)
        balance = balances.get(each.give.unit) if each.give is not None else None
        found[each.name] = Challenge(each.name, each, balance, bit)
    return found


def counter(name: str) -> str:
    """The counter of a challenge's progress."""
    return f"challenge {name}"


def write(
    code: Code, challenges: Mapping[str, Challenge], event: str, sums: Sums, bring: Bring
) -> None:
    """Write what an event counts for the challenges that it is for, and what is won by it."""
    for challenge in challenges.values():
        section, bit = challenge.section, challenge.bit
        if section.for_ != event:
            continue
        counts = section.goal.counts
        if counts == "times":
            amount = least = sums.quantity
        elif counts == "purchases":
            amount, least = "1", "1" if bit == ALL else sums.name("lines", bit)
        else:
            amount = least = sums.name(_SUMS[counts], bit)
        conditions = [(f"{least} > 0", '"no line that counts"')]
        conditions += write_gates(code, section.who, section.when, section.if_, sums.of(bit))
        with code.block(open_block(code, challenge.name, conditions)):
            count, it = code.constant(_count, "count"), code.constant(challenge, "challenge")
            code.add(f"{count}({it}, turn, {amount}, {code.constant(bring, 'bring')})")


_SUMS = {"spend": "amounts", "items": "items", "measure": "measures"}


def _count(challenge: Challenge, turn: Turn, amount: int, bring: Bring) -> None:
    window = challenge.section.counted_in
    bucket = windows.bucket(window, turn.day, turn.account.joined)
    turn.change("count", counter(challenge.name), bucket, amount)
    for key, day in _won(challenge, turn.account, turn.day):
        _give(challenge, turn, key, day, bring)


def _awards(challenge: Challenge, account: Account) -> dict[str, Award]:
    mine = counter(challenge.name)
    return {
        key: award
        for key, award in account.awards.items()
        if key == mine or key.startswith(f"{mine} at ")
    }


def _won(challenge: Challenge, account: Account, day: int) -> Iterator[tuple[str, int]]:
    """(key, day) of what is won now and not given yet."""
    section, given = challenge.section, _awards(challenge, account)
    if given and not section.repeats:
        return
    mine = counter(challenge.name)
    if section.streak is None:
        bucket = windows.bucket(section.counted_in, day, account.joined)
        key = f"{mine} at {bucket}" if section.repeats else mine
        if key not in given and _reached(challenge, account, day):
            yield key, day
        return
    for run in _runs(challenge, account):
        had = sum(award.day in run for award in given.values())
        for number in range(had + 1, len(run) // section.streak.count + 1):
            last = run[number * section.streak.count - 1]
            yield (f"{mine} at {last}" if section.repeats else mine), last
            if not section.repeats:
                return


def _reached(challenge: Challenge, account: Account, day: int) -> bool:
    counts = account.counters.get(counter(challenge.name))
    section = challenge.section
    return windows.total(section.counted_in, counts, day, account.joined) >= section.goal.amount


def _runs(challenge: Challenge, account: Account) -> list[list[int]]:
    """The windows in a row in which the goal was reached, as runs of their first days."""
    section, runs = challenge.section, list[list[int]]()
    counts = account.counters.get(counter(challenge.name), {})
    for bucket in sorted(key for key, n in counts.items() if n >= section.goal.amount):
        if runs and windows.end(section.counted_in, runs[-1][-1], account.joined) == bucket:
            runs[-1].append(bucket)
        else:
            runs.append([bucket])
    return runs


def _give(challenge: Challenge, turn: Turn, key: str, day: int, bring: Bring) -> None:
    section, lot, points, code, name = challenge.section, 0, 0, "", ""
    if challenge.balance is not None and section.give is not None:
        name, points = challenge.balance.name, section.give.amount
        opens = section.available.opens(turn)
        lot = issue(turn, challenge.balance, points, REASON, opens=opens)
    if section.voucher:
        code = bring(turn, section.voucher)
    turn.change("award", key, day, name, points, lot, code)
    turn.decision.fired.append((challenge.name, name, section.goal.amount, points, lot, points))
    turn.notice("challenge", challenge.name, section.badge)


def refunded(challenge: Challenge, turn: Turn) -> None:
    """Something that counted came back: what is won no longer is taken back.

    What brought a voucher that is used stays won.
    """
    section = challenge.section
    given = _awards(challenge, turn.account)
    runs = _runs(challenge, turn.account) if section.streak is not None else []
    for key, award in sorted(given.items(), key=lambda each: -each[1].day):
        if section.streak is None:
            holds = _reached(challenge, turn.account, award.day)
        else:
            run = next((each for each in runs if award.day in each), [])
            had = sum(other.day in run for other in _awards(challenge, turn.account).values())
            holds = had <= len(run) // section.streak.count
        if not holds:
            _take_back(challenge, turn, key, award)


def _take_back(challenge: Challenge, turn: Turn, key: str, award: Award) -> None:
    voucher = turn.account.vouchers.get(award.voucher)
    if voucher is not None:
        if voucher.state != "open":
            return
        turn.change("voucher state", award.voucher, "reversed")
    if award.points and challenge.balance is not None:
        rest = claw_back(turn, challenge.balance, award.lot, award.points, REVERSED, REASON)
        taken = award.points - rest
        fact = (challenge.name, award.balance, 0, -taken, award.lot, -award.points)
        turn.decision.fired.append(fact)
    turn.change("unaward", key)


def progress(challenge: Challenge, account: Account, day: int) -> tuple[int, int]:
    """How far a member is: (progress towards the goal, how often it is won).

    Of a streak the progress is the number of windows in a row that have reached the goal,
    of which the last one may still be open.
    """
    section, window = challenge.section, challenge.section.counted_in
    won = len(_awards(challenge, account))
    if section.streak is None:
        counts = account.counters.get(counter(challenge.name))
        return windows.total(window, counts, day, account.joined), won
    now = windows.bucket(window, day, account.joined)
    before = windows.bucket(window, now - 1, account.joined)
    run = next((each for each in _runs(challenge, account) if each[-1] in (now, before)), [])
    return len(run), won


def kept_until(challenge: Challenge, key: int, joined: int) -> int:
    """The last day on which a bucket of progress can still matter."""
    window, streak = challenge.section.counted_in, challenge.section.streak
    last = windows.last(window, key, joined)
    for _ in range(streak.count if streak is not None else 0):
        last = calendar.window_end(window.kind, last + 1) - 1
    return last
