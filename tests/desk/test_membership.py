"""Plans and forfeited points in the books: swept, proved, and decided again to the byte."""

from collections.abc import Iterator

import pytest
from msgspec import msgpack

from kantis.core.account import decode_account
from kantis.core.calendar import DAY_MS
from kantis.core.decision import decode_decision
from kantis.core.events import Enjoy, Forfeit, Line, Purchase, Reinstate, Subscribe, Unsubscribe
from kantis.desk.programs import Engine
from kantis.desk.replay import redecide
from kantis.desk.verify import Report
from tests.desk.shop import NOON, Shop, codes

TERMS = {
    "program": "p",
    "money": "EUR",
    "timezone": "Europe/Helsinki",
    "balances": {"points": {"expires": "never", "lost unless": {"plan": "club"}}},
    "plans": {
        "club": {
            "fee": ["5.00 EUR per month", "50.00 EUR per year"],
            "refund": "full if no benefit was used",
        }
    },
    "entitlements": {"lounge": {"who": {"plan": "club"}, "good for": "the lounge"}},
    "earning": {"base": {"give": "1 point per 1.00 EUR", "available": "when confirmed"}},
    "forfeiture": {
        "bill": {"of": "points", "reinstated within": "2 months", "reinstated for": "3.00 EUR"}
    },
}


@pytest.fixture
def shop(url: str) -> Iterator[Shop]:
    """A club on every store, with the engine that members meet."""
    with Shop(url, Engine(), TERMS) as shop:
        shop(*[shop.enrol(card) for card in "123"])
        yield shop
        shop.prove()


def fees(shop: Shop) -> list[tuple[int, str, int]]:
    """(account, why, amount) of every fee in the books."""
    found = []
    with shop.desk.books.reader() as frozen:
        frozen.freeze()
        for entry, _, _ in frozen.history(0, 1 << 60):
            decision = decode_decision(entry.decision)
            found += [(entry.account, why, amount) for _, why, amount in decision.fees]
    return found


def test_a_year_of_a_club_is_proved_and_decided_again(shop: Shop) -> None:
    bill = Purchase((Line("1", "x", 1, 2000),), group="bill")
    told = shop(
        shop.ask("s1", "card:1", Subscribe("club")),
        shop.ask("s2", "card:2", Subscribe("club", "year")),
        shop.ask("e2", "card:2", Enjoy("lounge")),
        shop.ask("e3", "card:3", Enjoy("lounge")),
        shop.tell("b1", "card:1", bill),
        shop.tell("b2", "card:2", bill),
    )
    assert codes(told) == ["decided"] * 3 + ["not-entitled-plan"] + ["decided"] * 2
    shop.now = NOON + 40 * DAY_MS
    assert shop.desk.sweep()
    shop(shop.tell("f1", "card:1", Forfeit("bill")), shop.tell("f2", "card:2", Forfeit("bill")))
    shop.now = NOON + 60 * DAY_MS
    shop(shop.ask("r1", "card:1", Reinstate("bill")))
    shop(shop.ask("u1", "card:1", Unsubscribe("club")))
    shop(shop.ask("u2", "card:2", Unsubscribe("club")))
    assert shop.points("1") == 0
    shop.now = NOON + 500 * DAY_MS
    shop.desk.sweep()
    assert fees(shop) == [
        (1, "first term", 500),
        (1, "renewal", 500),
        (1, "reinstatement", 300),
        (1, "refund", -500),
        (2, "first term", 5000),
    ]
    with shop.desk.books.reader() as frozen:
        frozen.freeze()
        states = [decode_account(row.snapshot) for row in frozen.all_accounts(0, 1 << 60)]
    assert [s.plans["club"].state for s in states if s.plans] == ["ended", "ended"]
    assert not any(each.forfeits for each in states)
    report = redecide(shop.desk.books, Report(), shop.desk.engine)
    assert report.different == []
    assert report.redecided == shop.desk.books.counts()["entry"]


def test_a_fee_that_is_edited_is_found(shop: Shop) -> None:
    """The twin: what a decision says of a fee is part of what is proved."""
    shop(shop.ask("s1", "card:1", Subscribe("club")))
    books = shop.desk.books
    if books.lock:
        books.execute("DROP TRIGGER entry_append_only ON entry")
    else:
        books.execute("DROP TRIGGER entry_UPDATE")
    with books.reader() as frozen:
        frozen.freeze()
        entries = [entry for entry, _, _ in frozen.history(0, 1 << 60) if entry.seq == 2]
    (whole,) = [entry.decision for entry in entries]
    raw = msgpack.decode(whole)
    raw[-1][0][2] = 400
    books.execute("UPDATE entry SET decision = ? WHERE seq = 2", (msgpack.encode(raw),))
    with pytest.raises(AssertionError):
        shop.prove()
    books.execute("UPDATE entry SET decision = ? WHERE seq = 2", (whole,))
