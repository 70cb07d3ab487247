"""A pilot on real books: proved, decided again the same way, and over when all have its terms."""

from __future__ import annotations

from pathlib import Path

from kantis import desk as desks
from kantis.core.account import decode_account
from kantis.core.calendar import DAY_MS
from kantis.core.events import Enrol, Event, Line, Purchase, Refund
from kantis.desk.replay import redecide, replayed
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from tests.engine.member import NOON
from tests.engine.test_pilots import PILOT, terms


def test_a_pilot_is_proved_and_decided_again(tmp_path: Path) -> None:
    with desks.open(str(tmp_path / "books.db")) as desk:
        assert isinstance(desk, Desk)
        desk.publish("p", 0, "", terms(1))

        def bought(name: str, card: int, day: int, location: str) -> Event:
            body = Purchase((Line("1", "a", 1, 10_000),), location=location)
            return Event("till", name, NOON + day * DAY_MS, f"card:{card}", body)

        def submit(*events: Event) -> None:
            results = desk.submit(list(events), importing=True)
            assert {each.outcome for each in results} == {"decided"}

        joined = [Event("till", f"j{n}", NOON, f"card:{n}", Enrol()) for n in (1, 2)]
        submit(*joined, bought("a", 1, 1, "north"), bought("b", 2, 1, "north"))
        levels = {"basic": "from the start", "silver": "20 EUR", "gold": "100 EUR"}
        pilot = terms(
            2,
            **PILOT,
            balances={"points": {"expires": "2 months after earning"}},
            tiers={"status": {"by": "spend", "levels": levels, "lasts": "12 months"}},
            existing={"expiry": "follows"},
        )
        assert desk.publish("p", NOON + 10 * DAY_MS, "", pilot) == 2
        submit(bought("c", 1, 11, "harbour"), bought("d", 2, 11, "south"))
        submit(bought("e", 1, 12, "south"), bought("f", 2, 12, "south"))
        back = Event("till", "r", NOON + 13 * DAY_MS, "card:1", Refund("a"))
        submit(back, bought("g", 1, 14, "south"))
        desk.sweep(NOON + 40 * DAY_MS)
        assert desk.publish("p", NOON + 50 * DAY_MS, "", terms(5)) == 3
        submit(bought("h", 1, 51, "north"), bought("i", 2, 51, "north"))
        desk.sweep(NOON + 90 * DAY_MS)
        rows = desk.books.all_accounts(*desk.books.account_range())
        one, two = [decode_account(row.snapshot) for row in rows]
        assert (one.purse["points"][0], two.purse["points"][0]) == (500, 100 * 3 + 500)
        assert one.tiers["status"].level == two.tiers["status"].level == 1
        report = verify(desk.books)
        assert report.ok
        assert redecide(desk.books, report).differences == 0
        found = replayed(desk.books)
        assert (found.accounts, found.different, found.skipped) == (2, 0, 0)
