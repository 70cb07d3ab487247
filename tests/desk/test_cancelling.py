"""A version that is cancelled before it begins never was: not for points, not for the proofs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import kantis.desk
from kantis.core.calendar import DAY_MS
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.core.knobs import ProgramError, plain
from kantis.desk import text
from kantis.desk.replay import redecide
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.store import hands

BEGIN = 1_790_000_000_000
BY = ("test", "Test")
FILE = """\
program: club
money: EUR
timezone: UTC
balances: {{points: {{expires: 12 months after earning}}}}
earning: {{all: {{give: {n} points per 1 EUR}}}}
rewards: {{mug: {{cost: 5 points, stock: {stock}}}}}
"""


class Clock:
    """A clock that a test moves."""

    now = BEGIN

    def __call__(self) -> int:
        return self.now


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A desk on each store with a program, and a clock to move."""
    on_postgres = request.param == "postgres"
    url = request.getfixturevalue("pg_url") if on_postgres else str(tmp_path / "books.db")
    with kantis.desk.open(url, clock=Clock()) as found:
        publish(found, 1, 0)
        yield found


def publish(desk: Desk, n: int, since: int, stock: int = 10) -> int:
    source = FILE.format(n=n, stock=stock)
    return desk.publish("club", since, source, plain(text.read(source)), BY)


def trade(desk: Desk, *days: int) -> None:
    """Days pass, and on each of them everybody buys."""
    clock = desk.clock
    assert isinstance(clock, Clock)
    for day in days:
        clock.now = BEGIN + day * DAY_MS
        desk.sweep()
        for card in ("1", "2"):
            if day == days[0]:
                desk.submit([Event("t", f"e{card}", clock.now, f"card:{card}", Enrol())])
            body = Purchase((Line("1", "", 1, 1_000),))
            desk.submit([Event("t", f"p{card}-{day}", clock.now, f"card:{card}", body)])
    desk.sweep()


def points(desk: Desk) -> int:
    return desk.books.purses()["points"][0]


def proved(desk: Desk) -> list[str]:
    """What the proofs say against the books, and what would be decided differently."""
    report = verify(desk.books)
    redecide(desk.books, report)
    assert report.redecided > 4
    return [str(each) for each in (*report.problems, *range(report.differences))]


def code(desk: Desk, number: int) -> str:
    with pytest.raises(ProgramError) as caught:
        desk.cancel("club", number, BY)
    return caught.value.faults[0].code


def test_a_cancelled_version_never_was(desk: Desk) -> None:
    trade(desk, 0, 1)
    assert publish(desk, 100, BEGIN + 10 * DAY_MS) == 2
    trade(desk, 2, 3)
    assert desk.cancel("club", 2, BY) == 1
    trade(desk, 4, 9, 10, 11, 400)
    assert points(desk) == 2 * 10  # of the last day; what came before is dead
    assert proved(desk) == []


def test_without_cancelling_it_would_have_been(desk: Desk) -> None:
    """The twin: the same days, and the version begins."""
    trade(desk, 0, 1)
    publish(desk, 100, BEGIN + 10 * DAY_MS)
    trade(desk, 2, 9, 11, 400)
    assert points(desk) == 2 * 1_000
    assert proved(desk) == []


def test_its_number_is_not_given_again_and_the_next_one_holds(desk: Desk) -> None:
    trade(desk, 0)
    publish(desk, 100, BEGIN + 10 * DAY_MS)
    desk.cancel("club", 2, BY)
    assert desk.cancel("club", 2, BY) == 1
    assert publish(desk, 3, BEGIN + 5 * DAY_MS) == 3
    trade(desk, 4, 6, 11)
    assert points(desk) == 2 * (10 + 10 + 30 + 30)
    assert proved(desk) == []
    assert [each.number for each in desk.books.versions(1)] == [1, 3]
    assert [each.number for each in desk.books.versions(1, cancelled=True)] == [1, 2, 3]


def test_the_middle_one_of_three_is_left_out(desk: Desk) -> None:
    trade(desk, 0)
    publish(desk, 100, BEGIN + 5 * DAY_MS)
    publish(desk, 2, BEGIN + 10 * DAY_MS)
    trade(desk, 1)
    assert desk.cancel("club", 2, BY) == 3
    trade(desk, 6, 12)
    assert points(desk) == 2 * (10 + 10 + 10 + 20)
    assert proved(desk) == []


def test_what_has_begun_stays(desk: Desk) -> None:
    trade(desk, 0)
    assert code(desk, 1) == "has-begun"
    assert code(desk, 7) == "unknown-version"
    publish(desk, 2, BEGIN + DAY_MS)
    clock = desk.clock
    assert isinstance(clock, Clock)
    clock.now = BEGIN + DAY_MS - 60_000  # an event may be a minute ahead
    assert code(desk, 2) == "has-begun"
    clock.now = BEGIN + DAY_MS - 180_000
    assert desk.cancel("club", 2, BY) == 1


def test_the_stock_is_that_of_the_versions_that_are_left(desk: Desk) -> None:
    publish(desk, 1, BEGIN + DAY_MS, stock=99)
    assert [each.quantity for each in desk.books.all_limits()] == [99]
    desk.cancel("club", 2, BY)
    assert [each.quantity for each in desk.books.all_limits()] == [10]


def test_it_stands_in_the_audit_log_and_is_not_undone(desk: Desk) -> None:
    publish(desk, 2, BEGIN + DAY_MS)
    desk.cancel("club", 2, BY)
    (line,) = hands.audit(desk.books, 99, 9, deed="cancel")
    assert (line.about, line.name) == ("club 2", "Test")
    for statement in ("UPDATE cancelled SET at = 1", "DELETE FROM cancelled"):
        with pytest.raises(Exception, match="append-only"):
            desk.books.execute(statement)
        desk.books.rollback()


def test_a_version_that_decided_and_was_cancelled_shows(desk: Desk) -> None:
    """The twin of the proof: what nobody may do, done by hand."""
    publish(desk, 2, BEGIN + DAY_MS)
    trade(desk, 0, 2)
    assert proved(desk) == []
    desk.books.begin_alone()
    desk.books.cancel(1, 2, BEGIN)
    desk.books.commit()
    assert any("Version 2 of program 1" in str(each) for each in verify(desk.books).problems)
