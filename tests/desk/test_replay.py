"""Replay: what is recorded is enough to decide everything again, to the byte."""

from dataclasses import replace
from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.core.decision import ENGINE, Context, Decision, Entry
from kantis.core.events import Event
from kantis.desk import booking
from kantis.desk.booking import STAMP
from kantis.desk.programs import Engine
from kantis.desk.replay import Step, redecide, replayed
from kantis.desk.verify import Report
from kantis.engine.decide import decide
from kantis.engine.editions import EDITIONS
from tests.desk import stub
from tests.desk.day import day
from tests.desk.shop import NOON, Shop
from tests.desk.stub import STUB
from tests.desk.test_merging import TERMS, merge


def proof(shop: Shop) -> Report:
    report = redecide(shop.desk.books, Report(), shop.desk.engine)
    assert report.different == []
    return report


@pytest.mark.parametrize("seed", range(3))
def test_a_day_is_decided_again_as_it_was(shop: Shop, seed: int) -> None:
    events = day(shop, seed, 150)
    for i in range(0, len(events), 9):
        shop(*events[i : i + 9], importing=True)
        shop.desk.settle()
    assert proof(shop).redecided == shop.desk.books.counts()["entry"]


def test_sweeps_limits_versions_and_flags_are_replayed(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1"), shop.buy("z", "2", time=0))
    shop(shop.mug("m1", "1"), shop.mug("m2", "2"), shop.buy("old", "1", time=NOON - 99 * DAY_MS))
    shop.desk.publish("p", NOON + DAY_MS, "terms", {"rate": "2", "limits": {"mug": "2"}})
    shop(shop.buy("b", "1"), shop.mug("m3", "1"))
    shop.now += 2 * DAY_MS
    shop(shop.buy("c", "1"), shop.refund("f", "1", "a"))
    shop.now += 400 * DAY_MS
    assert shop.desk.sweep() == 2
    shop(shop.buy("d", "2"), shop.buy("alone", "", time=0))
    shop(shop.claim("cl", "2", "Ralone"), shop.refund("f2", "", "alone"))
    assert proof(shop).redecided == shop.desk.books.counts()["entry"]


def test_a_changed_rule_is_told_and_nothing_is_rewritten(shop: Shop) -> None:
    """The twin: another engine decides differently, and the proof says where."""

    def generous(program: object, account: object, event: Event, context: Context) -> list[Entry]:
        return stub.decide({**program, "rate": "2"}, account, event, context)  # type: ignore[arg-type,dict-item]

    shop(shop.enrol("1"), shop.buy("a", "1"), shop.buy("b", "1"), shop.enrol("2"))
    state = shop.state()
    report = redecide(shop.desk.books, Report(), replace(STUB, decide=generous))
    assert (report.differences, report.redecided, report.ok) == (2, 4, True)
    assert [(each.account, each.seq) for each in report.different] == [(1, 2), (1, 3)]
    assert "differently now" in report.different[0].message
    assert shop.state() == state


def test_an_event_whose_body_is_gone_is_folded(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"), shop.buy("b", "1"))
    shop.desk.books.execute("UPDATE event SET body = NULL WHERE key = 'till/a'")
    assert proof(shop).redecided == 2


def test_what_differs_is_told_once_for_each_entry() -> None:
    """Entries that are others, and the last one where there are more or fewer of them now."""
    one, two = Entry(1, 10, 1, Decision(), "", 0), Entry(2, 20, 1, Decision(), "till/a", 0)
    other = Entry(2, 20, 1, Decision(flags=["odd"]), "till/a", 0)
    due = Entry(2, 20, 1, Decision(), "till/a", 99)
    assert Step(1, [one, two], None).differing == []
    assert Step(1, [one, two], [one, due]).differing == []
    assert Step(1, [one, two], [one, other]).differing == [two]
    assert Step(1, [one, two], [one]).differing == [two]
    assert Step(1, [one, two], []).differing == [two]


def otherwise(program: Any, account: Any, event: Event, context: Context) -> list[Entry]:
    """An engine that raises a flag on merges and on one purchase, which the recorded one did
    not."""
    entries = decide(program, account, event, context)
    if event.id in ("merge-old", "odd"):
        entries[-1].decision.flags = ["otherwise"]
    return entries


@pytest.mark.parametrize(("engine", "zones"), [(1, STAMP[1]), (ENGINE, STAMP[1]), (1, "1999a")])
def test_what_an_edition_of_the_engine_has_changed_is_said(
    url: str, monkeypatch: pytest.MonkeyPatch, engine: int, zones: str
) -> None:
    monkeypatch.setattr(booking, "STAMP", (engine, zones))
    with Shop(url, Engine(), TERMS) as shop:
        shop(shop.enrol("old"), shop.enrol("new"), shop.buy("odd", "old"))
        merge(shop)
        report = redecide(shop.desk.books, Report(), replace(Engine(), decide=otherwise))
        found = replayed(shop.desk.books, replace(Engine(), decide=otherwise)).differences
    (odd, merged), other = found, f"It was decided with the time zone data {zones}, and now"
    rest = [] if zones == STAMP[1] else [f"{other} {STAMP[1]}."]
    assert odd.because == rest
    assert merged.because == [EDITIONS[0].what] * (engine == 1) + rest
    for told, each in zip(report.different, found, strict=True):
        assert all(why in told.message for why in each.because)
        assert ("report this as a bug" in told.message) == (not each.because)


def test_the_newest_edition_is_this_engine() -> None:
    assert [each.number for each in EDITIONS] == list(range(2, ENGINE + 1))
