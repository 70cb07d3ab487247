"""Answers: what members said about purchases, month by month, from the answers themselves."""

from __future__ import annotations

from msgspec import Struct, field

from kantis.store import surveys
from kantis.store.reading import Reading


class Answers(Struct):
    """What members said about purchases in a month: how many were asked, how many answers have
    each score."""

    asked: int = 0
    scores: dict[int, int] = field(default_factory=dict)

    def of(self, *scores: int) -> int:
        """How many answers have one of these scores."""
        return sum(self.scores.get(each, 0) for each in scores)


def answers(books: Reading, program: int) -> dict[int, Answers]:
    """What members said, by the first day of the month."""
    found = {first: Answers(n) for first, n in surveys.asked_by_month(books, program).items()}
    for first, score, count in surveys.scores_by_month(books, program):
        found.setdefault(first, Answers()).scores[score] = count
    return found
