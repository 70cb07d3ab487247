"""Budgets that stop: never a cent more, however many ask at once, and the books prove it.

Each race has a twin in which the guard is off: it has to fail, or the race proves nothing.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from msgspec import json

import kantis.desk
from kantis.core.account import Account, decode_account
from kantis.core.budgets import missed
from kantis.core.calendar import instant
from kantis.core.decision import Context, Entry
from kantis.core.events import Enrol, Event, Line, Load, Purchase, Refund
from kantis.core.knobs import ProgramError, plain
from kantis.desk import budget_stops, foresight, hooks, text
from kantis.desk.batch import Batch
from kantis.desk.cache import Cache
from kantis.desk.foresight import Foresight
from kantis.desk.measures.tallying import catch_up
from kantis.desk.programs import Engine
from kantis.desk.replay import redecide
from kantis.desk.results import Result
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.engine.decide import decide
from kantis.store import budgets as rows
from tests.desk.test_races import UnlockedPostgres, UnlockedSqlite, careless, deal, race
from tests.support.seals import seals_of

NOON = instant("2024-03-01T12:00:00Z")
PROGRAM = """
program: shop
money: EUR
timezone: Europe/Helsinki
balances: {points: {}}
prices:
  cheese: {where: {category: cheese}, off: 20 %, budget: 100.00 EUR}
earning:
  base: {give: 1 point per 1.00 EUR}
  launch: {where: {category: launch}, give: 70 points, budget: 2000 points}
offers:
  tea: {where: {category: tea}, give: 10 points, budget: 3 times}
"""
#: A day later.
LATER = NOON + 86_400_000


def tree(program: str = PROGRAM) -> object:
    return plain(text.read(program))


def slow(program: object, account: Account, event: Event, context: Context) -> list[Entry]:
    """Decide, and leave others time to get in between."""
    time.sleep(0.001)
    return decide(program, account, event, context)  # type: ignore[arg-type]


SLOW = Engine(decide=slow)


@contextmanager
def opened(url: str, members: int = 100) -> Iterator[Desk]:
    with kantis.desk.open(url, clock=lambda: NOON) as desk:
        assert isinstance(desk, Desk)
        desk.publish("shop", 0, PROGRAM, tree())
        desk.submit([say(f"e{n}", n, Enrol()) for n in range(members)])
        yield desk


def say(id: str, card: int, body: object, **more: object) -> Event:
    return Event("till", id, NOON, f"card:{card}", body, **more)  # type: ignore[arg-type]


def buy(id: str, card: int, category: str, amount: int = 50, **more: object) -> Event:
    return say(id, card, Purchase((Line("1", "", 1, amount, category=category),)), **more)


def given(results: list[Result]) -> int:
    return sum(fact[3] for each in results if each.entry for fact in each.entry.decision.fired)


def off(results: list[Result]) -> int:
    return sum(e[2] for each in results if each.entry for e in each.entry.decision.effects)


def proven(desk: Desk) -> dict[str, tuple[int, int]]:
    """What the books say of the budgets, once both proofs hold."""
    report = redecide(desk.books, verify(desk.books))
    assert not report.problems
    assert not report.differences
    return {each.name: (each.taken, each.quantity) for each in desk.books.all_limits()}


def test_1000_purchases_for_2000_points_get_28_times_70(url: str) -> None:
    events = [buy(f"b{n}", n % 100, "launch") for n in range(1_000)]
    with opened(url) as desk:
        answers = race(lambda: kantis.desk.open(url, engine=SLOW, clock=lambda: NOON),
                       deal(events, 4, 10))  # fmt: skip
        assert given(answers) == 28 * 70
        assert sum(bool(missed(x.entry.decision)) for x in answers if x.entry) == 1_000 - 28
        assert proven(desk)["budget launch"] == (1_960, 2_000)


def test_64_at_the_border_take_the_last_cent(url: str) -> None:
    """Fifty of sixty-four fit: each takes two euros off, and the budget is a hundred."""
    events = [buy(f"b{n}", n, "cheese", 1_000) for n in range(64)]
    with opened(url) as desk:
        answers = race(lambda: kantis.desk.open(url, engine=SLOW, clock=lambda: NOON),
                       deal(events, 16, 1))  # fmt: skip
        assert off(answers) == 10_000
        assert proven(desk)["budget cheese"] == (10_000, 10_000)


def unlocked(url: str) -> Desk:
    """A desk without locks, whose process does not know that others write too."""
    if url.startswith("postgresql:"):
        return Desk(UnlockedPostgres(url), engine=SLOW, clock=lambda: NOON)
    desk = Desk(UnlockedSqlite(url), engine=SLOW, clock=lambda: NOON)
    desk.cache = Cache(alone=True)
    return desk


def test_without_the_guard_more_is_taken_off(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: nobody looks again at what is left before the commit."""
    monkeypatch.setattr(Foresight, "take", careless)
    events = [buy(f"b{n}", n, "cheese", 1_000) for n in range(64)]
    with opened(url):
        pass
    assert off(race(lambda: unlocked(url), deal(events, 16, 1))) > 10_000


def test_what_comes_back_goes_to_who_waits_in_the_same_batch(url: str) -> None:
    with opened(url) as desk:
        desk.submit([buy(f"b{n}", n, "launch") for n in range(28)])
        (late,) = desk.submit([buy("more", 50, "launch")])
        assert late.entry is not None
        assert missed(late.entry.decision) == ["launch"]
        back, again = desk.submit([say("r", 3, Refund("b3")), buy("again", 51, "launch")])
        assert given([back]) == -70
        assert given([again]) == 70
        assert proven(desk)["budget launch"] == (1_960, 2_000)


def test_who_missed_it_is_decided_again_where_something_came_back_meanwhile(url: str) -> None:
    """No false end: what the locked row has more than was read goes to who went without."""
    with opened(url) as desk:
        desk.submit([buy(f"b{n}", n, "launch") for n in range(28)])
        real = Batch.write

        def meanwhile(batch: Batch) -> None:
            """Somebody else has taken back a purchase since this batch has read."""
            back = "UPDATE shared_limit SET taken = taken - 70 WHERE name = 'budget launch'"
            batch.books.execute(back)
            real(batch)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Batch, "write", meanwhile)
            (answer,) = desk.submit([buy("more", 50, "launch")])
            assert given([answer]) == 70
            patched.setattr(foresight, "missed", lambda decision: [])  # the twin: nobody asks
            (answer,) = desk.submit([buy("one-more", 51, "launch")])
            assert given([answer]) == 0


def test_a_new_version_raises_it_and_none_lowers_it_below_what_is_used(url: str) -> None:
    with opened(url) as desk:
        desk.submit([buy(f"b{n}", n, "launch") for n in range(28)])
        lower = PROGRAM.replace("2000 points", "1959 points")
        with pytest.raises(ProgramError, match="More than that is used of the budget of 'launch'"):
            desk.publish("shop", LATER, lower, tree(lower))
        raised = PROGRAM.replace("2000 points", "2030 points")
        desk.publish("shop", LATER, raised, tree(raised))
        first, second = desk.submit([buy("x", 50, "launch"), buy("y", 51, "launch")])
        assert (given([first]), given([second])) == (70, 0)
        assert proven(desk)["budget launch"] == (2_030, 2_030)


def test_an_offer_is_loaded_no_more_and_a_quote_says_so(url: str) -> None:
    with opened(url) as desk:
        for n in range(4):
            desk.submit([say(f"l{n}", n, Load("tea"), ask=True)])
        for n in range(3):
            (quoted,) = desk.quote([buy(f"q{n}", n, "tea")])
            (got,) = desk.submit([buy(f"t{n}", n, "tea")])
            assert given([quoted]) == given([got]) == 10
        (quoted,) = desk.quote([buy("q3", 3, "tea")])
        assert given([quoted]) == 0
        (no,) = desk.submit([say("l9", 9, Load("tea"), ask=True)])
        assert no.refusal is not None
        assert no.refusal.code == "budget-used-up"
        row = desk.books.account(desk.submit([buy("t3", 3, "tea")])[0].account)
        assert row is not None
        assert decode_account(row.snapshot).offers["tea"][0] >= 0, "it is still loaded"
        assert proven(desk)["budget tea"] == (3, 3)


def test_what_a_decision_took_is_in_the_books_or_the_proof_finds_it(url: str) -> None:
    with opened(url) as desk:
        desk.submit([buy("b", 1, "launch")])
        with desk.quiet():
            desk.books.execute("UPDATE shared_limit SET taken = 0 WHERE name = 'budget launch'")
        (problem,) = verify(desk.books).problems
        assert problem.code == "limit"
        with desk.quiet():
            desk.books.execute("DELETE FROM shared_limit WHERE name = 'budget launch'")
        assert [each.code for each in verify(desk.books).problems] == ["limit"]


def test_who_is_told_is_told_once_for_an_amount(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(url) as desk:
        hooks.make(
            desk, seals_of(desk), 1, "https://example.com/", ["budget.*"], "", lan=False
        )  # fmt: skip
        stand = {each.budget.name: each for each in stops(desk)}
        assert list(stand) == ["cheese", "launch", "tea"]
        assert (stand["launch"].used, stand["launch"].first, stand["launch"].gone) == (0, 0, 0)
        desk.submit([buy(f"b{n}", n, "launch") for n in range(22)])
        assert told(desk) == []
        desk.submit([buy("b22", 22, "launch")])
        assert told(desk) == [
            {
                "of": "rule launch", "counts": "points", "since": "2024-03-01",
                "used": "1610", "amount": "2000", "alarm": 80,
            }
        ]  # fmt: skip
        desk.submit([buy(f"b{n}", n, "launch") for n in range(23, 30)])
        assert told(desk) == [
            {
                "of": "rule launch", "counts": "points", "since": "2024-03-01",
                "used": "1960", "amount": "2000", "missed": 2,
            }
        ]  # fmt: skip
        assert told(desk) == []
        launch = next(each for each in stops(desk) if each.budget.name == "launch")
        assert (launch.left, launch.missed, launch.over, launch.stopped) == (40, 2, True, NOON)
        raised = PROGRAM.replace("2000 points", "4000 points")
        desk.publish("shop", LATER, raised, tree(raised))
        assert told(desk) == [], "it goes on, and nobody has gone without since"
        assert not next(each for each in stops(desk) if each.budget.name == "launch").alarming
        with desk.quiet():
            desk.books.execute("DELETE FROM budget_told")
        monkeypatch.setattr(rows, "tell", lambda *about: True)  # the twin: nobody notes it
        assert [budget_stops.tell(desk) for _ in range(2)] == [1, 1]


def stops(desk: Desk) -> list[budget_stops.Stop]:
    desk.homes.refresh(desk.books)
    return budget_stops.stops(desk.books, desk.homes.numbered(1), NOON)


def told(desk: Desk) -> list[dict[str, object]]:
    """What a round tells of budgets."""
    desk.checkpoint()
    catch_up(desk)
    before = desk.books.one("SELECT count(*) FROM delivery")
    budget_stops.tell(desk)
    bodies = desk.books.rows("SELECT body FROM delivery ORDER BY n")[before:]
    return [json.decode(body)["data"] for (body,) in bodies]
