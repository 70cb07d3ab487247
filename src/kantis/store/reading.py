"""Reading: what proofs, reports and people read of the books, in the words of both stores.

A list of wanted keys is a table ``j`` made of parameters: so the number of statements does
not depend on the length of the list. Each wanted key has one or two values, ``j.a`` and
``j.b``; a store says in its own words what such a table is.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, ClassVar, Final

from kantis.core.account import Posting
from kantis.store.byhand import MOVED
from kantis.store.rows import (
    BALANCE_COLUMNS,
    ENTRY_COLUMNS,
    EVENT_COLUMNS,
    AccountRow,
    BalanceRow,
    CheckpointRow,
    EntryRow,
    EventRow,
    FlagRow,
    KeyRow,
    LimitRow,
    Recorded,
    Row,
    Table,
    VersionRow,
)
from kantis.store.schema import BAD, PARKED, READY

_TABLES: Final = ("account", "card", "event", "entry", "posting", "balance", "checkpoint")

EVENT: Final = ", ".join(f"e.{name}" for name in ("n", *EVENT_COLUMNS))
ENTRY: Final = ", ".join(f"e.{name}" for name in ENTRY_COLUMNS)
ACCOUNT: Final = "a.id, a.program, a.seq, a.due, a.head, a.snapshot"
POSTING: Final = (
    "e.account, e.seq, e.balance, e.source, e.target, e.amount, e.lot, e.reason, e.value, "
    "e.booked, e.n"
)
#: As the index of events that are not final says it, or it would not be used.
OPEN: Final = f"state IN ({READY}, {PARKED}, {BAD})"

#: Rows of the accounts of a program.
_OF: Final = "WHERE account IN (SELECT id FROM account WHERE program = ?) "

#: A statement and its values.
Asked = tuple[str, Sequence[Any]]
ASKS_EDITION: Final[Asked] = (
    "SELECT (SELECT count(*) FROM version) + (SELECT count(*) FROM cancelled)",
    [],
)

#: What an account has of entries: each with its postings, and whether they agree.
Ledger = list[tuple[EntryRow, list[Posting], bool]]

_account: Final = itemgetter(0)
_entry_row: Final = tuple.__new__

_NOT_CANCELLED: Final = (
    " AND NOT EXISTS (SELECT 1 FROM cancelled c"
    " WHERE c.program = v.program AND c.version = v.number)"
)


class Reading(ABC):
    """One connection to the books, for reading."""

    #: How many statements were sent, for those who count them.
    statements: int = 0
    #: Wanted keys as a table ``j``, each look-up after the other, by the kinds of their
    #: values: ``i`` for whole numbers, ``t`` for texts.
    wanted: ClassVar[Mapping[str, str]]

    @abstractmethod
    def keyed(self, kinds: str, keys: Sequence[Row]) -> Sequence[Any]:
        """The parameters of wanted keys of these kinds."""

    @abstractmethod
    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a statement; ``?`` stands for a value."""

    @abstractmethod
    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Any]:
        """The rows of a statement one by one, without holding them all."""

    @abstractmethod
    def freeze(self, token: str = "") -> str:
        """See the books as they are at one instant, from now on.

        The token that comes back lets another reader see the same instant.
        """

    def one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The one value that a statement finds."""
        return self.rows(statement, values)[0][0]

    @abstractmethod
    def schema_number(self) -> int:
        """The number of the tables' schema, 0 for an empty database; ``Outage`` for another's."""

    @abstractmethod
    def layout(self) -> dict[str, Table]:
        """The tables that the books are made of, as they stand in this database."""

    # ── programs and lists ───────────────────────────────────────────────────

    def programs(self) -> dict[str, int]:
        """The programs of the installation, by name."""
        return dict(self.rows("SELECT name, number FROM program"))

    def edition(self) -> int:
        """Grows with each published version, and with each that is cancelled."""
        return int(self.one(*ASKS_EDITION))

    def versions(self, program: int, *, cancelled: bool = False) -> list[VersionRow]:
        """The published versions of a program, in order; those that were cancelled before they
        began only where they are asked for."""
        without = "" if cancelled else _NOT_CANCELLED
        found = self.rows(
            f"SELECT {', '.join(VersionRow._fields)} FROM version v "
            f"WHERE program = ?{without} ORDER BY number",
            (program,),
        )
        return list(map(VersionRow._make, found))

    def flags(self, count: int) -> list[FlagRow]:
        """Flags that nobody has cleared, oldest first."""
        found = self.rows(
            f"SELECT {', '.join(FlagRow._fields)} FROM flag "
            "WHERE cleared IS NULL ORDER BY n LIMIT ?",
            (count,),
        )
        return list(map(FlagRow._make, found))

    def waiting(self, state: int, count: int, above: int = 0) -> list[EventRow]:
        """Events in a state that is not final (ready, parked, bad), oldest first."""
        found = self.rows(
            f"SELECT {EVENT} FROM event e WHERE state = ? AND {OPEN} AND n > ? ORDER BY n LIMIT ?",
            (state, above, count),
        )
        return list(map(EventRow._make, found))

    def gone_to(self) -> tuple[str, int] | None:
        """Where these books were moved to and when; ``None`` while they are the books."""
        found = self.rows(f"SELECT target, at FROM {MOVED}")
        return (found[0][0], found[0][1]) if found else None

    def all_keys(self) -> list[KeyRow]:
        """The keys of callers, oldest first; revoked ones too."""
        found = self.rows(f"SELECT {', '.join(KeyRow._fields)} FROM api_key ORDER BY number")
        return list(map(KeyRow._make, found))

    def key(self, digest: bytes) -> KeyRow | None:
        """The key with that hash."""
        found = self.rows(
            f"SELECT {', '.join(KeyRow._fields)} FROM api_key WHERE hash = ?", (digest,)
        )
        return KeyRow._make(found[0]) if found else None

    def revoked(self, numbers: Sequence[int]) -> set[int]:
        """Those keys of callers that are revoked, of these numbers."""
        return {row[0] for row in self.rows(*self.asks_revoked(numbers))}

    def asks_revoked(self, numbers: Sequence[int]) -> Asked:
        """The statement of ``revoked``."""
        return (
            f"SELECT k.number FROM {self.wanted['i']} api_key k "
            "WHERE k.number = j.a AND k.revoked IS NOT NULL",
            self.keyed("i", [(each,) for each in numbers]),
        )

    # ── by key ───────────────────────────────────────────────────────────────

    def cards(self, keys: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
        """The accounts of cards, each named by program and token."""
        found = self.rows(*self.asks_cards(keys))
        return {(program, token): account for program, token, account in found}

    def asks_cards(self, keys: Sequence[tuple[int, str]]) -> Asked:
        """The statement of ``cards``."""
        return (
            f"SELECT c.program, c.token, c.account FROM {self.wanted['it']} card c "
            "WHERE c.program = j.a AND c.token = j.b",
            self.keyed("it", keys),
        )

    def tokens(self, account: int) -> list[str]:
        """The cards of an account."""
        found = self.rows("SELECT token FROM card WHERE account = ? ORDER BY token", (account,))
        return [row[0] for row in found]

    def account(self, number: int) -> AccountRow | None:
        """One account as it is now, without a lock."""
        found = self.rows(f"SELECT {ACCOUNT} FROM account a WHERE id = ?", (number,))
        return AccountRow._make(found[0]) if found else None

    def balances(self, account: int) -> list[BalanceRow]:
        """The balance rows of an account."""
        found = self.rows(
            f"SELECT {', '.join(BALANCE_COLUMNS)} FROM balance WHERE account = ? ORDER BY balance",
            (account,),
        )
        return list(map(BalanceRow._make, found))

    def events(self, keys: Iterable[str]) -> list[EventRow]:
        """Events by key."""
        return list(map(EventRow._make, self.rows(*self.asks_events(keys))))

    def asks_events(self, keys: Iterable[str]) -> Asked:
        """The statement of ``events``."""
        wanted = f"SELECT {EVENT} FROM {self.wanted['t']} event e WHERE e.key = j.a"
        return wanted, self.keyed("t", [(key,) for key in keys])

    def entries(self, places: Iterable[tuple[int, int]]) -> list[Recorded]:
        """Entries by account and seq, in that order."""
        keys, wanted = self.keyed("ii", sorted(set(places))), self.wanted["ii"]
        where = "WHERE e.account = j.a AND e.seq = j.b ORDER BY e.account, e.seq"
        entries = self.rows(f"SELECT {ENTRY} FROM {wanted} entry e {where}", keys)
        postings = self.rows(f"SELECT {POSTING} FROM {wanted} posting e {where}, e.n", keys)
        return [
            (entry, made) for _, ledger in together(entries, postings) for entry, made, _ in ledger
        ]

    def first_seq(self, account: int, at: int) -> int:
        """The number of an account's first entry from an instant on; after all, if there is none.

        The instants of an account's entries never fall.
        """
        found = self.rows(
            "SELECT min(seq) FROM entry WHERE account = ? AND at >= ?", (account, at)
        )[0][0]
        if found is not None:
            return int(found)
        return int(self.one("SELECT coalesce(max(seq), 0) + 1 FROM entry WHERE account = ?",
                            (account,)))  # fmt: skip

    def moved(self, account: int, below: int) -> list[tuple[str, int, int, int]]:
        """(balance, from place, to place, amount) of all postings before an entry, in sums."""
        found = self.rows(
            "SELECT balance, source, target, sum(amount) FROM posting "
            "WHERE account = ? AND seq < ? GROUP BY balance, source, target",
            (account, below),
        )
        return [(name, source, target, int(amount)) for name, source, target, amount in found]

    def moving(self, account: int, first: int, below: int, count: int) -> list[int]:
        """The numbers of the entries that move something, from the first on, in order."""
        found = self.rows(
            "SELECT DISTINCT seq FROM posting WHERE account = ? AND seq >= ? AND seq < ? "
            "ORDER BY seq LIMIT ?",
            (account, first, below, count),
        )
        return [row[0] for row in found]

    def undoing(self, causes: Sequence[tuple[int, str]]) -> list[Recorded]:
        """Entries of an account that name an event as their cause, in order."""
        found = self.rows(
            f"SELECT e.account, e.seq FROM {self.wanted['it']} entry e "
            "WHERE e.account = j.a AND e.cause = j.b AND e.cause <> ''",
            self.keyed("it", causes),
        )
        return self.entries((account, seq) for account, seq in found) if found else []

    def due(self, until: int, count: int) -> list[tuple[int, int]]:
        """(id, instant) of accounts for which time does something until then, soonest first."""
        found = self.rows(
            "SELECT id, due FROM account WHERE due IS NOT NULL AND due <= ? ORDER BY due LIMIT ?",
            (until, count),
        )
        return [(number, at) for number, at in found]

    # ── everything, in order ─────────────────────────────────────────────────

    def account_range(self) -> tuple[int, int]:
        """The smallest and the greatest account id; (0, -1) when there is none."""
        found = self.rows("SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM account")
        return found[0][0], found[0][1]

    def newest_account(self, program: int, rank: int) -> int:
        """The id of a program's newest account, or of the one so many ranks before it; 0 where
        there are not so many."""
        found = self.rows(
            "SELECT id FROM account WHERE program = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
            (program, rank),
        )
        return int(found[0][0]) if found else 0

    def ledgers(self, first: int, last: int) -> Iterator[tuple[int, Ledger]]:
        """All entries of each account from ``first`` to ``last``, in order."""
        where = "WHERE e.account BETWEEN ? AND ? ORDER BY e.account, e.seq"
        entries = self.stream(f"SELECT {ENTRY} FROM entry e {where}", (first, last))
        postings = self.stream(f"SELECT {POSTING} FROM posting e {where}, e.n", (first, last))
        return together(entries, postings)

    def history(self, first: int, last: int) -> Iterator[tuple[EntryRow, list[Posting], bool]]:
        """Entries of the accounts from ``first`` to ``last``, by account and seq."""
        return (each for _, ledger in self.ledgers(first, last) for each in ledger)

    def all_accounts(self, first: int, last: int) -> Iterator[AccountRow]:
        """Accounts in the order of their ids."""
        found = self.stream(
            f"SELECT {ACCOUNT} FROM account a WHERE id BETWEEN ? AND ? ORDER BY id", (first, last)
        )
        return map(AccountRow._make, found)

    def all_balances(self, first: int, last: int) -> Iterator[BalanceRow]:
        """Balance rows by account."""
        found = self.stream(
            f"SELECT {', '.join(BALANCE_COLUMNS)} FROM balance "
            "WHERE account BETWEEN ? AND ? ORDER BY account, balance",
            (first, last),
        )
        return map(BalanceRow._make, found)

    def all_events(self) -> Iterator[tuple[EventRow, Row]]:
        """Events in the order of their arrival, each with what its entry says of it.

        That is (event, cause, digest, program of the account); nulls where there is no entry.
        """
        found = self.stream(
            f"SELECT {EVENT}, x.event, x.cause, x.digest, a.program FROM event e "
            "LEFT JOIN entry x ON x.account = e.account AND x.seq = e.seq "
            "LEFT JOIN account a ON a.id = e.account ORDER BY e.n"
        )
        return ((EventRow._make(row[:-4]), row[-4:]) for row in found)

    def all_cards(self) -> Iterator[tuple[int, str, int]]:
        """(program, token, account) of all cards."""
        return self.stream("SELECT program, token, account FROM card ORDER BY program, token")

    def all_limits(self) -> list[LimitRow]:
        """All shared limits."""
        found = self.rows(
            f"SELECT {', '.join(LimitRow._fields)} FROM shared_limit ORDER BY program, name"
        )
        return list(map(LimitRow._make, found))

    def places(self, program: int = 0) -> list[tuple[str, int, int, int]]:
        """(balance, source, target, sum of amounts) over all postings, or those of a program."""
        found = self.rows(
            "SELECT balance, source, target, CAST(sum(amount) AS bigint) "
            f"FROM posting {_OF if program else ''}"
            "GROUP BY balance, source, target ORDER BY balance, source, target",
            (program,) if program else (),
        )
        return [(balance, source, target, total) for balance, source, target, total in found]

    def purses(self, program: int = 0) -> dict[str, list[int]]:
        """For each balance the sum over all accounts, or those of a program, per place."""
        sums = ", ".join(f"CAST(sum({name}) AS bigint)" for name in BALANCE_COLUMNS[2:])
        found = self.rows(
            f"SELECT balance, {sums} FROM balance {_OF if program else ''}"
            "GROUP BY balance ORDER BY balance",
            (program,) if program else (),
        )
        return {row[0]: list(row[1:]) for row in found}

    def heads(self, above: int, upto: int = 1 << 62) -> Iterator[tuple[int, int, int, bytes]]:
        """(n, account, seq, chain value) of entries after ``above`` up to ``upto``, by n."""
        return self.stream(
            "SELECT n, account, seq, chain FROM entry WHERE n > ? AND n <= ? ORDER BY n",
            (above, upto),
        )

    def hashes(self, above: int, upto: int = 1 << 62) -> Iterator[tuple[int, bytes]]:
        """(n, hash) of events after ``above`` up to ``upto``, by n."""
        return self.stream(
            "SELECT n, hash FROM event WHERE n > ? AND n <= ? ORDER BY n", (above, upto)
        )

    def horizon(self) -> tuple[int, int] | None:
        """The greatest ``n`` of an entry and of a flag below which all that ever comes is seen by
        whoever begins to read now. ``None`` when that cannot be said at the moment."""
        found = self.rows(
            "SELECT (SELECT coalesce(max(n), 0) FROM entry), (SELECT coalesce(max(n), 0) FROM flag)"
        )
        return found[0][0], found[0][1]

    def call(self) -> bool:
        """Tell those who ``hear`` that there is something new; whether the store can do that."""
        return False

    def hear(self, seconds: float) -> bool:
        """Wait so long, or until somebody calls; whether somebody has."""
        time.sleep(seconds)
        return False

    def last_checkpoint(self) -> CheckpointRow:
        """The newest checkpoint; one with the number 0 when there is none."""
        found = self.rows(
            f"SELECT {', '.join(CheckpointRow._fields)} FROM checkpoint "
            "ORDER BY number DESC LIMIT 1"
        )
        return CheckpointRow._make(found[0]) if found else CheckpointRow(0, 0, 0, 0, 0, bytes(16))

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints, in order."""
        found = self.rows(
            f"SELECT {', '.join(CheckpointRow._fields)} FROM checkpoint ORDER BY number"
        )
        return list(map(CheckpointRow._make, found))

    def counts(self) -> dict[str, int]:
        """How many rows stand in each table of the books."""
        return {name: self.one(f"SELECT count(*) FROM {name}") for name in _TABLES}


#: Comes after every account.
_END: Final = (1 << 63, 0)


def together(entries: Iterable[Row], postings: Iterable[Row]) -> Iterator[tuple[int, Ledger]]:
    """Accounts with their entries, from two streams in the order of account and seq.

    The third value of an entry says whether its postings carry its instants and are counted
    from 0. Postings without an entry come with one of their own, which has no chain value.
    """
    rest = iter(postings)
    row: Row = next(rest, _END)
    for account, rows in groupby(chain(entries, (_END,)), _account):
        while row[0] < account:
            yield row[0], [(_stray(row), [row[2:8]], False)]
            row = next(rest, _END)
        ledger: Ledger = []
        for each in rows if account < _END[0] else ():
            seq, booked, value = each[1], each[4], each[5]
            while row[0] == account and row[1] < seq:
                ledger.append((_stray(row), [row[2:8]], False))
                row = next(rest, _END)
            made: list[Posting] = []
            agree = True
            while row[1] == seq and row[0] == account:
                if row[8] != value or row[9] != booked or row[10] != len(made):
                    agree = False
                made.append(row[2:8])
                row = next(rest, _END)
            ledger.append((_entry_row(EntryRow, each), made, agree))
        if ledger:
            yield account, ledger


def _stray(row: Row) -> EntryRow:
    return EntryRow(row[0], row[1], "", 0, 0, 0, 0, 0, 0, "", 0, "", b"", b"", b"", b"")
