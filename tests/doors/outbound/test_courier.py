"""The courier: signed, tried again, given up, in order, and by nobody twice if it can be helped."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.desk import hooks, outbox
from kantis.desk.submit import Desk, wall_clock
from kantis.doors.outbound import courier
from kantis.doors.outbound.courier import Courier
from tests.desk.test_outbox import buy, club, enrol, open_club
from tests.house.sources import REPO
from tests.support.receiver import Receiver, is_signed, receiving
from tests.support.seals import seals_of, vault_of

__all__ = ["club"]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "books.db")
    return str(request.getfixturevalue("pg_url"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class Clock:
    """The machine's clock, which can be put forward."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return wall_clock() + self.ahead


@contextmanager
def delivering(
    desk: Desk, clock: Callable[[], int] = wall_clock, **options: Any
) -> Iterator[Courier]:
    wrong: list[Exception] = []
    found = Courier(
        desk, wrong.append, lan=True, vault=vault_of(desk.books.address), now=clock, **options
    )
    try:
        yield found
    finally:
        found.close()
    assert wrong == []


def make(desk: Desk, receiver: Receiver, path: str, *types: str) -> tuple[int, str]:
    """A webhook at a path of the receiver; its number and its secret."""
    id, secret = hooks.make(desk, seals_of(desk), 1, receiver.url(path), list(types), "", lan=True)
    found = hooks.hook(desk.books, 1, id)
    assert found is not None
    return found.number, secret


def until(there: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.01)


def states(desk: Desk, hook: int = 1) -> list[tuple[str, int]]:
    with desk.quiet():
        found = hooks.deliveries(desk.books, hook, "", 1 << 60, 100)
    return [(sent.state, sent.tries) for sent, _ in reversed(found)]


def state(desk: Desk, hook: int = 1) -> str:
    with desk.quiet():
        return next(each.state for each in hooks.hooks(desk.books, 1) if each.number == hook)


def test_messages_come_signed_and_once(club: Desk, receiver: Receiver) -> None:
    _, secret = make(club, receiver, "/ok")
    with delivering(club) as found:
        club.submit([enrol("1"), buy("a", "1")])
        receiver.wait("/ok", 2)
        until(lambda: states(club) == [("delivered", 1)] * 2)
        until(lambda: found.counts == {"delivered": 2})
    first, second = receiver.verified("/ok", secret)
    assert first["type"] == "kantis.account.opened.v1"
    assert second["data"]["amount"] == 10
    headers = receiver.came[0][1]
    assert headers["webhook-id"] == first["id"]
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert not is_signed(headers, receiver.came[0][2] + b" ", secret), "a changed body is caught"


def test_both_secrets_sign_for_a_day_and_then_the_new_one_only(
    club: Desk, receiver: Receiver
) -> None:
    number, former = make(club, receiver, "/ok")
    secret = hooks.rotate(club, seals_of(club), number, hooks.hooks(club.books, 1)[0].id)
    clock = Clock()
    with delivering(club, clock):
        club.submit([enrol("1")])
        receiver.wait("/ok", 1)
        clock.ahead = DAY_MS + 1
        club.chore("test_hook", number)
        receiver.wait("/ok", 2)
    (_, first, body), (_, _, _) = receiver.came
    assert is_signed(first, body, former)
    assert is_signed(first, body, secret)
    signatures = [headers["webhook-signature"] for _, headers, _ in receiver.came]
    assert [len(each.split()) for each in signatures] == [2, 1]


def test_it_is_tried_again_and_then_given_up(club: Desk, receiver: Receiver) -> None:
    number, _ = make(club, receiver, "/fail")
    club.chore("change_hook", number, receiver.url("/fail"), [], "", False)
    clock, waits = Clock(), []
    with delivering(club, clock):
        club.submit([enrol("1")])
        for tries in range(1, 11):
            until(lambda tries=tries: states(club)[:1] in ([("waiting", tries)], [("dead", tries)]))
            with club.quiet():
                sent, attempts = hooks.deliveries(club.books, number, "", 1 << 60, 1)[0]
                club.chore("change_hook", number, receiver.url("/fail"), [], "", False)
            waits.append(sent.due - attempts[-1].at)
            clock.ahead += max(0, sent.due - clock())
    for wait, expected in zip(waits[:-1], outbox.RETRIES_S, strict=True):
        assert expected * 1_000 <= wait <= expected * 1_100 + 2_000
    assert states(club) == [("dead", 10)]
    assert len(receiver.came) == 10
    assert len({headers["webhook-id"] for _, headers, _ in receiver.came}) == 1
    assert [each.status for each in attempts] == [500] * 10
    assert attempts[0].answer == "x" * 500


def test_what_was_given_up_is_sent_again_when_somebody_asks(club: Desk, receiver: Receiver) -> None:
    number, _ = make(club, receiver, "/switch", "points.*")
    receiver.status = 500
    club.submit([enrol("1"), buy("a", "1"), buy("b", "1")])
    with club.quiet():
        club.books.execute("UPDATE webhook SET created = 0")
    with delivering(club):
        until(lambda: [each for each, _ in states(club)] == ["waiting"] * 2)
        until(lambda: ("waiting", 1) in states(club))
    club.chore("resend_range", number, 0, 1 << 60, [0])
    club.books.execute("UPDATE delivery SET state = 2, tries = 10")
    receiver.status = 200
    with delivering(club):
        time.sleep(0.3)
        assert all(each == "dead" for each, _ in states(club))
        assert club.chore("resend_range", number, 0, 1 << 60, [2]) == 2
        until(lambda: states(club) == [("delivered", 1)] * 2)
        came = len(receiver.came)
        message = receiver.at("/switch")[0]["id"]
        assert club.chore("resend", number, message)
        receiver.wait("/switch", came + 1)
        assert not club.chore("resend", number, "nothing")


def test_whoever_wants_no_more_is_not_called_and_the_others_are_told(
    club: Desk, receiver: Receiver
) -> None:
    gone, _ = make(club, receiver, "/gone")
    make(club, receiver, "/ok", "webhook.*")
    with delivering(club):
        club.submit([enrol("1"), buy("a", "1")])
        until(lambda: state(club, gone) == "disabled")
        (told,) = receiver.wait("/ok", 1)
        club.submit([buy("b", "1")])
        time.sleep(0.3)
    assert told["type"] == "kantis.webhook.disabled.v1"
    assert "410" in told["data"]["reason"]
    assert len(receiver.at("/gone")) == 1


def test_after_five_days_of_failing_it_is_not_called_any_more(
    club: Desk, receiver: Receiver
) -> None:
    number, _ = make(club, receiver, "/switch")
    receiver.status = 503
    clock = Clock()
    with delivering(club, clock):
        club.submit([enrol("1")])
        until(lambda: states(club)[:1] == [("waiting", 1)])
        clock.ahead = outbox.FAILING_MS - 60_000
        until(lambda: states(club) == [("waiting", 2)])
        assert state(club) == "active"
        clock.ahead = outbox.FAILING_MS + 600_000
        until(lambda: state(club) == "disabled")
        receiver.status = 200
        club.submit([buy("a", "1")])
        club.chore("change_hook", number, receiver.url("/switch"), [], "", False)
        clock.ahead += DAY_MS
        until(lambda: states(club) == [("delivered", 4), ("delivered", 1)])
    assert state(club) == "active"


def test_of_an_account_the_order_is_kept_while_one_fails(club: Desk, receiver: Receiver) -> None:
    make(club, receiver, "/switch", "points.earned")
    receiver.status = 500
    with delivering(club):
        club.submit([enrol("1"), enrol("2"), buy("a", "1", 1)])
        receiver.wait("/switch", 1)
        receiver.status = 200
        club.submit([buy("b", "1", 2), buy("c", "2", 3), buy("d", "1", 4)])
        until(lambda: all(each == "delivered" for each, _ in states(club)), 30)
    amounts = [(each["subject"], each["data"]["amount"]) for each in receiver.at("/switch")]
    assert [n for account, n in amounts if account == "account:1"] == [1, 1, 2, 4]
    assert amounts.index(("account:2", 3)) < amounts.index(("account:1", 2)), "no other waits"


def test_twin_without_the_order_the_later_one_comes_first(
    club: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "ORDERED_TRIES", -1)
    make(club, receiver, "/switch", "points.earned")
    receiver.status = 500
    with delivering(club):
        club.submit([enrol("1"), buy("a", "1", 1)])
        receiver.wait("/switch", 1)
        receiver.status = 200
        club.submit([buy("b", "1", 2)])
        until(lambda: all(each == "delivered" for each, _ in states(club)), 30)
    assert [each["data"]["amount"] for each in receiver.at("/switch")] == [1, 2, 1]


def test_one_that_fails_for_long_is_no_longer_waited_for(club: Desk, receiver: Receiver) -> None:
    make(club, receiver, "/ok", "points.earned")
    club.submit([enrol("1"), buy("a", "1", 1), buy("b", "1", 2)])
    with club.quiet(), club.books.reader() as reader:
        outbox.spread(reader, club)
        later = wall_clock() + DAY_MS
        club.books.execute("UPDATE delivery SET tries = 4, due = ? WHERE n = 1", (later,))
    with delivering(club):
        receiver.wait("/ok", 1)
        until(lambda: states(club) == [("waiting", 4), ("delivered", 1)])


def test_a_slow_receiver_holds_up_no_other(club: Desk, receiver: Receiver) -> None:
    make(club, receiver, "/slow")
    make(club, receiver, "/ok")
    with delivering(club, timeout_s=5.0):
        club.submit([enrol(str(n)) for n in range(100)])
        receiver.wait("/ok", 100, 60)
        assert 0 < len(receiver.at("/slow")) < 100
        receiver.over.set()


KILLED = """
import sys, time
from tests.desk.test_outbox import open_club
from kantis.doors.outbound.courier import Courier
with open_club(sys.argv[1]) as desk:
    Courier(desk, print, lan=True, vault=sys.argv[2])
    print("up", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_courier_had_taken_is_delivered_by_another(
    url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that have been sent and not noted come a second time; none is missing."""
    with open_club(url) as desk:
        make(desk, receiver, "/slow")
        desk.submit([enrol(str(n)) for n in range(20)])
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, vault_of(url)], stdout=subprocess.PIPE, cwd=REPO,
        env=os.environ | {"PYTHONPATH": str(REPO)},
    )  # fmt: skip
    receiver.wait("/slow", courier.PER_HOOK)
    process.kill()
    process.communicate()
    receiver.over.set()
    clock = Clock()
    with open_club(url) as desk, delivering(desk, clock):
        receiver.wait("/slow", courier.PER_HOOK + 12)
        assert sum(each == "delivered" for each, _ in states(desk)) <= 12
        clock.ahead = outbox.LEASE_MS + 1
        until(lambda: states(desk) == [("delivered", 1)] * 20)
    ids = [each["id"] for each in receiver.at("/slow")]
    assert len(set(ids)) == 20
    assert len(ids) == 20 + courier.PER_HOOK


def test_old_deliveries_are_forgotten_with_their_attempts(club: Desk, receiver: Receiver) -> None:
    make(club, receiver, "/ok")
    with delivering(club):
        club.submit([enrol("1"), enrol("2")])
        until(lambda: states(club) == [("delivered", 1)] * 2)
    assert club.chore("forget_old", wall_clock()) == 0
    assert club.chore("forget_old", wall_clock() + outbox.KEPT_MS + 1) == 2
    assert club.books.one("SELECT count(*) FROM attempt") == 0
