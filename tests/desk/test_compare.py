"""What a version would change is known before it is published, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kantis import desk as desks
from kantis.core.account import decode_account
from kantis.core.calendar import DAY_MS, instant
from kantis.core.events import Activity, Enrol, Event, Line, Purchase
from kantis.core.knobs import ProgramError
from kantis.desk import compare as comparing
from kantis.desk.compare import Comparison, Move, Sums, compare
from kantis.desk.programs import Engine
from kantis.desk.submit import Desk
from tests.engine.member import NOON

APRIL = instant("2024-03-31T21:00:00Z")  # 00:00 of the first in Helsinki


def terms(**changed: Any) -> dict[str, Any]:
    return {
        "program": "p",
        "money": "EUR",
        "timezone": "Europe/Helsinki",
        "balances": {"points": {"expires": "12 months after earning"}},
        "counters": {
            "spend": {"counts": "spend", "window": "calendar year"},
            "friends": {"for": "friend", "counts": "quantity", "window": "ever"},
        },
        "tiers": {
            "status": {
                "by": "spend",
                "levels": {"basic": "from the start", "silver": "50 EUR", "gold": "100 EUR"},
                "lasts": "to the end of the next calendar year",
            }
        },
        "earning": {"base": {"give": "1 point per 1 EUR"}},
    } | changed


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Books with three members: 30 points; 100 and 100 a month later; none, but two friends."""
    with desks.open(str(tmp_path / "books.db")) as desk:
        assert isinstance(desk, Desk)
        desk.publish("p", 0, "", terms())

        def bought(name: str, card: int, amount: int, days: int = 0) -> Event:
            body = Purchase((Line("1", "a", 1, amount),))
            return Event("till", name, NOON + days * DAY_MS, f"card:{card}", body)

        friends = Event("till", "f", NOON, "card:3", Activity("friend", 2))
        joined = [Event("till", f"j{n}", NOON, f"card:{n}", Enrol()) for n in (1, 2, 3)]
        events = [
            *joined,
            bought("a", 1, 3000),
            bought("b", 2, 10000),
            friends,
            bought("c", 2, 10000, 20),
        ]
        results = desk.submit(events, importing=True)
        assert {each.outcome for each in results} == {"decided"}
        yield desk


def compared(desk: Desk, until: int = 0, **changed: Any) -> Comparison:
    found = compare(desk.books, "p", APRIL, terms(**changed), until)
    assert found is not None
    return found


def totals(desk: Desk) -> dict[int, int]:
    rows = desk.books.all_accounts(*desk.books.account_range())
    accounts = [decode_account(row.snapshot) for row in rows]
    return {each.id: sum(each.purse.get("points", [0])) for each in accounts}


def test_a_new_rate_touches_nobody(desk: Desk) -> None:
    found = compared(desk, earning={"base": {"give": "3 points per 1 EUR"}})
    assert (found.accounts, found.touched, found.begins, found.moments) == (3, 0, 0, [])
    assert found.version == 2


def test_points_that_die_sooner_are_told_with_their_day(desk: Desk) -> None:
    before = totals(desk)
    found = compared(
        desk,
        balances={"points": {"expires": "2 months after earning"}},
        existing={"expiry": "follows"},
    )
    assert totals(desk) == before
    assert found.touched == 2
    assert found.begins == instant("2024-05-05T21:00:00Z")
    told = [(each.at, each.balances["points"]) for each in found.moments[:1]]
    assert told == [(instant("2024-05-31T21:00:00Z"), Sums(losing=2, loss=230))]
    last = found.moments[-1]  # a year later they would have died anyway
    assert (last.at, last.balances) == (instant("2025-03-31T21:00:00Z"), {})
    with_march = found.moments[-2]
    assert with_march.balances == {"points": Sums(losing=2, loss=230)}


def test_what_is_granted_is_told_from_the_beginning_on(desk: Desk) -> None:
    found = compared(desk, existing={"grants": {"friends": "25 points"}})
    assert (found.touched, found.begins) == (1, APRIL)
    assert [(each.at, each.balances) for each in found.moments] == [
        (APRIL, {"points": Sums(gaining=1, gain=50)}),
        (instant("2025-03-31T21:00:00Z"), {}),
    ]


def test_of_so_many_of_the_newest_members(desk: Desk) -> None:
    sooner = terms(
        balances={"points": {"expires": "2 months after earning"}}, existing={"expiry": "follows"}
    )
    found = [compare(desk.books, "p", APRIL, sooner, newest=n) for n in (1, 2, 3, 99)]
    assert [each.accounts for each in found if each is not None] == [1, 2, 3, 3]
    assert [each.touched for each in found if each is not None] == [0, 1, 2, 2]


def test_levels_that_others_take_the_place_of_are_told(desk: Desk) -> None:
    group = terms()["tiers"]["status"]
    levels = {"basic": "from the start", "silver": "50 EUR", "top": "500 EUR"}
    found = compared(desk, tiers={"status": group | {"levels": levels}})
    down = Move("status", "gold", "basic", up=False)
    assert found.moments[0].moves == {down: 1}
    renamed = {"levels": {"gold": "top"}}
    found = compared(desk, tiers={"status": group | {"levels": levels}}, existing=renamed)
    assert [move.after for move in found.moments[0].moves] == ["top"]


def test_what_is_told_is_what_happens(desk: Desk) -> None:
    """The same terms, published: the sweep makes of the accounts what was foretold."""
    changed = {
        "balances": {"points": {"expires": "2 months after earning"}},
        "existing": {"expiry": "follows", "grants": {"friends": "25 points"}},
    }
    until = instant("2024-05-10T09:00:00Z")
    found = compared(desk, until, **changed)
    stays = sum(totals(desk).values())
    desk.publish("p", APRIL, "", terms(**changed))
    desk.sweep(until)
    sums = found.moments[-1].balances["points"]
    assert sums == Sums(losing=2, loss=130, gaining=1, gain=50)
    assert sum(totals(desk).values()) == stays + sums.gain - sums.loss


def test_without_a_published_version_there_is_nothing_to_compare(desk: Desk) -> None:
    assert compare(desk.books, "other", APRIL, terms()) is None
    with pytest.raises(ProgramError, match="balance-removed"):
        compared(desk, balances={"stars": {}}, earning={})
    with pytest.raises(ProgramError, match="versions-overlap"):
        compare(desk.books, "p", 0, terms())


def test_accounts_that_cannot_live_on_are_named(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = Engine().advance

    def fails(program: Any, account: Any, until: int) -> Any:
        assert program.number == 1 or account.id != 2, "terms that nobody can apply"
        return advance(program, account, until)

    monkeypatch.setattr(comparing, "Engine", lambda: Engine(advance=fails))
    assert compared(desk).failed == [2]
