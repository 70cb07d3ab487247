"""Outbox: what the books have to tell, brought to those who asked to be told.

Guarantee: exactly the entries that are committed are told, each to every webhook that was
there when it was booked: the entry itself is what is staged, so that nothing is written for
it in its batch, and nothing can part from it. A webhook remembers up to where it has been
told; that place and the deliveries that it covers are written together, or not at all.

Deliveries of an account to a webhook begin in the order of the books. One that has failed a
few times is no longer waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct, json

from kantis.core.calendar import show_instant
from kantis.core.decision import decode_decision
from kantis.desk import notices
from kantis.desk.chores import chore
from kantis.desk.notices import Notice
from kantis.store.books import Books
from kantis.store.outgoing import ACTIVE, DEAD, DELIVERED, DISABLED, WAITING

#: So long after an attempt the next one begins, in seconds; behind the last there is none.
RETRIES_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
#: A later delivery of the account waits for one that has failed so many times, not more.
ORDERED_TRIES: Final = 3
#: A webhook that has answered nothing well for so long is not called any more.
FAILING_MS: Final = 5 * 86_400_000
#: So many deliveries of a webhook wait in rows; what comes after them waits in the books.
WAITING_MAX: Final = 10_000
#: Entries that are read at once.
STEP: Final = 1_000
#: Whoever has taken a delivery has so long to tell what became of it.
LEASE_MS: Final = 60_000
#: Deliveries are forgotten after so long.
KEPT_MS: Final = 30 * 86_400_000

_ANSWER_LETTERS: Final = 500
_ROWS: Final = 200
_GONE: Final = 410


class Follower(Struct, array_like=True):
    """A webhook, as far as it matters what it has been told."""

    number: int
    program: int
    types: list[str]
    created: int
    entry: int
    flag: int
    version: int


class Staged(Struct, array_like=True):
    """A message for a webhook."""

    message: str
    type: str
    account: int
    made: int
    body: bytes


class Taken(Struct, array_like=True):
    """A delivery that is to be made now. ``secrets`` are those that sign it, newest first, as
    the books keep them: sealed for the webhook of that ``id``."""

    n: int
    hook: int
    message: str
    url: str
    body: bytes
    tries: int
    secrets: list[bytes]
    id: str


class Outcome(Struct, array_like=True):
    """What became of an attempt. ``status`` 0: there was no answer; ``next`` 0: no more tries."""

    n: int
    hook: int
    tries: int
    at: int
    ms: int
    status: int
    outcome: str
    answer: str
    next: int

    @property
    def good(self) -> bool:
        """Whether the message has arrived."""
        return 200 <= self.status < 300


# ── spreading ────────────────────────────────────────────────────────────────


def followers(books: Books) -> list[Follower]:
    """The webhooks that are told, where they stand."""
    found = books.rows(
        "SELECT number, program, types, created, entry_at, flag_at, version_at FROM webhook "
        "WHERE state = ? ORDER BY number",
        (ACTIVE,),
    )
    return [Follower(row[0], row[1], json.decode(row[2]), *row[3:]) for row in found]


def spread(reader: Books, desk: Any) -> int:
    """Stage what has come for each webhook, a step of it; how many rows were looked at.

    0 when everybody has been told everything.
    """
    if not followers(reader):
        return 0
    horizon = reader.horizon()
    if horizon is None:
        return 0
    looked = 0
    for each in followers(reader):
        looked += _step(reader, desk, each, *horizon)
    return looked


def _step(reader: Books, desk: Any, hook: Follower, entry: int, flag: int) -> int:
    (waiting,) = reader.rows(
        "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE hook = ? AND state = ? LIMIT ?) AS w",
        (hook.number, WAITING, WAITING_MAX),
    )[0]
    name = _name(reader, hook.program)
    if waiting >= WAITING_MAX or not name:
        return 0
    upto = min(max(entry, hook.entry), hook.entry + STEP)
    flags = min(max(flag, hook.flag), hook.flag + STEP)
    versions = list(_versions(reader, hook, name))
    version = max((number for number, _ in versions), default=hook.version)
    place = [upto, flags, version]
    if place == [hook.entry, hook.flag, hook.version]:
        return 0
    staged = [*_entries(reader, hook, name, upto), *_flags(reader, hook, name, flags)]
    staged += [each for _, each in versions]
    staged = [each for each in staged if notices.wanted(each.type, hook.types)]
    before = [hook.entry, hook.flag, hook.version]
    if not staged and upto - hook.entry < STEP:
        return 0  # nothing to tell so far; it is looked at again, rather than written down
    rows = [(each.message, each.type, each.account, each.made, each.body) for each in staged]
    desk.chore("stage", hook.number, before, place, rows)
    return sum(place) - sum(before)


@chore
def stage(books: Books, now: int, hook: int, before: list[int], place: list[int],
          rows: list[tuple[str, str, int, int, bytes]]) -> bool:  # fmt: skip
    """Move a webhook on, with the deliveries that this covers; ``False`` when another was faster
    or it is not told any more: then nothing is staged."""
    moved = books.execute(
        "UPDATE webhook SET entry_at = ?, flag_at = ?, version_at = ? "
        "WHERE number = ? AND entry_at = ? AND flag_at = ? AND version_at = ? AND state = ?",
        (*place, hook, *before, ACTIVE),
    )
    if moved:
        insert(books, hook, rows, now)
    return bool(moved)


def insert(books: Books, hook: int, rows: list[tuple[str, str, int, int, bytes]], due: int) -> int:
    """Stage messages for a webhook, unless they stand there already; how many they were."""
    made = 0
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        marks = ", ".join(f"(?, ?, ?, ?, ?, ?, {WAITING}, 0, ?)" for _ in part)
        values = [value for row in part for value in (hook, *row, due)]
        made += books.execute(
            "INSERT INTO delivery (hook, message, type, account, made, body, state, tries, due) "
            f"VALUES {marks} ON CONFLICT DO NOTHING",
            values,
        )
    return made


def announce(
    books: Books, program: int, message: str, notice: Notice, about: dict[str, Any], at: int
) -> None:
    """Stage a message that belongs to no entry, for every webhook of a program that wants it;
    in the transaction of what it tells."""
    account, seq = int(about.get("account", 0)), int(about.get("seq", 0))
    made = body(_name(books, program), message, notice, about, at, seq)
    for each in followers(books):
        if each.program == program and notices.wanted(notice.type, each.types):
            insert(books, each.number, [(message, notice.type, account, at, made)], at)


def _name(books: Books, program: int) -> str:
    return {number: name for name, number in books.programs().items()}.get(program, "")


def _entries(reader: Books, hook: Follower, program: str, upto: int) -> Iterator[Staged]:
    """The messages of the entries that came since; what was booked before the webhook was made
    is history, such as that of an import."""
    places = [
        (account, seq)
        for account, seq, booked in reader.rows(
            "SELECT x.account, x.seq, x.booked FROM entry x JOIN account a ON a.id = x.account "
            "WHERE x.n > ? AND x.n <= ? AND a.program = ? ORDER BY x.n",
            (hook.entry, upto, hook.program),
        )
        if booked >= hook.created
    ]
    found = {(row.account, row.seq): (row, made) for row, made in reader.entries(places)}
    types = _types(reader, [row.event for row, _ in found.values() if row.event])
    for place in places:
        row, postings = found[place]
        decision = decode_decision(row.decision)
        decision.postings = postings
        about = {"account": row.account, "seq": row.seq, "event": row.event}
        for i, notice in enumerate(notices.of_decision(decision, types.get(row.event, ""))):
            message = f"entry-{row.account}-{row.seq}-{i}-{row.chain.hex()[:8]}"
            yield _staged(program, message, notice, about, row.booked, row.seq)


def _types(reader: Books, keys: list[str]) -> dict[str, str]:
    """The types of events, by key."""
    found = reader.rows(
        f"SELECT e.key, e.type FROM {reader.wanted['t']} event e WHERE e.key = j.a",
        reader.keyed("t", [(key,) for key in dict.fromkeys(keys)]),
    )
    return dict(found)


def _flags(reader: Books, hook: Follower, program: str, upto: int) -> Iterator[Staged]:
    """Of a flag its code is told: what stands behind a colon is for the people in the house."""
    found = reader.rows(
        "SELECT f.n, f.event, f.account, f.seq, f.flag, f.raised FROM flag f "
        "LEFT JOIN account a ON a.id = f.account LEFT JOIN event e ON e.key = f.event "
        "WHERE f.n > ? AND f.n <= ? AND coalesce(a.program, e.program) = ? ORDER BY f.n",
        (hook.flag, upto, hook.program),
    )
    for n, event, account, seq, flag, raised in found:
        if raised >= hook.created:
            notice = Notice("flag.raised", {"flag": flag.partition(":")[0]})
            about = {"account": account, "seq": seq, "event": event}
            yield _staged(program, f"flag-{n}-{raised}", notice, about, raised, seq)


def _versions(reader: Books, hook: Follower, program: str) -> Iterator[tuple[int, Staged]]:
    for each in reader.versions(hook.program):
        if each.number > hook.version:
            said = {"version": each.number, "since": show_instant(each.since) if each.since else ""}
            notice = Notice("program.published", {"program": program, **said})
            message = f"version-{each.program}-{each.number}-{each.hash.hex()[:8]}"
            yield each.number, _staged(program, message, notice, {}, each.published, 0)


def _staged(
    program: str, message: str, notice: Notice, about: dict[str, Any], at: int, seq: int
) -> Staged:
    account = int(about.get("account", 0))
    return Staged(message, notice.type, account, at, body(program, message, notice, about, at, seq))


def body(
    program: str, message: str, notice: Notice, about: dict[str, Any], at: int, seq: int = 0
) -> bytes:
    """A message as a CloudEvent in JSON. ``sequence`` counts the entries of the account."""
    account = about.get("account", 0)
    said: dict[str, Any] = {
        "specversion": "1.0",
        "id": message,
        "source": f"/programs/{program}",
        "type": notices.full(notice.type),
        "time": show_instant(at),
        "datacontenttype": "application/json",
    }
    if account:
        said |= {"subject": f"account:{account}", "sequence": f"{seq:019}"}
    return json.encode(said | {"data": about | notice.data})


# ── delivering ───────────────────────────────────────────────────────────────


def due(reader: Books, now: int) -> list[int]:
    """The webhooks for which something is due."""
    found = reader.rows(
        "SELECT number FROM webhook h WHERE state = ? AND EXISTS (SELECT 1 FROM delivery d "
        f"WHERE d.hook = h.number AND d.state = {WAITING} AND d.due <= ?) ORDER BY number",
        (ACTIVE, now),
    )
    return [row[0] for row in found]


def candidates(reader: Books, hook: int, at: int, count: int) -> list[tuple[int, int]]:
    """Deliveries of a webhook that can be taken now, with when they were due: looked for on a
    connection for reading, because there may be many behind one that fails."""
    found = reader.rows(
        "SELECT d.n, d.due FROM delivery d "
        f"WHERE d.hook = ? AND d.state = {WAITING} AND d.due <= ? AND NOT EXISTS ("
        "SELECT 1 FROM delivery e WHERE e.hook = d.hook AND e.account = d.account "
        f"AND e.state = {WAITING} AND e.n < d.n AND e.tries <= {ORDERED_TRIES} "
        "AND d.account > 0) ORDER BY d.due, d.n LIMIT ?",
        (hook, at, count),
    )
    return [(n, due) for n, due in found]


@chore
def take_due(books: Books, _: int, at: int, wanted: list[tuple[int, int]]) -> list[list[Any]]:
    """Take deliveries, each unless somebody else was faster: nobody else gets them for the time
    of a lease."""
    mine = [
        n
        for n, due in sorted(wanted)
        if books.execute(
            f"UPDATE delivery SET due = ? WHERE n = ? AND due = ? AND state = {WAITING}",
            (at + LEASE_MS, n, due),
        )
    ]
    found = books.rows(
        "SELECT d.n, d.hook, d.message, h.url, d.body, d.tries, h.secret, h.former, "
        "h.former_until, h.id "
        f"FROM {books.wanted['i']} delivery d CROSS JOIN webhook h "
        "WHERE d.n = j.a AND h.number = d.hook AND h.state = ? ORDER BY d.n",
        (*books.keyed("i", [(n,) for n in mine]), ACTIVE),
    )
    return [
        [*row[:6], [row[6], row[7]] if row[7] is not None and row[8] > at else [row[6]], row[9]]
        for row in found
    ]


def retry_at(at: int, tries: int, share: float) -> int:
    """When the next attempt is due after so many; 0 when there is none.

    ``share`` between 0 and 1 spreads them over a tenth of the wait, so that what failed
    together does not come back together.

    >>> [(retry_at(0, n, 0.0), retry_at(0, n, 1.0)) for n in (1, 2)], retry_at(0, 10, 0.0)
    ([(5000, 5500), (300000, 330000)], 0)
    """
    if tries > len(RETRIES_S):
        return 0
    wait = RETRIES_S[tries - 1] * 1_000
    return at + wait + int(wait * share / 10)


@chore
def note_attempts(books: Books, _: int, told: list[list[Any]]) -> list[int]:
    """Write down what became of attempts; the webhooks that are not called any more."""
    disabled: list[int] = []
    for each in (Outcome(*row) for row in told):
        state = DELIVERED if each.good else WAITING if each.next else DEAD
        changed = books.execute(
            f"UPDATE delivery SET state = ?, tries = ?, due = ? WHERE n = ? AND state = {WAITING}",
            (state, each.tries, each.next, each.n),
        )
        if not changed:
            continue  # its webhook is gone, or somebody else was told to deliver it
        books.execute(
            "INSERT INTO attempt (delivery, n, at, ms, status, outcome, answer) "
            "VALUES (?, (SELECT coalesce(max(n), 0) + 1 FROM attempt WHERE delivery = ?), "
            "?, ?, ?, ?, ?)",
            (each.n, each.n, each.at, each.ms, each.status, each.outcome,
             each.answer[:_ANSWER_LETTERS]),
        )  # fmt: skip
        if _disables(books, each):
            disabled.append(each.hook)
    return disabled


def _disables(books: Books, each: Outcome) -> bool:
    """Note on the webhook how it goes; whether it was called for the last time."""
    if each.good:
        books.execute(
            "UPDATE webhook SET failing = NULL WHERE number = ? AND failing IS NOT NULL",
            (each.hook,),
        )
        return False
    books.execute(
        "UPDATE webhook SET failing = ? WHERE number = ? AND failing IS NULL", (each.at, each.hook)
    )
    if each.status == _GONE:
        reason = "It answered 410: it wants no more messages."
    else:
        reason = "It has answered nothing well for five days."
    late = 1 << 62 if each.status == _GONE else each.at - FAILING_MS
    changed = books.execute(
        "UPDATE webhook SET state = ?, reason = ? WHERE number = ? AND state = ? AND failing <= ?",
        (DISABLED, reason, each.hook, ACTIVE, late),
    )
    if changed:
        _tell_others(books, each, reason)
    return bool(changed)


def _tell_others(books: Books, each: Outcome, reason: str) -> None:
    """The other webhooks of the program are told that one is not called any more."""
    id, program = books.rows("SELECT id, program FROM webhook WHERE number = ?", (each.hook,))[0]
    notice = Notice("webhook.disabled", {"webhook": id, "reason": reason})
    announce(books, program, f"disabled-{each.hook}-{each.at}", notice, {}, each.at)


@chore
def forget_old(books: Books, _: int, at: int) -> int:
    """Drop deliveries whose time is over, with their attempts, and those of no webhook."""
    old = (
        "SELECT n FROM delivery d WHERE (made < ? AND state <> ?) OR NOT EXISTS "
        "(SELECT 1 FROM webhook h WHERE h.number = d.hook)"
    )
    values = (at - KEPT_MS, WAITING)
    books.execute(f"DELETE FROM attempt WHERE delivery IN ({old})", values)
    return books.execute(f"DELETE FROM delivery WHERE n IN ({old})", values)


def backlog(reader: Books) -> dict[str, int]:
    """How much waits to be delivered, since when, and how much is dead.

    ``behind`` is how many entries the webhook that is furthest behind has not been told.
    """
    waiting, oldest = reader.rows(
        "SELECT count(*), coalesce(min(d.made), 0) FROM delivery d JOIN webhook h "
        "ON h.number = d.hook WHERE d.state = ? AND h.state = ?",
        (WAITING, ACTIVE),
    )[0]
    dead = reader.one("SELECT count(*) FROM delivery WHERE state = ?", (DEAD,))
    behind = reader.one(
        "SELECT coalesce((SELECT max(n) FROM entry) - min(entry_at), 0) FROM webhook "
        "WHERE state = ?",
        (ACTIVE,),
    )
    disabled = reader.one("SELECT count(*) FROM webhook WHERE state = ?", (DISABLED,))
    return {
        "waiting": waiting, "oldest": oldest, "dead": dead, "behind": max(behind or 0, 0),
        "disabled": disabled,
    }  # fmt: skip


def each_of(rows: Iterable[list[Any]]) -> list[Taken]:
    """What ``take_due`` has taken, as records."""
    return [Taken(*row) for row in rows]
