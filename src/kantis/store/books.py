"""Books: what a store does for a batch, whatever it is made of.

A store keeps rows and knows no rule. Between ``begin`` and ``commit`` one thread uses it;
what it reads for a batch is locked until the batch ends.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Self

from kantis.store import byhand, schema
from kantis.store.reading import (
    ACCOUNT,
    EVENT,
    OPEN,
    Asked,
    Reading,
)
from kantis.store.rows import (
    AccountRow,
    Ahead,
    CheckpointRow,
    EventRow,
    KeyRow,
    LimitRow,
    Page,
    Row,
    Table,
    VersionRow,
)
from kantis.store.schema import ALONE, BAD, DECIDED, PARKED, READY
from kantis.store.sealing import HEAD, seal


class Outage(Exception):
    """The store cannot be used now; nothing was written."""


class Conflict(Exception):
    """Somebody else was faster; nothing was written, and the same batch can be tried again."""


class Astray(Exception):
    """A batch needs an account that was not asked ahead, and comes too late for the order of
    locking; nothing was written, and the same batch begins again without asking ahead."""


class Forbidden(Exception):
    """The database refuses a row that would break the books; nothing was written."""


class Unknown(Exception):
    """Nobody knows whether the batch was committed; the same events sent again settle it."""


class Books(Reading):
    """One connection to the books: the only writer of postings."""

    #: Nobody else writes while this is open, so what was read stays true.
    alone: bool = False
    #: The chain values that the last page led to; empty when another process seals it.
    sealed: Mapping[int, bytes] = {}
    #: Added to a statement whose rows are locked, or whose locked rows are left to others.
    lock: ClassVar[str] = ""
    skip: ClassVar[str] = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""

    @classmethod
    @abstractmethod
    def at(cls, address: str, *, write: bool = True) -> Books:
        """Books at an address."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the books are, for another process."""

    def reader(self) -> Books:
        """Another connection to the same books, for reading only."""
        return self.at(self.address, write=False)

    def still(self) -> AbstractContextManager[None]:
        """While this lasts, readers that freeze without a token see the same instant."""
        return nullcontext()

    # ── schema ───────────────────────────────────────────────────────────────

    def migrate(self) -> None:
        """Make an empty database ready; ``Outage`` when its tables are not those of this code."""
        number, newest = self.schema_number(), schema.newest()
        if not number:
            self.upgrade()
        elif number != newest:
            then = "Install the newer version." if number > newest else "Run: kantis migrate."
            raise Outage(
                f"The books have schema {number}, and this version of Kantis works with "
                f"{newest}. {then}"
            )
        elif (away := self.gone_to()) is not None:
            raise Outage(
                f"These books were moved to {away[0]}. Use those with --store; to go on with "
                "these and give up the others: kantis move --undo."
            )

    def close_for(self, target: str, at: int) -> None:
        """Say that these are no longer the books, and take nothing any more."""
        self.execute(f"INSERT INTO {byhand.MOVED} VALUES (1, ?, ?)", (target, at))
        closed = byhand.close(schema.tables())
        self.take_step(schema.Step(0, "closes books that were moved", *closed))

    def reopen(self) -> None:
        """These are the books again."""
        self.execute(f"DELETE FROM {byhand.MOVED}")
        opened = byhand.reopen(schema.tables())
        self.take_step(schema.Step(0, "opens books again", *opened))

    def upgrade(self, upto: int = 0) -> list[schema.Step]:
        """Bring the tables to a schema, the newest if none is named; which steps were taken.

        Each step is taken whole or not at all, and recorded with it, so that after a kill
        the rest can follow. An empty database takes all of them at once.
        """
        taken: list[schema.Step] = []
        while steps := self._next_steps(upto or schema.newest()):
            taken += steps
        return taken

    def _next_steps(self, upto: int) -> list[schema.Step]:
        self.begin_step()
        try:
            number = self.schema_number()
            steps = [step for step in schema.STEPS if number < step.number <= upto]
            for step in steps if not number else steps[:1]:
                self.take_step(step)
                now = time.time_ns() // 1_000_000
                self.execute("INSERT INTO migration VALUES (?, ?)", (step.number, now))
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return steps if not number else steps[:1]

    @abstractmethod
    def begin_step(self) -> None:
        """Begin a change of the tables; nobody else writes, and no other change runs."""

    @abstractmethod
    def take_step(self, step: schema.Step) -> None:
        """Run the statements of a step."""

    # ── whole books ──────────────────────────────────────────────────────────

    @abstractmethod
    def stopped(self) -> AbstractContextManager[Books]:
        """Nobody writes while this lasts, but who has the books that it gives, until they
        commit; ``Outage`` when somebody does not stop."""

    @abstractmethod
    def take_in(self, name: str, table: Table, rows: Iterable[Row]) -> None:
        """Write rows of another store into a table, as they are."""

    def renumber(self) -> None:
        """Let what counts by itself go on behind the rows that were taken in."""

    @abstractmethod
    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; how many rows it changed."""

    # ── transactions ─────────────────────────────────────────────────────────

    @abstractmethod
    def begin(self) -> None:
        """Start a batch."""

    def begin_asking(self, ahead: Ahead) -> None:
        """Start a batch, and ask ahead what it is going to ask where that saves time.

        ``accounts`` can say then that the batch is ``Astray``.
        """
        self.begin()

    def begin_alone(self) -> None:
        """Start a change of what all batches read; none runs meanwhile."""
        self.begin()

    @abstractmethod
    def commit(self) -> None:
        """Make the batch durable; ``Unknown`` when nobody can say whether it is."""

    @abstractmethod
    def rollback(self) -> None:
        """Forget the batch."""

    def mark(self) -> None:
        """Remember this point of the batch."""
        self.execute("SAVEPOINT mark")

    def back(self) -> None:
        """Undo everything since the mark."""
        self.execute("ROLLBACK TO SAVEPOINT mark")

    def tidy(self) -> None:
        """Housekeeping between two batches."""

    # ── what a batch reads ───────────────────────────────────────────────────

    def ready(self, count: int) -> list[EventRow]:
        """Recorded events that wait to be decided, oldest first; nobody else gets them."""
        return list(map(EventRow._make, self.rows(*self.asks_ready(count))))

    def asks_ready(self, count: int) -> Asked:
        """The statement of ``ready``."""
        wanted = f"SELECT {EVENT} FROM event e WHERE state = {READY} AND {OPEN}"
        return f"{wanted} ORDER BY n LIMIT ?{self.skip}", [count]

    def accounts(self, ids: Sequence[int]) -> list[AccountRow]:
        """Accounts by id, locked in the order of their ids."""
        lock = self.lock and f"{self.lock} OF a"
        found = self.rows(
            f"SELECT {ACCOUNT} FROM {self.wanted['i']} account a WHERE a.id = j.a "
            f"ORDER BY a.id{lock}",
            self.keyed("i", [(number,) for number in sorted(ids)]),
        )
        return list(map(AccountRow._make, found))

    def receipts(self, wanted: Sequence[tuple[int, str]]) -> list[EventRow]:
        """Purchases without a member by program and receipt, locked, oldest first."""
        lock = self.lock and f"{self.lock} OF e"
        found = self.rows(
            f"SELECT {EVENT} FROM {self.wanted['it']} event e WHERE e.program = j.a "
            f"AND e.receipt = j.b AND e.state = {ALONE} ORDER BY e.n{lock}",
            self.keyed("it", wanted),
        )
        return list(map(EventRow._make, found))

    def limits(self, wanted: Sequence[tuple[int, str]], *, lock: bool) -> list[LimitRow]:
        """Shared limits by program and name, in that order; locked in that order if asked."""
        found = self.rows(
            "SELECT l.program, l.name, l.quantity, l.taken "
            f"FROM {self.wanted['it']} shared_limit l "
            "WHERE l.program = j.a AND l.name = j.b ORDER BY l.program, l.name"
            + (f"{self.lock} OF l" if lock and self.lock else ""),
            self.keyed("it", sorted(wanted)),
        )
        return list(map(LimitRow._make, found))

    # ── what a batch writes ──────────────────────────────────────────────────

    @abstractmethod
    def new_ids(self, count: int) -> list[int]:
        """Ids for new accounts, in rising order."""

    @abstractmethod
    def write(self, page: Page) -> None:
        """Write all rows of a batch. Then, or at the commit, it is a ``Conflict`` when somebody
        else wrote one of them, and ``Forbidden`` when one would break the books."""

    def seal(self, page: Page) -> None:
        """Make rows of what a page leaves to be sealed; ``sealed`` has the new chain values."""
        unknown = [ledger[0] for ledger in page.ledgers if ledger[HEAD] is None]
        self.sealed = seal(page, self.chain_values(unknown) if unknown else {})

    def chain_values(self, ids: Sequence[int]) -> dict[int, bytes]:
        """The chain value of the last entry of accounts."""
        found = self.rows(
            f"SELECT a.id, a.head FROM {self.wanted['i']} account a WHERE a.id = j.a",
            self.keyed("i", [(number,) for number in ids]),
        )
        return dict(found)

    def arrive(self, page: Page) -> None:
        """Let the events be decided that waited for what has come with a page."""
        # Ordered, so that the index is used even where nobody counted the rows yet.
        if not self.rows("SELECT waits FROM event WHERE waits IS NOT NULL ORDER BY waits LIMIT 1"):
            return
        decided = [row[0] for row in page.events if row[8] == DECIDED]
        self.execute(
            f"UPDATE event SET state = {READY}, waits = NULL "
            f"WHERE state IN ({PARKED}, {ALONE}) AND waits IN "
            f"(SELECT j.a FROM {self.wanted['t']} (SELECT 1) AS one)",
            self.keyed("t", [(each,) for each in page.arrived + decided]),
        )

    def take(self, claims: Sequence[tuple[int, int, str]]) -> bool:
        """Take (amount, program, limit) of locked limits; ``False`` when one has not enough."""
        for amount, program, name in claims:
            changed = self.execute(
                "UPDATE shared_limit SET taken = taken + ? WHERE program = ? AND name = ? "
                "AND taken + ? BETWEEN 0 AND quantity",
                (amount, program, name, amount),
            )
            if not changed:
                return False
        return True

    # ── programs and lists ───────────────────────────────────────────────────

    def publish(self, name: str, version: VersionRow) -> None:
        """Record a version, and its program if that is new."""
        self.execute(
            "INSERT INTO program (number, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (version.program, name),
        )
        self.insert("version", version._asdict())

    def cancel(self, program: int, number: int, at: int) -> None:
        """A version that has not begun is not one of the program's any more."""
        self.insert("cancelled", {"program": program, "version": number, "at": at})

    def wake(self, program: int, since: int) -> int:
        """Make all accounts of a program due at an instant, or before; how many there are."""
        return self.execute(
            "UPDATE account SET due = CASE WHEN due < ? THEN due ELSE ? END WHERE program = ?",
            (since, since, program),
        )

    def set_limit(self, program: int, name: str, quantity: int) -> None:
        """Say how many there are of something shared; ``Forbidden`` when more are taken."""
        self.execute(
            "INSERT INTO shared_limit (program, name, quantity) VALUES (?, ?, ?) "
            "ON CONFLICT (program, name) DO UPDATE SET quantity = excluded.quantity",
            (program, name, quantity),
        )

    def clear_flag(self, n: int, at: int) -> bool:
        """Somebody has looked at it."""
        return bool(self.execute("UPDATE flag SET cleared = ? WHERE n = ?", (at, n)))

    def retry(self, n: int, note: str) -> bool:
        """Let a parked or bad event be decided by the next batch."""
        return bool(
            self.execute(
                f"UPDATE event SET state = {READY}, waits = NULL, note = ? "
                f"WHERE n = ? AND state IN ({PARKED}, {BAD})",
                (note, n),
            )
        )

    def add_key(self, key: KeyRow) -> None:
        """Record a key of a caller."""
        self.insert("api_key", key._asdict())

    def revoke_key(self, prefix: str, at: int) -> bool:
        """Take a key away; ``False`` when there is none, or it was taken away before."""
        return bool(
            self.execute(
                "UPDATE api_key SET revoked = ? WHERE prefix = ? AND revoked IS NULL", (at, prefix)
            )
        )

    # ── checkpoints ──────────────────────────────────────────────────────────

    def settled(self) -> tuple[int, int]:
        """The greatest ``n`` of an entry and of an event below which none can come any more."""
        found = self.rows(
            "SELECT (SELECT coalesce(max(n), 0) FROM entry), "
            "(SELECT coalesce(max(n), 0) FROM event)"
        )
        return found[0][0], found[0][1]

    def add_checkpoint(self, checkpoint: CheckpointRow) -> None:
        """Record a checkpoint."""
        self.insert("checkpoint", checkpoint._asdict())

    def insert(self, table: str, values: dict[str, Any]) -> None:
        """Write one row."""
        marks = ", ".join("?" * len(values))
        self.execute(
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())
        )

    def insert_counted(self, table: str, values: dict[str, Any]) -> int:
        """Write one row whose ``number`` the database counts, whatever it says; that number."""
        said = {name: value for name, value in values.items() if name != "number"}
        marks = ", ".join("?" * len(said))
        found = self.rows(
            f"INSERT INTO {table} ({', '.join(said)}) VALUES ({marks}) RETURNING number",
            list(said.values()),
        )
        return int(found[0][0])
