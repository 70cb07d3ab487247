"""Tallying: keeping the tallies up with the books, and proving that they are a fold of them.

Guarantee: what is counted is what stands under the last checkpoint, so nothing can come below
it any more. A step counts a thousand entries in one transaction with the note of how far it
went; what is counted twice or left out cannot be. A till waits for one step at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from kantis.core.calendar import Calendar, window_start, zone
from kantis.core.decision import decode_decision
from kantis.core.events import Body, decode_body
from kantis.core.places import MEMBER_PLACES
from kantis.desk.chores import chore
from kantis.desk.measures.counting import Bare, Counting, Fact
from kantis.desk.submit import Desk
from kantis.desk.writer import RemoteDesk
from kantis.store import tallies
from kantis.store.books import Books
from kantis.store.reading import Reading
from kantis.store.tallies import Arm, Key, Sum, Tallied

#: Entries that are counted at once; a till may wait for them.
STEP: Final = 1_000
#: Numbers of events that are looked through at once for purchases without a card.
_EVENTS: Final = 5_000
#: What the proof calls the rows of accounts.
WHO: Final = "who"
BASKETS: Final = "baskets"
ARMS: Final = "arms"
#: The types of events whose bodies are looked into.
_COUNTED: Final = "'purchase', 'redeem', 'enjoy'"


# ── what the desk does ───────────────────────────────────────────────────────


def catch_up(
    desk: Desk | RemoteDesk, over: Callable[[], bool] = lambda: False, *, again: bool = False
) -> int:
    """Count what stands under the last checkpoint; the number of entries that were counted.

    ``over`` is asked between two steps. ``again`` forgets all first.
    """
    if again:
        desk.chore("forget_tallies")
    counted = 0
    while True:
        entries, more = desk.chore("count_more", STEP)
        counted += int(entries)
        if not more or over():
            return counted


@chore
def forget_tallies(books: Books, _: int) -> None:
    """Forget what is counted, so that it is counted anew."""
    tallies.forget(books, "")


@chore
def count_more(books: Books, _: int, step: int) -> tuple[int, bool]:
    """Count the next entries; how many, and whether there is more."""
    zones = _zones(books)
    said, before = json.dumps(zones), tallies.tallied(books)
    if before.zones and _changed(before.zones, zones):
        tallies.forget(books, said)  # the days of before are no days of this zone
        before = tallies.tallied(books)
    if before.zones != said:
        tallies.count_in(books, said)
    end = books.last_checkpoint()
    days = _days(zones)
    rows = _entries(books, before.entry, end.entry, step)
    upto_event = min(end.event, before.event + _EVENTS)
    counting = Counting(days)
    facts = list(_facts(books, rows))
    _recall(books, counting, rows, facts)
    for fact in facts:
        counting.take(fact)
    bare = _bare(books, before.event, upto_event)
    for each in bare:
        counting.take_bare(each)
    entry = rows[-1][0] if len(rows) == step else end.entry
    upto = max([before.upto, *(row[4] for row in rows), *(each.at for each in bare)])
    if (entry, upto_event) != (before.entry, before.event):
        _write(books, counting)
        tallies.move_on(books, before, Tallied(entry, upto_event, upto, said))
    return len(rows), entry < end.entry or upto_event < end.event


def _write(books: Books, counting: Counting) -> None:
    tallies.add(books, counting.sums.items())
    tallies.remember(books, (counting.accounts[number] for number in sorted(counting.touched)))
    for voucher in counting.opened.values():
        tallies.open_voucher(books, voucher)
    for account, code in sorted(counting.closed):
        tallies.close_voucher(books, account, code)
    tallies.add_had(books, counting.had.items())
    tallies.add_bought(books, counting.bought.items())
    tallies.end_arms(books, counting.ended)
    tallies.keep_arms(books, _arms(counting))


def _arms(counting: Counting) -> Iterator[Arm]:
    """The arms in a steady order."""
    for _, arms in sorted(counting.arms.items()):
        for _, arm in sorted(arms.items()):
            yield arm


def _zones(books: Reading) -> dict[str, str]:
    """The time zone of each program, by its number: that of its newest version."""
    newest = {number: books.versions(number)[-1] for number in sorted(books.programs().values())}
    return {str(n): json.loads(each.tree).get("timezone", "UTC") for n, each in newest.items()}


def _changed(before: str, zones: dict[str, str]) -> bool:
    return any(zones.get(program) != name for program, name in json.loads(before).items())


def _days(zones: dict[str, str]) -> dict[int, Calendar]:
    return {int(program): Calendar(zone(name)) for program, name in zones.items()}


# ── what is read ─────────────────────────────────────────────────────────────


def _entries(books: Reading, above: int, upto: int, count: int) -> list[Any]:
    """(n, account, seq, event, booked, decision, cause, program) of the next entries."""
    return books.rows(
        "SELECT e.n, e.account, e.seq, e.event, e.booked, e.decision, e.cause, a.program "
        "FROM entry e JOIN account a ON a.id = e.account WHERE e.n > ? AND e.n <= ? "
        "ORDER BY e.n LIMIT ?",
        (above, upto, count),
    )


def _facts(books: Reading, rows: Sequence[Any]) -> Iterator[Fact]:
    """The entries with their postings, and with the baskets that they are about."""
    postings: dict[tuple[int, int], list[Any]] = {}
    for account, seq, *posting in books.rows(
        "SELECT e.account, e.seq, e.balance, e.source, e.target, e.amount, e.lot, e.reason "
        f"FROM {books.wanted['ii']} posting e WHERE e.account = j.a AND e.seq = j.b "
        "ORDER BY e.account, e.seq, e.n",
        books.keyed("ii", [(row[1], row[2]) for row in rows]),
    ):
        postings.setdefault((account, seq), []).append(tuple(posting))
    keys = {key for row in rows for key in (row[3], row[6]) if key}
    bodies = _bodies(books, sorted(keys))
    for _, account, seq, event, booked, data, cause, program in rows:
        decision = decode_decision(data)
        decision.postings = postings.get((account, seq), [])
        yield Fact(program, account, booked, decision, bodies.get(event), bodies.get(cause))


def _bodies(books: Reading, keys: Sequence[str]) -> dict[str, Body]:
    """What those events say that matter for counting, as far as it is kept."""
    found = books.rows(
        f"SELECT e.key, e.body FROM {books.wanted['t']} event e WHERE e.key = j.a "
        f"AND e.type IN ({_COUNTED}) AND e.body IS NOT NULL",
        books.keyed("t", [(key,) for key in keys]),
    )
    return {key: decode_body(body) for key, body in found}


def _bare(books: Reading, above: int, upto: int) -> list[Bare]:
    """The purchases without a card among events: of an import at their own time."""
    found = books.rows(
        "SELECT program, received, imported, time, body FROM event WHERE n > ? AND n <= ? "
        "AND subject = '' AND type = 'purchase' ORDER BY n",
        (above, upto),
    )
    return [
        Bare(program, time if imported and time else received, body and decode_body(body))
        for program, received, imported, time, body in found
    ]


def _recall(books: Reading, counting: Counting, rows: Sequence[Any], facts: Iterable[Fact]) -> None:
    """What was remembered of the accounts of these entries, and when their lots were earned; of
    those that became a part of one of them, their arms."""
    numbers = {row[1] for row in rows}
    changes = (change for fact in facts for change in fact.decision.changes)
    merged = {change[1] for change in changes if change[0] == "merged"}
    counting.accounts = tallies.accounts(books, numbers)
    counting.vouchers = tallies.vouchers(books, numbers)
    for arm in tallies.arms(books, numbers | merged):
        counting.arms.setdefault(arm.account, {})[arm.name, arm.drawn] = arm
    if not rows:
        return
    below: dict[int, int] = {}
    for row in rows:
        below.setdefault(row[1], row[2])
    wanted = sorted(below.items())
    for account, lot, booked, program in books.rows(
        "SELECT e.account, e.lot, min(e.booked), min(a.program) "
        f"FROM {books.wanted['ii']} posting e JOIN account a ON a.id = e.account "
        f"WHERE e.account = j.a AND e.seq < j.b AND e.lot > 0 AND e.source >= {MEMBER_PLACES} "
        "GROUP BY e.account, e.lot",
        books.keyed("ii", wanted),
    ):
        day = counting.days[program].day(booked)
        counting.lots[account, lot] = window_start("month", day)


# ── the proof ────────────────────────────────────────────────────────────────


def folded(books: Reading) -> dict[Key, Sum]:
    """What the books say, counted from the first entry to where the tallies are."""
    end = tallies.tallied(books)
    counting = Counting(_days(_zones(books)))
    above = 0
    while rows := _entries(books, above, end.entry, STEP * 5):
        for fact in _facts(books, rows):
            counting.take(fact)
        above = rows[-1][0]
    for bare in _bare(books, 0, end.event):
        counting.take_bare(bare)
    sums = {key: each for key, each in counting.sums.items() if any(each)}
    for (program, name, day, account), times in counting.had.items():
        sums[program, day, WHO, name, str(account)] = times, 0
    for (account, month), (last, count, amount) in counting.bought.items():
        sums[0, month, BASKETS, str(account), str(last)] = count, amount
    return sums | _as_sums(_arms(counting))


def _as_sums(arms: Iterable[Arm]) -> dict[Key, Sum]:
    return {
        (each.program, each.held, ARMS, f"{each.name} {each.drawn}", str(each.account)):
        (each.times + 1, each.amount)
        for each in arms
    }  # fmt: skip


def _there(books: Reading) -> dict[Key, Sum]:
    """What stands in the tables, in the same shape."""
    sums = tallies.all_tallies(books)
    for program, name, day, account, times in tallies.all_had(books):
        sums[program, day, WHO, name, str(account)] = times, 0
    for account, month, last, count, amount in tallies.all_bought(books):
        sums[0, month, BASKETS, str(account), str(last)] = count, amount
    return sums | _as_sums(tallies.all_arms(books))


def differences(books: Books) -> list[tuple[Key, Sum, Sum]]:
    """Where the tallies are not what the books say: the key, what stands, what should."""
    with books.reader() as frozen:
        frozen.freeze()
        there, right = _there(frozen), folded(frozen)
    return [
        (key, there.get(key, (0, 0)), right.get(key, (0, 0)))
        for key in sorted(there.keys() | right.keys())
        if there.get(key, (0, 0)) != right.get(key, (0, 0))
    ]
