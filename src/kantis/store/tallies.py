"""Tallies: what has been counted of the books, per program and day, so that reports need no fold.

Nothing here is the truth: all of it can be forgotten and counted again from the books. One
row of ``tallied`` says up to which entry and event everything is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kantis.store.books import Books, Conflict
from kantis.store.reading import Reading

_ALL: Final = (
    "tally", "tallied_account", "tallied_voucher", "tallied_had", "tallied_month", "tallied_arm",
)  # fmt: skip

#: Program, day, what, name, part.
Key = tuple[int, int, str, str, str]
#: How many, and how much.
Sum = tuple[int, int]


class Tallied(NamedTuple):
    """Up to which entry and event everything is counted, and when the last of it was booked;
    ``zones`` is in whose days."""

    entry: int
    event: int
    upto: int
    zones: str


class AccountRow(NamedTuple):
    """What has to be remembered of an account: the days on which it joined, bought first, and
    bought again; the months with a purchase; the levels that it has."""

    account: int
    joined: int
    first: int
    second: int
    months: str
    levels: str


class VoucherRow(NamedTuple):
    """An open voucher."""

    account: int
    code: str
    kind: str
    worth: int


class Arm(NamedTuple):
    """The arm of an account in a draw for a segment.

    It was ``drawn`` then; whether it is ``held`` back, how often it has bought since and for how
    much, less what came back.
    """

    program: int
    name: str
    drawn: str
    account: int
    held: int
    times: int
    amount: int


def tallied(books: Reading) -> Tallied:
    """How far everything is counted; at first nothing is."""
    found = books.rows("SELECT entry, event, upto, zones FROM tallied")
    return Tallied(*found[0]) if found else Tallied(0, 0, 0, "")


def count_in(books: Books, zones: str) -> None:
    """Say in whose days it is counted."""
    books.execute(
        "INSERT INTO tallied (number, entry, event, upto, zones) VALUES (1, 0, 0, 0, ?) "
        "ON CONFLICT (number) DO UPDATE SET zones = excluded.zones",
        (zones,),
    )


def forget(books: Books, zones: str) -> None:
    """Forget all that is counted; it is counted again from the first entry."""
    for table in _ALL:
        books.execute(f"DELETE FROM {table}")
    books.execute("UPDATE tallied SET entry = 0, event = 0, upto = 0, zones = ?", (zones,))


def move_on(books: Books, before: Tallied, after: Tallied) -> None:
    """Say how far everything is counted; ``Conflict`` when another has counted meanwhile."""
    moved = books.execute(
        "UPDATE tallied SET entry = ?, event = ?, upto = ? WHERE entry = ? AND event = ?",
        (after.entry, after.event, after.upto, before.entry, before.event),
    )
    if moved != 1:
        raise Conflict("the tallies were counted by another process")


def add(books: Books, sums: Iterable[tuple[Key, Sum]]) -> None:
    """Add to what is counted."""
    for key, sum_ in sums:
        books.execute(
            "INSERT INTO tally (program, day, what, name, part, count, amount) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (program, day, what, name, part) "
            "DO UPDATE SET count = tally.count + excluded.count, "
            "amount = tally.amount + excluded.amount",
            (*key, *sum_),
        )


def accounts(books: Reading, numbers: Iterable[int]) -> dict[int, AccountRow]:
    """What is remembered of accounts."""
    found = books.rows(
        f"SELECT {', '.join(f'e.{name}' for name in AccountRow._fields)} "
        f"FROM {books.wanted['i']} tallied_account e WHERE e.account = j.a",
        books.keyed("i", [(number,) for number in numbers]),
    )
    return {row[0]: AccountRow(*row) for row in found}


def remember(books: Books, rows: Iterable[AccountRow]) -> None:
    """Remember accounts as they are now."""
    for row in rows:
        books.execute(
            "INSERT INTO tallied_account (account, joined, first, second, months, levels) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET "
            "joined = excluded.joined, first = excluded.first, second = excluded.second, "
            "months = excluded.months, levels = excluded.levels",
            row,
        )


def vouchers(books: Reading, numbers: Iterable[int]) -> dict[tuple[int, str], VoucherRow]:
    """The open vouchers of accounts."""
    found = books.rows(
        f"SELECT e.account, e.code, e.kind, e.worth FROM {books.wanted['i']} tallied_voucher e "
        "WHERE e.account = j.a",
        books.keyed("i", [(number,) for number in numbers]),
    )
    return {(row[0], row[1]): VoucherRow(*row) for row in found}


def open_voucher(books: Books, row: VoucherRow) -> None:
    """There is another open voucher."""
    books.execute(
        "INSERT INTO tallied_voucher (account, code, kind, worth) VALUES (?, ?, ?, ?)", row
    )


def close_voucher(books: Books, account: int, code: str) -> None:
    """A voucher is not open any more."""
    books.execute("DELETE FROM tallied_voucher WHERE account = ? AND code = ?", (account, code))


def all_tallies(books: Reading) -> dict[Key, Sum]:
    """Everything that is counted, of all programs."""
    found = books.rows("SELECT program, day, what, name, part, count, amount FROM tally")
    return {(row[0], row[1], row[2], row[3], row[4]): (row[5], row[6]) for row in found}


def of_program(books: Reading, program: int) -> list[tuple[int, str, str, str, int, int]]:
    """(day, what, name, part, count, amount) of a program, by day."""
    found = books.rows(
        "SELECT day, what, name, part, count, amount FROM tally WHERE program = ? "
        "ORDER BY day, what, name, part",
        (program,),
    )
    return [tuple(row) for row in found]


# ── who had what, and who bought when ────────────────────────────────────────


def add_had(books: Books, rows: Iterable[tuple[tuple[int, str, int, int], int]]) -> None:
    """Add how often somebody had something on a day: ((program, name, day, account), times)."""
    for key, times in rows:
        books.execute(
            "INSERT INTO tallied_had (program, name, day, account, times) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (program, name, day, account) "
            "DO UPDATE SET times = tallied_had.times + excluded.times",
            (*key, times),
        )


def add_bought(books: Books, rows: Iterable[tuple[tuple[int, int], tuple[int, int, int]]]) -> None:
    """Add what somebody bought in a month: ((account, month), (last day, count, amount))."""
    for key, sums in rows:
        books.execute(
            "INSERT INTO tallied_month (account, month, last, count, amount) "
            "VALUES (?, ?, ?, ?, ?) ON CONFLICT (account, month) DO UPDATE SET "
            "last = CASE WHEN excluded.last > tallied_month.last THEN excluded.last "
            "ELSE tallied_month.last END, count = tallied_month.count + excluded.count, "
            "amount = tallied_month.amount + excluded.amount",
            (*key, *sums),
        )


def all_had(books: Reading) -> list[tuple[int, str, int, int, int]]:
    """(program, name, day, account, times) of everything."""
    found = books.rows("SELECT program, name, day, account, times FROM tallied_had")
    return [tuple(row) for row in found]


def all_bought(books: Reading) -> list[tuple[int, int, int, int, int]]:
    """(account, month, last, count, amount) of everything."""
    found = books.rows("SELECT account, month, last, count, amount FROM tallied_month")
    return [tuple(row) for row in found]


def havers(books: Reading, program: int, since: int) -> dict[str, int]:
    """How many members had each thing from a day on; who gave it back did not."""
    found = books.rows(
        "SELECT h.name, count(*) FROM (SELECT name, account FROM tallied_had "
        "WHERE program = ? AND day >= ? GROUP BY name, account HAVING sum(times) > 0) AS h "
        "GROUP BY h.name",
        (program, since),
    )
    return dict(found)


# ── the arms of draws, and what was bought since ─────────────────────────────

_ARM: Final = ", ".join(f"e.{name}" for name in Arm._fields)


def arms(books: Reading, numbers: Iterable[int]) -> list[Arm]:
    """The arms of accounts."""
    found = books.rows(
        f"SELECT {_ARM} FROM {books.wanted['i']} tallied_arm e WHERE e.account = j.a",
        books.keyed("i", [(number,) for number in numbers]),
    )
    return [Arm(*row) for row in found]


def all_arms(books: Reading) -> list[Arm]:
    """The arms of everybody."""
    return [Arm(*row) for row in books.rows(f"SELECT {_ARM} FROM tallied_arm e")]


def keep_arms(books: Books, rows: Iterable[Arm]) -> None:
    """Remember arms as they are now."""
    for row in rows:
        books.execute(
            "INSERT INTO tallied_arm (program, name, drawn, account, held, times, amount) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (program, name, drawn, account) "
            "DO UPDATE SET times = excluded.times, amount = excluded.amount",
            row,
        )


def end_arms(books: Books, rows: Iterable[Arm]) -> None:
    """Forget arms that count no longer."""
    for row in rows:
        books.execute(
            "DELETE FROM tallied_arm WHERE program = ? AND name = ? AND drawn = ? AND account = ?",
            row[:4],
        )


def arms_of(books: Reading, program: int) -> list[tuple[str, str, int, int, int, int, int]]:
    """(segment, drawn, held, members, who bought, amount, the sum of squares of amounts) of each
    draw of a program, the older ones first."""
    found = books.rows(
        "SELECT name, drawn, held, count(*), sum(CASE WHEN times > 0 THEN 1 ELSE 0 END), "
        "sum(amount), sum(1.0 * amount * amount) FROM tallied_arm WHERE program = ? "
        "GROUP BY name, drawn, held ORDER BY name, drawn, held",
        (program,),
    )
    return [(*row[:3], *(int(each) for each in row[3:])) for row in found]
