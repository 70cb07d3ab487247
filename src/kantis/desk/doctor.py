"""Doctor: what is wrong with an installation, or worth knowing, and what to do about it.

Guarantee: it only reads, waits for nobody, and works while others write. Whatever needs a
person is marked so. It does not prove the books: ``verify`` does.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import apsw
import tzdata  # type: ignore[import-untyped]
from msgspec import Struct

from kantis.core.calendar import DAY_MS, show_instant
from kantis.desk import jobs, lease, outbox
from kantis.desk.submit import wall_clock
from kantis.desk.vault.keyfile import FolderKeys, Locked, faults
from kantis.desk.vault.opening import folder_of
from kantis.desk.vault.seals import Seals, closed
from kantis.desk.whole import books_at, path_of
from kantis.store import people, schema
from kantis.store.books import Books, Outage
from kantis.store.schema import BAD, PARKED, READY
from kantis.store.sealed import sealed
from kantis.store.sqlite import check_library

#: Beyond these something needs a person.
LOG_BYTES_MAX: Final = 1 << 30
DISK_BYTES_MIN: Final = 512 << 20
STILL_MS_MAX: Final = 2 * DAY_MS
READY_MS_MAX: Final = DAY_MS // 24
#: Beyond this it is worth knowing.
CHECKPOINT_MS_MAX: Final = 7 * DAY_MS
_SERVER_MIN: Final = 150_000
_MIB: Final = 1 << 20


class Finding(Struct, frozen=True):
    """One thing that was looked at. ``act`` says that it needs a person."""

    code: str
    act: bool
    said: str


def doctor(store: str, clock: Callable[[], int] = wall_clock, *, vault: str = "") -> list[Finding]:
    """All findings about the installation of a store, in the order of looking.

    ``vault`` is the folder of the members' keys; by default it is beside the books.
    """
    found = [_library()]
    path = path_of(store)
    with books_at(store) as books:
        number = books.schema_number()
        found.append(_schema(number))
        found += _file(path) if path is not None else _server(books)
        if number == schema.newest():
            found += _books(books, clock())
            found += _vault(books, folder_of(store, vault))
    return found


def _library() -> Finding:
    version = apsw.sqlite_lib_version()
    try:
        check_library(version)
    except Outage as error:
        return Finding("library", True, str(error))
    return Finding("library", False, f"SQLite {version}, which has the fix of the WAL-reset bug.")


def _schema(number: int) -> Finding:
    newest = schema.newest()
    said = f"The books have schema {number}, this version of Kantis works with {newest}."
    if number == newest:
        return Finding("schema", False, f"Schema {number}, the newest.")
    then = "Install the newer version." if number > newest else "Run kantis migrate."
    return Finding("schema", True, f"{said} {then}")


# ── SQLite ───────────────────────────────────────────────────────────────────


def _file(path: Path) -> Iterator[Finding]:
    if lease.is_held(lease.lock_file(path)):
        scribe = lease.is_held(path.with_name(path.name + ".scribe"))
        beside = "with a scribe beside it" if scribe else "without a scribe at the moment"
        yield Finding("writer", False, f"Process {lease.holder(path)} writes, {beside}.")
    else:
        yield Finding("writer", False, "Nobody writes at the moment; whoever comes next can.")
    size, log = _size(path), _size(path.with_name(path.name + "-wal"))
    if log > LOG_BYTES_MAX:
        said = (
            f"The log has grown to {_mib(log)}. Something has been reading for long and keeps it "
            "from being emptied: end that report or backup, and restart the writer."
        )
        yield Finding("log", True, said)
    else:
        yield Finding("log", False, f"The log has {_mib(log)}.")
    free = shutil.disk_usage(path.parent).free
    said = f"The books have {_mib(size)}, and {_mib(free)} of the disk are free."
    if free < DISK_BYTES_MIN:
        said += " Make room: when the disk is full, everything is refused."
    elif free < size:
        said += " That is not enough for a backup on the same disk."
    yield Finding("disk", free < DISK_BYTES_MIN, said)


def _size(path: Path) -> int:
    return os.stat(path).st_size if path.exists() else 0


def _mib(size: int) -> str:
    return f"{size // _MIB:,} MiB"


# ── PostgreSQL ───────────────────────────────────────────────────────────────

#: Settings that must be on for a commit to survive, and what it means when one is off.
_DURABLE: Final = {
    "fsync": "A power cut can destroy the database. Switch it on in postgresql.conf.",
    "full_page_writes": "A power cut can destroy pages. Switch it on in postgresql.conf.",
}


def _server(books: Books) -> Iterator[Finding]:
    version, shown = int(books.one("SHOW server_version_num")), books.one("SHOW server_version")
    said = f"PostgreSQL {shown}."
    if version < _SERVER_MIN:
        said += " Kantis needs version 15 or newer: upgrade the server."
    yield Finding("server", version < _SERVER_MIN, said)
    for name, meaning in _DURABLE.items():
        value = books.one(f"SHOW {name}")
        said = f"{name} is {value}. {'' if value == 'on' else meaning}".rstrip()
        yield Finding(name.replace("_", "-"), value != "on", said)
    value = books.one("SHOW synchronous_commit")
    said = f"synchronous_commit is {value}."
    if value == "off":
        said += " Kantis switches it on for its own connections; other programs may lose commits."
    yield Finding("synchronous-commit", False, said)
    size = books.one("SELECT pg_database_size(current_database())")
    yield Finding("size", False, f"The database has {_mib(size)}.")


# ── the books themselves ─────────────────────────────────────────────────────


def _books(books: Books, now: int) -> Iterator[Finding]:
    yield _zones(books)
    yield from _events(books, now)
    flags = books.one("SELECT count(*) FROM flag WHERE cleared IS NULL")
    said = f"{flags:,} flags are open. Look at each: kantis flags."
    yield Finding("flags", bool(flags), said if flags else "No flag is open.")
    yield _time(books, now)
    yield from _outgoing(books, now)
    last = books.last_checkpoint()
    if not last.number:
        said = "There is no checkpoint yet: that the last entries were cut off would not show."
    else:
        days = (now - last.made) // DAY_MS
        said = f"The last checkpoint, number {last.number}, was made {show_instant(last.made)}."
        if now - last.made > CHECKPOINT_MS_MAX:
            said += f" That is {days} days ago; what came since is not covered by one."
    yield Finding("checkpoint", False, said)


def _outgoing(books: Books, now: int) -> Iterator[Finding]:
    """What is told to others, and the jobs that nobody does."""
    waits = outbox.backlog(books)
    dead, off = waits["dead"], waits["disabled"]
    said = f"{dead:,} messages to webhooks are given up. Look why at GET /v1/webhooks/…/deliveries,"
    said += " and send them again."
    yield Finding("dead-messages", bool(dead), said if dead else "No message is given up.")
    said = f"{off:,} webhooks are disabled, because they failed for days or answered 410. Change "
    said += "them with paused: false, or take them away."
    yield Finding("disabled-webhooks", bool(off), said if off else "No webhook is disabled.")
    late = bool(waits["oldest"]) and now - waits["oldest"] > STILL_MS_MAX
    said = f"{waits['waiting']:,} messages to webhooks wait"
    said += f", the oldest since {show_instant(waits['oldest'])}." if waits["oldest"] else "."
    yield Finding("waiting-messages", late, said)
    overdue = [each.kind for each in jobs.jobs(books) if _is_overdue(each, now)]
    said = f"Nobody does these jobs: {', '.join(overdue)}. Start kantis serve or kantis worker."
    yield Finding("jobs", bool(overdue), said if overdue else "No job is overdue.")


def _is_overdue(job: jobs.Job, now: int) -> bool:
    left = job.state == "running" and job.lease < now
    return (job.state == "waiting" or left) and now - job.due > STILL_MS_MAX


def _zones(books: Books) -> Finding:
    """The data that decide now, beside those that decided last."""
    installed = str(tzdata.IANA_VERSION)
    found = books.rows(
        "SELECT x.zones FROM event e JOIN entry x ON x.account = e.account AND x.seq = e.seq "
        "WHERE e.account IS NOT NULL ORDER BY e.n DESC LIMIT 1"
    )
    recorded = str(found[0][0]) if found else installed
    said = f"Time zone data {installed}, the last entry was decided with {recorded}."
    if installed < recorded:
        said += " Midnight may be at another instant than it was: install the newer tzdata."
    return Finding("zones", installed < recorded, said)


def _events(books: Books, now: int) -> Iterator[Finding]:
    states = dict(
        books.rows(
            "SELECT state, count(*) FROM event "
            f"WHERE state IN ({READY}, {PARKED}, {BAD}) GROUP BY state"
        )
    )
    bad, parked = states.get(BAD, 0), states.get(PARKED, 0)
    said = f"{bad:,} events are set aside. List them, and try again: kantis flags."
    yield Finding("bad-events", bool(bad), said if bad else "No event is set aside.")
    said = f"{parked:,} events are parked; they wait for a card or another event to come."
    yield Finding("parked-events", False, said if parked else "No event is parked.")
    oldest = books.waiting(READY, 1)
    late = bool(oldest) and now - oldest[0].received > READY_MS_MAX
    said = f"{states.get(READY, 0):,} events are ready to be decided"
    said += ", the oldest for more than an hour. Start a writer: it decides them." if late else "."
    yield Finding("ready-events", late, said)


def _time(books: Books, now: int) -> Finding:
    count, oldest = books.rows(
        "SELECT count(*), coalesce(min(due), 0) FROM account WHERE due IS NOT NULL AND due < ?",
        (now - STILL_MS_MAX,),
    )[0]
    if not count:
        return Finding("time", False, "Time has passed for all accounts.")
    said = (
        f"Time stands still for {count:,} accounts, for the first since {show_instant(oldest)}. "
        "Their balances are right when asked for, but nobody is told in time and reports lag. "
        "Keep kantis serve running: it lets time pass for them."
    )
    return Finding("time", True, said)


# ── personal data ────────────────────────────────────────────────────────────

#: Members, the newest ones, whose keys are looked for.
_LOOKED_AT: Final = 1_000


def _vault(books: Books, folder: Path) -> Iterator[Finding]:
    """Whether the keys to personal data are there, are nobody else's, and open the data."""
    members, erased = people.members_in_all(books)
    kept = len(sealed(books))
    if not members and not kept and not folder.exists():
        yield Finding("keys", False, "There are no personal data and no sealed secrets.")
        return
    wrong = faults(folder)
    for code, said in wrong:
        yield Finding(code, True, said)
    if any(code == "keys-missing" for code, _ in wrong):
        return
    try:
        keys = FolderKeys(folder)
        newest = people.newest_ids(books, _LOOKED_AT)
        lost = len(newest) - len(keys.find(newest))
        current = max(keys.derived("index"))
        shut = closed(books, Seals(keys))
    except Locked as error:
        yield Finding(error.code, True, str(error))
        return
    if lost:
        said = (
            f"Of the {len(newest):,} newest members {lost:,} have no key in {folder}: their data "
            "cannot be read. Bring back the right folder, or say with KANTIS_VAULT where it is."
        )
        yield Finding("keys-lost", True, said)
    elif not wrong:
        said = f"{members:,} members, {erased:,} erased, {kept:,} secrets; keys are in {folder}."
        yield Finding("keys", False, f"{said} Keep it apart from backups of the books.")
    if shut:
        said = (
            f"{len(shut):,} secrets do not open with the keys in {folder}: {', '.join(shut[:3])}. "
            "Bring back the right folder, or make new secrets."
        )
        yield Finding("secrets-closed", True, said)
    if set(people.masters(books)) - {current}:
        said = "The change of the master key is not finished, or these books are from before it: "
        yield Finding("master-changes", True, f"{said}run kantis vault rotate.")
