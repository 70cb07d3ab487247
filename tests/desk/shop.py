"""A shop to test the desk with: a clock that stands still, and short ways to say events."""

from types import TracebackType
from typing import Any, Self

from msgspec import msgpack

import kantis.desk
from kantis.core.account import decode_account
from kantis.core.calendar import instant
from kantis.core.events import (
    Body,
    Claim,
    Enrol,
    Event,
    Know,
    Line,
    Purchase,
    Redeem,
    Refund,
    Transfer,
)
from kantis.desk.programs import Engine
from kantis.desk.results import Result
from kantis.desk.submit import Desk
from kantis.desk.verify import Report, verify
from kantis.store.books import Books
from tests.desk.stub import STUB

NOON = instant("2024-03-01T12:00:00Z")
TERMS = {"limits": {"mug": "100"}}


class Shop:
    """A desk on its books. ``now`` is the clock; events happen now unless they say when."""

    def __init__(self, url: str, engine: Engine = STUB, terms: Any = TERMS) -> None:
        self.url, self.now = url, NOON
        desk = kantis.desk.open(url, engine=engine, clock=lambda: self.now)
        assert isinstance(desk, Desk)
        self.desk = desk
        if "p" not in desk.books.programs():
            desk.publish("p", NOON, "terms", terms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.desk.close()

    def __call__(self, *events: Event, importing: bool = False) -> list[Result]:
        return self.desk.submit(events, importing=importing)

    # ── events ───────────────────────────────────────────────────────────────

    def tell(self, id: str, subject: str, body: Body, **other: Any) -> Event:
        return Event("till", id, other.pop("time", self.now), subject, body, **other)

    def ask(self, id: str, subject: str, body: Body, **other: Any) -> Event:
        return self.tell(id, subject, body, ask=True, **other)

    def enrol(self, card: str, **other: Any) -> Event:
        return self.tell(f"enrol-{card}", f"card:{card}", Enrol(), **other)

    def buy(self, id: str, card: str, amount: int = 1000, **other: Any) -> Event:
        body = Purchase((Line("1", "latte", 1, amount),), receipt=f"R{id}")
        return self.tell(id, f"card:{card}" if card else "", body, **other)

    def bomb(self, id: str, card: str) -> Event:
        return self.tell(id, f"card:{card}", Purchase((Line("1", "bomb"),)))

    def redeem(self, id: str, card: str, points: int = 100, **other: Any) -> Event:
        return self.ask(id, f"card:{card}", Redeem("money-off", points=points), **other)

    def mug(self, id: str, card: str) -> Event:
        return self.ask(id, f"card:{card}", Redeem("mug"))

    def refund(self, id: str, card: str, of: str, **other: Any) -> Event:
        return self.tell(id, f"card:{card}" if card else "", Refund(of), **other)

    def claim(self, id: str, card: str, receipt: str) -> Event:
        return self.ask(id, f"card:{card}", Claim(receipt))

    def transfer(self, id: str, card: str, to: str, points: int) -> Event:
        return self.tell(id, f"card:{card}", Transfer("points", points, to))

    def close_account(self, card: str) -> Event:
        return self.tell(f"close-{card}", f"card:{card}", Know("closed", "yes"))

    # ── what the books say ───────────────────────────────────────────────────

    def points(self, card: str) -> int:
        """What a card has, as its balance row says it."""
        account = self.desk.books.cards([(1, card)])[1, card]
        return sum(row.available + row.owed for row in self.desk.books.balances(account))

    def prove(self) -> Report:
        """Everything in the books is what was decided."""
        report = verify(self.desk.books)
        assert report.ok, "\n".join(map(str, report.problems))
        return report

    def state(self) -> list[Any]:
        """All that the books say of accounts, to compare two shops."""
        return state(self.desk.books)


def state(books: Books) -> list[Any]:
    """All that books say of accounts, whatever number each of them has."""
    found: list[Any] = []
    with books.reader() as frozen:
        frozen.freeze()
        names = {account: token for _, token, account in frozen.all_cards()}
        for row in frozen.all_accounts(0, 1 << 60):
            account = decode_account(row.snapshot)
            account.id = 0
            found.append((names.get(row.id), row.seq, row.due, account))
        for entry, postings, _ in frozen.history(0, 1 << 60):
            found.append((names[entry.account], entry[1:-1], postings))
    return sorted(found, key=repr)


def codes(results: list[Result]) -> list[str]:
    """What became of each event: its outcome, or the code of its refusal."""
    return [each.refusal.code if each.refusal else each.outcome for each in results]


def said(result: Result) -> bytes:
    """What an answer says, apart from whether it was said before."""
    return msgpack.encode(
        (result.key, result.outcome, result.account, result.entry, result.refusal)
    )
