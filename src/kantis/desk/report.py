"""Report: what a proof has found, with the place of each problem and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

#: Problems that are described; the others are counted.
PROBLEMS_MAX: Final = 100
RESTORE: Final = "Restore the row from a backup, and find out who can write to the database."

#: Told while a proof runs: what is being done, how far, and of how much.
Progress = Callable[[str, int, int], None]


class Problem(Struct, frozen=True):
    """Something in the books that cannot be, and what to do about it."""

    code: str
    account: int
    seq: int
    message: str

    def __str__(self) -> str:
        where = f"account {self.account}" if self.account else "books"
        where += f", entry {self.seq}" if self.seq else ""
        return f"{where}: {self.message} [{self.code}]"


class Report(Struct):
    """What was proved, and what was not."""

    accounts: int = 0
    entries: int = 0
    postings: int = 0
    events: int = 0
    checkpoints: int = 0
    redecided: int = 0
    differences: int = 0
    wrong: int = 0
    problems: list[Problem] = field(default_factory=list)
    different: list[Problem] = field(default_factory=list)
    limits: dict[tuple[int, str], int] = field(default_factory=dict)
    versions: set[tuple[int, int]] = field(default_factory=set)

    def tell_difference(self, account: int, seq: int, message: str) -> None:
        """Note a decision that would be another one now; that is no problem of the books."""
        self.differences += 1
        if len(self.different) < PROBLEMS_MAX:
            self.different.append(Problem("differs", account, seq, message))

    @property
    def ok(self) -> bool:
        """Whether everything was proved."""
        return not self.wrong

    def take_over(self, other: Report) -> None:
        """Add what another process has found."""
        self.accounts += other.accounts
        self.entries += other.entries
        self.postings += other.postings
        self.events += other.events
        self.wrong += other.wrong
        self.problems += other.problems[: PROBLEMS_MAX - len(self.problems)]
        self.versions |= other.versions
        for limit, taken in other.limits.items():
            self.limits[limit] = self.limits.get(limit, 0) + taken

    def add(self, code: str, account: int, seq: int, message: str) -> None:
        """Note a problem; the first ones are described."""
        self.wrong += 1
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(code, account, seq, message))
