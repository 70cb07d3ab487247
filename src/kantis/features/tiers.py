"""tiers: levels that members reach, keep and lose.

Guarantee: the level of a member at any past instant can be worked out again from what was
counted until then; spending points never lowers a level. A purchase that crosses a
threshold earns at the level before it, unless the program says otherwise.

A level is reached when its threshold is, at once or at a review; it lasts as the group
says, and reaching it again while it lasts moves its end. At its end, after the grace, the
member falls to what the window that ends there has earned, or by one level.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from msgspec import Struct

from kantis.core import calendar, windows
from kantis.core.account import NEVER, Account
from kantis.core.calendar import Calendar
from kantis.core.code import Code
from kantis.core.knobs import Knob, Reader, suggest
from kantis.core.levels import LASTS, LEVELS, ROLLS, Lasts, Threshold
from kantis.core.phrases import (
    DURATION,
    TEXT,
    TITLE,
    TITLES,
    WHOSE,
    WINDOW,
    YES,
    Duration,
    Window,
    word,
)
from kantis.core.turn import Turn


class TierSection(Struct, frozen=True, kw_only=True):
    """A tier group: its levels, what they take, how they are reached and lost."""

    name: str
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}
    by: Annotated[str, Knob(TEXT, "the counter of thresholds that name none")] = ""
    levels: Annotated[tuple[tuple[str, Threshold], ...], Knob(LEVELS, "from low to high")]
    titles: Annotated[
        dict[str, dict[str, str]], Knob(TITLES, "how members read its levels", dated=False)
    ] = {}
    up: Annotated[str, Knob(word("at once", "at review"), "when a level is reached")] = "at once"
    review: Annotated[Window | None, Knob(WINDOW, "how often levels are reviewed")] = None
    lasts: Annotated[Lasts, Knob(LASTS, "how long a level lasts")] = Lasts(forever=True)
    grace: Annotated[
        Duration | None, Knob(DURATION, "how much longer a level lasts that was not kept")
    ] = None
    down: Annotated[
        str, Knob(word("to what was earned", "by one level"), "where a member falls to")
    ] = "to what was earned"
    kept_by: Annotated[
        str,
        Knob(
            word("the window", "as much again"),
            "what keeps a level: the counter's window, or as much counted since it was reached",
        ),
    ] = "the window"
    rolls_over: Annotated[
        dict[str, int],
        Knob(ROLLS, "what was counted above the threshold counts in the next window, once"),
    ] = {}
    whose: Annotated[str, Knob(WHOSE, "whose it is where several members share an account")] = (
        "household"
    )
    refund_lowers: Annotated[bool, Knob(YES, "whether a refund can undo a level")] = False


class TierGroup(Struct):
    """A tier group, ready for use. ``thresholds[i]`` is what level ``i`` takes."""

    name: str
    levels: list[str]
    thresholds: list[tuple[tuple[tuple[str, int], ...], ...]]
    windows: dict[str, Window]
    section: TierSection

    @property
    def counters(self) -> list[str]:
        """The counters of all thresholds."""
        parts = [part for lists in self.thresholds for part in lists]
        return list(dict.fromkeys(name for part in parts for name, _ in part))

    @property
    def rolls(self) -> dict[str, int]:
        """The counters that roll over, and how much of each at most (0: all)."""
        return self.section.rolls_over


def compile_tiers(
    sections: Mapping[str, TierSection],
    counter_windows: Mapping[str, Window],
    averages: Collection[str],
    reader: Reader,
) -> list[TierGroup]:
    """The tier groups, ready for use; a level that nobody can reach is a fault.

    Of the counters in ``averages`` a threshold is the average over the months of the window.
    """
    found = []
    for counter in averages:
        if counter_windows[counter].kind != "rolling month":
            message = f"{counter!r} reads an average, so its window is a rolling number of months."
            reader.fault_at("average-of-what", message, "counters", counter, "window")
    for name, section in sections.items():
        thresholds = []
        for level, threshold in section.levels or ():
            lists = []
            for part in threshold.any_of:
                named = tuple((counter or section.by, amount) for counter, amount in part)
                named = tuple(
                    (c, amount * counter_windows[c].count if c in averages else amount)
                    for c, amount in named
                )
                for counter, _ in named:
                    if counter not in counter_windows:
                        message = (
                            f"The level {level!r} of {name!r} needs a counter: say 'by'."
                            f" {suggest(counter, counter_windows)}"
                        )
                        reader.fault_at("unreachable-level", message, "tiers", name, "levels")
                lists.append(named)
            thresholds.append(tuple(lists))
        levels = [level for level, _ in section.levels or ()]
        found.append(TierGroup(name, levels, thresholds, dict(counter_windows), section))
    return found


def earned_level(group: TierGroup, account: Account, day: int, *, again: bool = False) -> int:
    """The highest level whose threshold the counters of the day's windows reach.

    With ``again`` they count only since the level was last reached.
    """
    sums: dict[str, int] = {}
    for level in range(len(group.levels) - 1, 0, -1):
        for part in group.thresholds[level]:
            reached = True
            for counter, amount in part:
                if counter not in sums:
                    counts = account.counters.get(counter)
                    window = group.windows[counter]
                    if again:
                        sums[counter] = since_reached(group, account, counter)
                    else:
                        sums[counter] = windows.total(window, counts, day, account.joined)
                if sums[counter] < amount:
                    reached = False
                    break
            if reached:
                return level
    return 0


def measure(group: TierGroup, turn: Turn, counter: str) -> None:
    """A change of terms: the level that another counter makes, where it is higher."""
    account, window = turn.account, group.windows[counter]
    total = windows.total(window, account.counters.get(counter), turn.day, account.joined)
    level = 0
    for position, lists in enumerate(group.thresholds):
        if any(part and all(total >= amount for _, amount in part) for part in lists):
            level = position
    if level > turn.standing(group.name).level:
        until = group.section.lasts.until(turn.day)
        turn.change("tier", group.name, level, turn.at, until, "version")
        if group.section.kept_by == "as much again":
            _mark(group, turn)
        if until:
            turn.wake_on(_end(group, until))


def of_then(group: TierGroup, turn: Turn, day: int) -> TierGroup:
    """The group as its thresholds stood on a day, with the levels of now."""
    if turn.plan_at is None:
        return group
    plan = turn.plan_at(turn.calendar.start(day))
    then = next((each for each in plan.tiers if each.name == group.name), group)
    if then is group or then.thresholds == group.thresholds:
        return group
    taken = dict(zip(then.levels, then.thresholds, strict=True))
    known = set(group.windows)
    thresholds = [
        tuple(part for part in taken.get(level, ()) if {name for name, _ in part} <= known)
        for level in group.levels
    ]
    return TierGroup(group.name, group.levels, thresholds, group.windows, group.section)


def write(code: Code, groups: list[TierGroup]) -> None:
    """Write what happens to tiers after an event was counted.

    A level whose threshold stays out of reach is not looked at further.
    """
    for group in groups:
        if group.section.up != "at once" or len(group.levels) < 2:
            continue
        whose = "mine" if group.section.whose == "member" else "turn"
        call = f"{code.constant(rise, 'rise')}({code.constant(group, 'group')}, {whose})"
        least = _lowest(group)
        if least is None or whose == "mine":
            code.add(call)
            continue
        counter, amounts = least
        table = code.constant((*amounts, 1 << 62), "thresholds")
        code.add(
            f"standing = account.tiers.get({group.name!r})",
            f"reached = {windows.write_total(code, group.windows[counter], counter)}",
        )
        until = code.of_day(group.section.lasts.until, "until")
        with code.block("if standing is None:"), code.block(f"if reached >= {amounts[1]}:"):
            code.add(call)
        with code.block(
            f"elif reached >= {table}[standing.level + 1] or (standing.level and standing.until"
            f" and reached >= {table}[standing.level] and not 0 < {until} <= standing.until):"
        ):
            code.add(call)
    again = code.constant(roll_again, "roll_again")
    with code.block("if turn.late:"):
        for whose, word in (("turn", "household"), ("mine", "member")):
            of = [group for group in groups if group.section.whose == word]
            if of:
                code.add(f"{again}({code.constant(of, 'groups')}, {whose}, day)")


def _lowest(group: TierGroup) -> tuple[str, tuple[int, ...]] | None:
    """The one counter of all thresholds and their amounts by level, where it is so simple."""
    amounts = [0]
    counters = set()
    for lists in group.thresholds[1:]:
        if len(lists) != 1 or len(lists[0]) != 1:
            return None
        counters.add(lists[0][0][0])
        amounts.append(lists[0][0][1])
    return (counters.pop(), tuple(amounts)) if len(counters) == 1 else None


def rise(group: TierGroup, turn: Turn, day: int = 0) -> None:
    """Reach a level, or move the end of the one that is kept, by what counts on the day.

    Without ``day`` it is that of the event; a level that a late event reaches starts when the
    event is received.
    """
    day = day or turn.day
    level = earned_level(group, turn.account, day)
    standing = turn.account.tiers.get(group.name)
    now = standing.level if standing is not None else 0
    if not level or level < now:
        return
    until = group.section.lasts.until(day)
    again = group.section.kept_by == "as much again"
    if level == now:
        assert standing is not None
        if not standing.until or (until and until <= standing.until):
            return
        if again and earned_level(group, turn.account, day, again=True) < now:
            return
    if until and until <= turn.calendar.day(turn.at):
        return
    turn.change("tier", group.name, level, turn.at, until, "reached" if level > now else "kept")
    if again:
        _mark(group, turn)
    if until:
        turn.wake_on(_end(group, until))
    if level > now:
        turn.notice("tier", group.name, group.levels[level])


def marked(group: TierGroup, counter: str) -> str:
    """Where it is kept how much of a bucket was counted before a level was reached."""
    return f"before {group.name} {counter}"


def _mark(group: TierGroup, turn: Turn) -> None:
    """What is counted from now on keeps the level; what was counted before does not."""
    account = turn.account
    for counter in group.counters:
        key, window = marked(group, counter), group.windows[counter]
        for old in list(account.counters.get(key, {})):
            turn.change("forget", key, old)
        bucket = windows.bucket(window, turn.calendar.day(turn.at), account.joined)
        turn.change("count", key, bucket, account.counters.get(counter, {}).get(bucket, 0))


def since_reached(group: TierGroup, account: Account, counter: str) -> int:
    """What a counter has counted since the level was last reached."""
    counts = account.counters.get(counter, {})
    mark = account.counters.get(marked(group, counter), {})
    first = max(mark, default=0)
    return sum(amount for bucket, amount in counts.items() if bucket >= first) - mark.get(first, 0)


def _end(group: TierGroup, until: int) -> int:
    grace = group.section.grace
    return Lasts(length=grace).until(until) if grace is not None else until


def fall_after_refund(groups: list[TierGroup], turn: Turn) -> None:
    """Where the program lets a refund undo levels: back to what the counters still reach."""
    for group in groups:
        standing = turn.account.tiers.get(group.name)
        if standing is None or not standing.level or not group.section.refund_lowers:
            continue
        today = turn.calendar.day(turn.at)
        level = earned_level(group, turn.account, today)
        if level < standing.level:
            until = group.section.lasts.until(today) if level else 0
            turn.change("tier", group.name, level, turn.at, until, "refund")
            turn.wake_at(turn.at)  # points that the level protected


def due(groups: list[TierGroup], account: Account, days: Calendar, after: int) -> int:
    """The next end of a level, or the next review."""
    first = NEVER
    for group in groups:
        standing = account.tiers.get(group.name)
        if standing is not None and standing.level and standing.until:
            first = min(first, days.start(_end(group, standing.until)))
        review = group.section.review
        if review is not None and account.joined:
            since = account.cycles.get(f"review {group.name}", account.joined) or days.day(after)
            first = min(first, days.start(windows.end(review, since, account.joined)))
        for counter in group.rolls:
            if account.joined:
                since = account.cycles.get(_roll(group, counter), account.joined)
                end = windows.end(group.windows[counter], since, account.joined)
                first = min(first, days.start(end))
    return first


def run(groups: list[TierGroup], turn: Turn) -> None:
    """End what ends, and review what is to be reviewed."""
    for group in groups:
        for counter in group.rolls:
            _roll_over(group, turn, counter)
        review = group.section.review
        if review is not None:
            key = f"review {group.name}"
            start = windows.bucket(review, turn.day, turn.account.joined)
            if turn.account.cycles.get(key, turn.account.joined) < start:
                turn.change("cycle", key, turn.day)
                _review(group, turn)
        standing = turn.account.tiers.get(group.name)
        if standing is None or not standing.level or not standing.until:
            continue
        if _end(group, standing.until) <= turn.day:
            _fall(group, turn, standing.level, standing.until)


def rolled(counter: str) -> str:
    """Where it is kept how much of a counter's window came from the window before."""
    return f"rolled {counter}"


def _roll(group: TierGroup, counter: str) -> str:
    return f"roll {group.name} {counter}"


def _roll_over(group: TierGroup, turn: Turn, counter: str) -> None:
    """At the start of a window: what the last one had above its level's threshold comes along."""
    account, window = turn.account, group.windows[counter]
    key, start = _roll(group, counter), windows.bucket(window, turn.day, account.joined)
    if account.cycles.get(key, account.joined) >= start:
        return
    turn.change("cycle", key, turn.day)
    extra = _above(group, turn, counter, start)
    if extra:
        turn.change("count", counter, start, extra)
        turn.change("count", rolled(counter), start, extra)
        if group.section.up == "at once":
            rise(group, turn)


def roll_again(groups: list[TierGroup], turn: Turn, day: int) -> None:
    """A day that is over has counted something else now: what rolled over from it is set right.

    Each window since then that something rolled into gets the difference today, by the terms
    of its start.
    """
    account, today = turn.account, turn.calendar.day(turn.at)
    now: list[TierGroup] = turn.plan_at(turn.at).tiers if turn.plan_at is not None else groups
    found = {
        counter: group.windows[counter] for group in (*groups, *now) for counter in group.rolls
    }
    for counter, window in found.items():
        start, more = windows.end(window, day, account.joined), 0
        while 0 < start <= today:
            then = turn.plan_at(turn.calendar.start(start)).tiers if turn.plan_at else groups
            more = _difference(then, turn, counter, start)
            if more:
                turn.change("count", counter, start, more)
                turn.change("count", rolled(counter), start, more)
            start = windows.end(window, start, account.joined)
        for group in now if more > 0 else ():
            if counter in group.counters and group.section.up == "at once":
                rise(group, turn, today)


def _difference(groups: list[TierGroup], turn: Turn, counter: str, start: int) -> int:
    """What is missing of a counter's roll-over into a window; nothing where none was made yet."""
    account = turn.account
    made = [
        group
        for group in groups
        if counter in group.rolls
        and account.cycles.get(_roll(group, counter), account.joined) >= start
    ]
    if not made:
        return 0
    extra = sum(_above(group, turn, counter, start) for group in made)
    return extra - account.counters.get(rolled(counter), {}).get(start, 0)


def _above(group: TierGroup, turn: Turn, counter: str, start: int) -> int:
    """What the window before ``start`` had above the threshold of its level, and rolls over.

    What was rolled over once does not roll again.
    """
    account = turn.account
    window, most = group.windows[counter], group.rolls[counter]
    then = of_then(group, turn, start - 1)
    level = earned_level(then, account, start - 1)
    takes = [
        amount
        for part in then.thresholds[level]
        for name, amount in part
        if level and name == counter and len(part) == 1
    ]
    before = windows.bucket(window, start - 1, account.joined)
    total = account.counters.get(counter, {}).get(before, 0)
    if not takes:
        return 0
    own = total - account.counters.get(rolled(counter), {}).get(before, 0)
    return max(0, min(total - takes[0], own, most or own))


def _review(group: TierGroup, turn: Turn) -> None:
    level = earned_level(group, turn.account, turn.day - 1)
    now = turn.standing(group.name).level
    if level > now or (level and level == now):
        until = group.section.lasts.until(turn.day)
        turn.change("tier", group.name, level, turn.moment, until, "review")
        if until:
            turn.wake_on(_end(group, until))


def _still_earned(group: TierGroup, turn: Turn, until: int) -> tuple[int, int]:
    """The highest level that earlier windows have earned beyond a day, and its end.

    Each window has earned what the thresholds of its own days say.
    """
    lasts, account = group.section.lasts, turn.account
    if group.section.kept_by == "as much again":
        level = earned_level(group, account, until - 1, again=True)
        return level, lasts.until(until) if level else 0
    if not lasts.window:
        level = earned_level(group, account, until - 1)
        return level, lasts.until(until) if level else 0
    best, end, day = 0, 0, until - 1
    while (ends := lasts.until(day)) > until:
        level = earned_level(of_then(group, turn, day), account, day)
        if level > best:
            best, end = level, ends
        day = calendar.window_start(lasts.window, day) - 1
    return best, end


def kept_until(groups: list[TierGroup], counter: str, day: int) -> int:
    """The first day on which what a counter counted on a day matters to no tier any more."""
    return max(
        (
            _end(group, group.section.lasts.until(day))
            for group in groups
            if counter in group.counters
            and (group.section.lasts.window or group.section.kept_by == "as much again")
        ),
        default=0,
    )


def _fall(group: TierGroup, turn: Turn, now: int, until: int) -> None:
    level, ends = _still_earned(group, turn, until)
    if group.section.down == "by one level" and level < now - 1:
        lasts = group.section.lasts
        level, ends = now - 1, lasts.until(until - 1 if lasts.window else until)
        if ends <= until:
            ends = lasts.until(until)
    level = min(now, level)
    turn.change("tier", group.name, level, turn.moment, ends, "ended" if level < now else "kept")
    if level and group.section.kept_by == "as much again":
        _mark(group, turn)
    if ends:
        turn.wake_on(_end(group, ends))
    if level < now:
        turn.notice("tier", group.name, group.levels[level])
