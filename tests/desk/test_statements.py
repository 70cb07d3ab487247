"""Statements from the books: what time does is in them, whether it was written yet or not."""

from typing import Any

import msgspec

import kantis.desk
from kantis.core.calendar import DAY_MS, instant
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.desk.showing import standing
from kantis.desk.statements import statement
from kantis.desk.submit import Desk
from tests.doors.service.market import MARKET

NOON = instant("2024-03-01T12:00:00Z")


def told(desk: Desk, now: int, count: int = 100, page: int = 0) -> dict[str, Any]:
    row = desk.books.account(1)
    assert row is not None
    home = desk.homes.numbered(1)
    found = statement(desk.books, home, row, now, (0, 0), (page, count))
    assert found.closing == standing(desk.books, home, row, now)["balances"] or found.next
    return dict(msgspec.to_builtins(found))


def test_time_counts_before_it_is_written(url: str) -> None:
    now = NOON
    with kantis.desk.open(url, clock=lambda: now) as desk:
        assert isinstance(desk, Desk)
        source = MARKET.format(name="market")
        desk.publish("market", 0, source, plain(text.read(source)))
        desk.submit([Event("t", "1", 0, "card:1", Enrol())])
        for n in range(3):
            now = NOON + n * 40 * DAY_MS
            lines = (Line("1", "slow", 1, 1_000, "slow"),)
            desk.submit([Event("t", f"b{n}", 0, "card:1", Purchase(lines))])
        now = NOON + 600 * DAY_MS
        unwritten = told(desk, now)
        assert any("expired" in each["sentences"][0] for each in unwritten["movements"])
        assert unwritten["closing"]["points"]["available"] == "0"
        assert len(unwritten["movements"]) > 4
        by_one, page = [], 0
        while True:
            found = told(desk, now, 1, page)
            by_one += found["movements"]
            page = found["next"]
            if not page:
                break
        assert by_one == unwritten["movements"]
        desk.sweep()
        assert told(desk, now) == unwritten
