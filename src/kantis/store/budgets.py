"""Budgets: what a merchant wants to spend, in the books; never changed, only ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books
    from kantis.store.reading import Reading

TABLES: Final = """
CREATE TABLE budget (
    number {int} PRIMARY KEY,
    program {int} NOT NULL,
    what {text} NOT NULL,
    name {text} NOT NULL,
    counts {text} NOT NULL,
    amount {int} NOT NULL CHECK (amount > 0),
    per {text} NOT NULL,
    alarm {int} NOT NULL CHECK (alarm BETWEEN 1 AND 100),
    since {int} NOT NULL,
    alarmed {int} NOT NULL,
    ended {int}
){end};
"""


#: What was told of the budgets of program files, each once for an amount.
TOLD: Final = """
CREATE TABLE budget_told (
    program {int} NOT NULL,
    name {text} NOT NULL,
    amount {int} NOT NULL,
    told {text} NOT NULL,
    at {int} NOT NULL,
    missed {int} NOT NULL,
    PRIMARY KEY (program, name, amount, told)
){end};
"""


class ToldRow(NamedTuple):
    """That the budget of a rule, at this amount, has come to its alarm or has ``stopped``; and
    how many had gone without the rule by then."""

    program: int
    name: str
    amount: int
    told: str
    at: int
    missed: int


class BudgetRow(NamedTuple):
    """A budget: of ``what`` and its ``name`` (both empty: of the whole program), in ``money`` or
    ``times``, per calendar window, or ``ever`` from the day ``since`` on. It alarms at a share
    in percent; ``alarmed`` is the first day of the window for which it has, or 0."""

    number: int
    program: int
    what: str
    name: str
    counts: str
    amount: int
    per: str
    alarm: int
    since: int
    alarmed: int = 0
    ended: int | None = None


_ROW: Final = ", ".join(BudgetRow._fields)


def add(books: Books, row: BudgetRow) -> int:
    """Write down a budget; its number is the next one."""
    number = (books.one("SELECT max(number) FROM budget") or 0) + 1
    books.insert("budget", row._replace(number=number)._asdict())
    return int(number)


def end(books: Books, program: int, number: int, at: int) -> bool:
    """A budget counts no longer; ``False`` where there is none."""
    return bool(
        books.execute(
            "UPDATE budget SET ended = ? WHERE number = ? AND program = ? AND ended IS NULL",
            (at, number, program),
        )
    )


def alarm(books: Books, number: int, first: int) -> bool:
    """Note the alarm of a window; ``False`` when somebody has noted it before."""
    return bool(
        books.execute(
            "UPDATE budget SET alarmed = ? WHERE number = ? AND alarmed < ? AND ended IS NULL",
            (first, number, first),
        )
    )


def tell(books: Books, row: ToldRow) -> bool:
    """Note that it was told; ``False`` when it was before."""
    return bool(
        books.execute(
            "INSERT INTO budget_told (program, name, amount, told, at, missed) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            tuple(row),
        )
    )


def told(books: Reading, program: int) -> list[ToldRow]:
    """What was told of the budgets in a program's file."""
    found = books.rows(
        f"SELECT {', '.join(ToldRow._fields)} FROM budget_told WHERE program = ?", (program,)
    )
    return [ToldRow(*row) for row in found]


def budgets(books: Reading, program: int = 0) -> list[BudgetRow]:
    """The budgets that count, of a program or (0) of all."""
    found = books.rows(
        f"SELECT {_ROW} FROM budget WHERE ended IS NULL AND ? IN (0, program) ORDER BY number",
        (program,),
    )
    return [BudgetRow(*row) for row in found]
