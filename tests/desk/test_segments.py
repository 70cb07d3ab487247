"""Segments: who belongs, by hand; what an offer for one does; and that a replay gives the same."""

import itertools
import threading
from random import Random

import pytest

import kantis.desk
from kantis.core.account import decode_account
from kantis.core.calendar import instant
from kantis.core.events import Body, Enrol, Event, Line, Load, Purchase, Refund
from kantis.core.knobs import ProgramError, plain
from kantis.desk import lately, text
from kantis.desk.audit import By
from kantis.desk.drawing import HUNDREDTHS
from kantis.desk.jobs import Job, Progress
from kantis.desk.measures.figures import measure
from kantis.desk.measures.panels import board
from kantis.desk.measures.tallying import catch_up, differences
from kantis.desk.replay import replayed
from kantis.desk.segments import refreshing, rules
from kantis.desk.submit import Desk
from kantis.desk.verify import verify
from kantis.store import segments as rows

PROGRAM = """
program: shop
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: never}
counters:
  spend: {counts: spend, window: calendar year}
tiers:
  status: {by: spend, levels: {basic: from the start, gold: 100.00 EUR}, lasts: for ever}
earning:
  shopping: {give: 1 point per 1.00 EUR}
  for-regulars: {who: {segment: regulars}, give: 50 points}
offers:
  thanks: {who: {segment: regulars}, give: 20 points, uses: 1}
  open: {give: 1 point}
"""


def basket(amount: int) -> Purchase:
    return Purchase((Line("1", "tea", 1, amount),))


HISTORY: list[tuple[str, str, Body]] = [
    ("2024-01-05T10:00", "1", Enrol()),
    ("2024-01-05T10:01", "2", Enrol()),
    ("2024-03-01T10:02", "3", Enrol()),
    ("2024-01-05T11:00", "1", basket(9_000)),
    ("2024-02-05T11:00", "1", basket(3_000)),
    ("2024-03-05T11:00", "1", basket(500)),
    ("2024-01-06T11:00", "2", basket(2_000)),
    ("2024-03-02T11:00", "3", Load("open")),
]
MARCH = instant("2024-03-20T12:00:00+02:00")


@pytest.fixture
def desk(url: str):  # type: ignore[no-untyped-def]
    with kantis.desk.open(url) as desk:
        assert isinstance(desk, Desk)
        desk.publish("shop", 0, PROGRAM, plain(text.read(PROGRAM)))
        for number, (at, card, body) in sorted(enumerate(HISTORY), key=lambda each: each[1][0]):
            event = Event("till", str(number), instant(f"{at}:00+02:00"), f"card:{card}", body)
            (result,) = desk.submit([event], importing=True)
            assert result.outcome == "decided", result
        desk.checkpoint()
        catch_up(desk)
        ticks = itertools.count(MARCH, 1_000)
        desk.clock = lambda: next(ticks)
        yield desk


def refresh(desk: Desk) -> str:
    job = Job(1, "segments", "", "running", 0, 0, "", 0, 0, 0, 0, "", 0, 0)
    return refreshing.refresh_all(desk, job, Progress(threading.Event()))


def inside(desk: Desk, source: str) -> str:
    """The cards of those who belong."""
    refreshing.make(desk, 1, "tried", source, By("test"))
    refresh(desk)
    cards = dict(desk.books.rows("SELECT account, token FROM card"))
    return "".join(sorted(cards[n] for n in rows.members(desk.books, 1, "tried", 0, 10)))


@pytest.mark.parametrize(
    ("source", "who"),
    [
        ("", "123"),
        ("last purchase: within 30 days", "1"),
        ("last purchase: more than 30 days ago", "2"),
        ("last purchase: never", "3"),
        ("purchases: at least 2 times in rolling 2 months", "1"),
        ("purchases: at least 3 times ever", "1"),
        ("purchases: at most 1 time ever", "23"),
        ("spend: at least 20.00 EUR in calendar quarter", "12"),
        ("spend: at most 10.00 EUR in calendar month", "123"),
        ("who: {status: gold}", "1"),
        ("balance: at least 20 points", "12"),
        ("joined: within 1 month", "3"),
        ("joined: more than 2 months ago", "12"),
        ("loaded: open", "3"),
        ("joined: within 1 year\npurchases: at least 1 time ever\nwho: {status: basic}", "2"),
    ],
)
def test_who_belongs(desk: Desk, source: str, who: str) -> None:
    assert inside(desk, source) == who


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("last purchase: 30 days", "time-expected"),
        ("last purchase: more than 30 minutes ago", "too-short"),
        ("purchases: 3", "bound-expected"),
        ("purchases: at least 3.00 EUR ever", "unit-expected"),
        ("spend: at least 3.00 EUR in rolling 30 days", "window-of-months"),
        ("balance: at least 3 points in calendar year", "no-effect"),
        ("loaded: nothing", "unknown-word"),
        ("colour: red", "unknown-key"),
        ("who: {status: platinum}", "unknown-level"),
    ],
)
def test_rules_that_are_none_say_why(desk: Desk, source: str, code: str) -> None:
    with pytest.raises(ProgramError) as caught:
        refreshing.make(desk, 1, "tried", source, By("test"))
    assert [each.code for each in caught.value.faults] == [code]


def buys(desk: Desk, id: str, card: str) -> int:
    """What a purchase of 1.00 earns."""
    (result,) = desk.submit([Event("till", id, 0, f"card:{card}", basket(100))], program="shop")
    assert result.entry is not None
    return sum(each[3] for each in result.entry.decision.postings)


def test_a_segment_is_an_audience(desk: Desk) -> None:
    load = Event("till", "load", 0, "card:1", Load("thanks"), ask=True)
    (refused,) = desk.submit([load], program="shop")
    assert refused.refusal is not None
    assert refused.refusal.code == "offer-not-for-you"
    assert buys(desk, "before", "1") == 1
    refreshing.make(desk, 1, "regulars", "purchases: at least 3 times ever", By("test"))
    assert refresh(desk) == "regulars: 1 came, 0 left"
    (loaded,) = desk.submit([Event("till", "again", 0, "card:1", Load("thanks"), ask=True)])
    assert loaded.refusal is None
    assert buys(desk, "inside", "1") == 1 + 50 + 20
    assert buys(desk, "outside", "2") == 1
    assert refresh(desk) == "regulars: 0 came, 0 left", "nobody is told what they know"


def test_a_replay_gives_the_same_whatever_the_rules_say_by_now(desk: Desk) -> None:
    refreshing.make(desk, 1, "regulars", "purchases: at least 3 times ever", By("test"))
    refresh(desk)
    assert buys(desk, "inside", "1") == 51
    refreshing.make(desk, 1, "regulars", "last purchase: never", By("test"))
    assert refresh(desk) == "regulars: 1 came, 1 left"
    assert buys(desk, "left", "1") == 1
    assert verify(desk.books).ok
    found = replayed(desk.books)
    assert (found.entries > 10, found.skipped, found.differences) == (True, 0, [])
    assert refreshing.end(desk, 1, "regulars", By("test"))
    assert refresh(desk) == "regulars: 0 came, 1 left"
    assert rows.segments(desk.books) == []
    assert rows.counts(desk.books, 1) == {}
    account = desk.books.account(3)
    assert account is not None
    history = decode_account(account.snapshot).facts["segment regulars"]
    assert [value for _, value in history] == ["yes", "no"]


def test_a_refresh_that_was_cut_is_begun_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    refreshing.make(desk, 1, "regulars", "", By("test"))
    monkeypatch.setattr(lately, "STEP", 1)
    job = Job(1, "segments", "", "running", 0, 0, "", 0, 0, 0, 0, "", 0, 0)
    real, over_soon = refreshing._tell, threading.Event()

    def cut(*about):  # type: ignore[no-untyped-def]
        over_soon.set()
        return real(*about)

    monkeypatch.setattr(refreshing, "_tell", cut)
    refreshing.refresh_all(desk, job, Progress(over_soon))
    assert rows.counts(desk.books, 1) == {"regulars": 1}
    monkeypatch.setattr(refreshing, "_tell", real)
    assert refresh(desk) == "regulars: 2 came, 0 left"
    assert rows.counts(desk.books, 1) == {"regulars": 3}
    monkeypatch.setattr(rules, "check_who", lambda who, turn: "")  # the twin: nobody is looked at
    assert inside(desk, "who: {status: gold}") == "123"


# ── control groups ───────────────────────────────────────────────────────────

EVERYBODY = "hold back: 40 %"


def shop(desk: Desk, members: int) -> None:
    """More members, who have bought nothing yet."""
    events = [Event("till", f"new-{n}", 0, f"card:new-{n}", Enrol()) for n in range(members)]
    desk.submit(events, program="shop")


def lots(desk: Desk) -> dict[str, str]:
    """How the lot of each card fell."""
    found = desk.books.rows(
        "SELECT c.token, a.snapshot FROM card c JOIN account a ON a.id = c.account"
    )
    facts = {token: decode_account(bytes(data)).facts for token, data in found}
    return {token: each["drawn regulars"][-1][1].partition(" ")[0] for token, each in facts.items()}


def test_whoever_a_lot_holds_back_gets_nothing_of_a_segment(desk: Desk) -> None:
    shop(desk, 20)
    refreshing.make(desk, 1, "regulars", EVERYBODY, By("test"))
    said = refresh(desk)
    fell = lots(desk)
    without = [card for card, lot in fell.items() if lot == "without"]
    assert said == f"regulars: {23 - len(without)} came, 0 left"
    assert 3 < len(without) < 16
    for number, (card, lot) in enumerate(fell.items()):
        own = 2 if card == "3" else 1  # an offer of its own is loaded
        assert buys(desk, f"shop-{number}", card) == own + (0 if lot == "without" else 50), card
    load = Event("till", "load", 0, f"card:{without[0]}", Load("thanks"), ask=True)
    (refused,) = desk.submit([load], program="shop")
    assert refused.refusal is not None
    assert refused.refusal.code == "offer-not-for-you"


def test_nobody_is_held_back_where_the_lot_is_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: with lots that never fall below the share everybody gets it."""
    monkeypatch.setattr(refreshing, "drawn", lambda *_: HUNDREDTHS)
    refreshing.make(desk, 1, "regulars", EVERYBODY, By("test"))
    assert refresh(desk) == "regulars: 3 came, 0 left"
    assert [buys(desk, f"shop-{card}", card) for card in "12"] == [51, 51]


def test_a_lot_is_drawn_once_until_the_share_changes(desk: Desk) -> None:
    shop(desk, 30)
    refreshing.make(desk, 1, "regulars", EVERYBODY, By("test"))
    refresh(desk)
    first, entries = lots(desk), desk.books.one("SELECT count(*) FROM entry")
    refresh(desk)
    assert desk.books.one("SELECT count(*) FROM entry") == entries
    refreshing.make(desk, 1, "regulars", "joined: within 10 years\nhold back: 40 %", By("test"))
    assert refresh(desk) == "regulars: 0 came, 0 left"
    assert lots(desk) == first
    refreshing.make(desk, 1, "regulars", "hold back: 39.99 %", By("test"))
    refresh(desk)
    assert lots(desk) != first
    refreshing.make(desk, 1, "regulars", "", By("test"))
    refresh(desk)
    assert len(rows.members(desk.books, 1, "regulars", 0, 100)) == 33
    catch_up(desk)
    assert not differences(desk.books)
    assert len(measure(desk.books, desk.homes.numbered(1)).effects) == 0  # not below a checkpoint
    desk.checkpoint()
    catch_up(desk)
    assert not differences(desk.books)
    assert len(measure(desk.books, desk.homes.numbered(1)).effects) == 2


def test_the_effect_of_a_segment_by_hand(desk: Desk) -> None:
    refreshing.make(desk, 1, "regulars", "hold back: 50 %", By("test"))
    refresh(desk)
    bought = {"1": 700, "2": 300, "3": 0}
    for card, amount in bought.items():
        if amount:
            event = Event("till", f"later-{card}", 0, f"card:{card}", basket(amount))
            desk.submit([event], program="shop")
    desk.submit(
        [Event("till", "back", 0, "card:1", Refund("later-1", (("1", 1),)))], program="shop"
    )
    desk.checkpoint()
    catch_up(desk)
    (found,) = measure(desk.books, desk.homes.numbered(1)).effects
    bought["1"] = 0  # it came back
    fell = lots(desk)
    for lot, group in (("with", found.got), ("without", found.held)):
        cards = [card for card in bought if fell[card] == lot]
        assert group.members == len(cards)
        assert group.buyers == sum(card in "12" for card in cards)
        assert group.spend == sum(bought[card] for card in cards)
        assert group.squares == sum(bought[card] ** 2 for card in cards)
    assert found.interval is None  # too few to tell
    assert not differences(desk.books)


@pytest.mark.parametrize("more", [0, 300])
def test_an_effect_is_told_where_there_is_one(desk: Desk, more: int) -> None:
    """Members buy for some 10 EUR, and those who get the offer for so many cents more."""
    shop(desk, 400)
    refreshing.make(desk, 1, "regulars", EVERYBODY, By("test"))
    refresh(desk)
    amounts = Random(1)
    events = [
        Event("till", f"b-{card}", 0, f"card:{card}",
              basket(amounts.randint(600, 1_400) + (more if lot == "with" else 0)))
        for card, lot in sorted(lots(desk).items())
    ]  # fmt: skip
    desk.submit(events, program="shop")
    desk.checkpoint()
    catch_up(desk)
    (found,) = measure(desk.books, desk.homes.numbered(1)).effects
    assert found.interval is not None
    low, high = found.interval
    assert low <= more <= high
    assert (low > 0) is bool(more)
    (panel,) = [
        each
        for each in board(measure(desk.books, desk.homes.numbered(1)), {}, 12).panels
        if each.key == "effects"
    ]
    assert [each and each.value for each in panel.rows[0][2:5]] == [found.difference, low, high]
