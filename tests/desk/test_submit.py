"""Submit: once, in order, all or nothing, and answered after the commit."""

from dataclasses import replace
from typing import Any

import pytest

from kantis.core.calendar import DAY_MS
from kantis.core.events import (
    Enrol,
    Event,
    Join,
    Leave,
    Line,
    Merge,
    Purchase,
    Redeem,
    Refer,
    Refund,
    Transfer,
)
from kantis.core.knobs import Fault, ProgramError
from kantis.desk import batch, flags
from kantis.desk.audit import By
from kantis.desk.batch import Request
from kantis.store.books import Outage, Unknown
from kantis.store.schema import BAD
from tests.desk.shop import NOON, TERMS, Shop, codes, said

# ── the same event again ─────────────────────────────────────────────────────


def test_an_event_is_decided_once_and_its_answer_stays_the_same(shop: Shop) -> None:
    shop(shop.enrol("1"))
    (first,) = shop(shop.buy("a", "1"))
    (again,) = shop(shop.buy("a", "1"))
    assert again.again
    assert not first.again
    assert said(again) == said(first)
    assert shop.points("1") == 10


def test_the_same_event_twice_in_one_batch(shop: Shop) -> None:
    _, first, again, other = shop(
        shop.enrol("1"), shop.buy("a", "1"), shop.buy("a", "1"), shop.buy("a", "1", 2000)
    )
    assert again.again
    assert again.entry == first.entry
    assert codes([first, again, other]) == ["decided", "decided", "id-reused"]
    assert shop.points("1") == 10


def test_the_same_id_with_another_body_subject_or_time_is_refused(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1"))
    others = [
        shop.buy("a", "1", 2000),
        shop.buy("a", "2"),
        shop.buy("a", "1", time=NOON - 1),
    ]
    for other in others:
        assert codes(shop(other)) == ["id-reused"]
    assert codes(shop(shop.buy("a", "1"))) == ["decided"]


def test_an_answer_never_crosses_sources(shop: Shop) -> None:
    shop(shop.enrol("1"))
    event = shop.buy("a", "1")
    other = Event("web", event.id, event.time, event.subject, event.body)
    first, second = shop(event, other)
    assert first.key != second.key
    assert not second.again
    assert shop.points("1") == 20


def test_a_refusal_by_rule_is_final_under_its_key(shop: Shop) -> None:
    shop(shop.enrol("1"))
    assert codes(shop(shop.redeem("r", "1"))) == ["not-enough"]
    shop(shop.buy("a", "1", 100_000))
    (again,) = shop(shop.redeem("r", "1"))
    assert codes([again]) == ["not-enough"]
    assert again.again
    assert codes(shop(shop.redeem("r2", "1"))) == ["decided"]


def test_an_ask_that_was_lost_is_settled_by_a_tell_with_its_key(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1", 100_000))
    (asked,) = shop(shop.redeem("r", "1"))
    event = shop.redeem("r", "1")
    told = Event(event.source, event.id, event.time, event.subject, event.body, ask=False)
    (again,) = shop(told)
    assert said(again) == said(asked)
    assert shop.points("1") == 900


def test_a_malformed_event_does_not_use_its_key_up(shop: Shop) -> None:
    shop(shop.enrol("1"))
    good = shop.buy("a", "1")
    bad = [
        Event("", good.id, good.time, good.subject, good.body),
        Event("ti/ll", good.id, good.time, good.subject, good.body),
        Event("desk", good.id, good.time, good.subject, good.body),
        Event("till", "", good.time, good.subject, good.body),
    ]
    assert codes(shop(*bad)) == ["malformed-key"] * 4
    wrong = ["card:", "4711", "account:x", "account:-1", "account:" + "9" * 30, "person:1"]
    events = [Event("till", "a", good.time, subject, good.body) for subject in wrong]
    assert codes([result for event in events for result in shop(event)]) == (
        ["malformed-subject"] * 6
    )
    assert codes(shop(good)) == ["decided"]


def test_a_program_that_cannot_be_read_is_an_outage_and_no_fault_of_the_event(shop: Shop) -> None:
    def unreadable(versions: object) -> object:
        raise ProgramError([Fault("unknown-key", "There is no 'counts' here.")])

    shop(shop.enrol("1"))
    homes, engine = shop.desk.homes, shop.desk.homes.engine
    homes.engine, homes.edition = replace(engine, assemble=unreadable), -1
    with pytest.raises(Outage, match="cannot read the published program"):
        shop(shop.buy("a", "1"))
    homes.engine = engine
    (result,) = shop(shop.buy("a", "1"))
    assert (result.outcome, result.again) == ("decided", False)


def test_an_unknown_program_is_refused(shop: Shop) -> None:
    (result,) = shop.desk.submit([shop.enrol("1")], program="q")
    assert codes([result]) == ["unknown-program"]
    assert shop.desk.books.counts()["event"] == 0


# ── who it is ────────────────────────────────────────────────────────────────


def test_an_account_is_opened_by_enrolling(shop: Shop) -> None:
    first, second, nameless = shop(
        shop.enrol("1"), shop.enrol("2"), shop.tell("e3", "", shop.enrol("x").body)
    )
    assert [first.account, second.account, nameless.account] == [1, 2, 3]
    again = shop.tell("e4", "card:1", shop.enrol("x").body)
    assert shop(again)[0].account == 1
    assert codes(shop(shop.buy("a", "1"), shop.tell("b", "account:2", shop.buy("", "").body))) == (
        ["decided", "decided"]
    )
    assert shop.points("2") == 10


def test_an_unknown_card_is_refused_or_parked_until_it_is_known(shop: Shop) -> None:
    assert codes(shop(shop.redeem("r", "1"), shop.buy("a", "1"))) == ["unknown-card", "parked"]
    assert codes(shop(shop.buy("a", "1"))) == ["parked"]
    assert codes(shop(shop.enrol("1"))) == ["decided"]
    assert shop.desk.settle() == 1
    (result,) = shop(shop.buy("a", "1"))
    assert codes([result]) == ["decided"]
    assert result.again
    assert shop.points("1") == 10
    assert codes(shop(shop.redeem("r", "1", 10))) == ["decided"]


def test_an_unknown_account_is_refused_or_parked(shop: Shop) -> None:
    body = Redeem("money-off", points=1)
    results = shop(shop.ask("r", "account:9", body), shop.tell("s", "account:9", body))
    assert codes(results) == ["unknown-account", "parked"]


def test_a_purchase_without_a_member_is_kept_and_can_be_claimed_once(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"))
    assert codes(shop(shop.buy("a", ""))) == ["alone"]
    first, second = shop(shop.claim("c1", "1", "Ra"), shop.claim("c2", "2", "Ra"))
    assert codes([first, second]) == ["decided", "unknown-receipt"]
    assert codes(shop(shop.claim("c3", "2", "Ra"))) == ["unknown-receipt"]
    assert shop.points("1") == 10


def test_a_purchase_and_its_claim_in_one_batch(shop: Shop) -> None:
    shop(shop.enrol("1"))
    results = shop(shop.buy("a", ""), shop.claim("c", "1", "Ra"), shop.refund("f", "1", "a"))
    assert codes(results) == ["alone", "decided", "decided"]
    assert shop.points("1") == 0


def test_a_refund_of_a_claimed_purchase_finds_its_member(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", ""))
    shop(shop.claim("c", "1", "Ra"))
    assert shop.points("1") == 10
    assert codes(shop(shop.refund("f", "", "a"))) == ["decided"]
    assert shop.points("1") == 0


def test_a_refund_that_came_before_the_claim_counts_after_it(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", ""))
    assert codes(shop(shop.refund("f", "", "a"))) == ["alone"]
    shop(shop.claim("c", "1", "Ra"))
    shop.desk.settle()
    assert shop.points("1") == 0
    assert codes(shop(shop.refund("f", "", "a"))) == ["decided"]


def test_an_event_of_a_member_needs_one(shop: Shop) -> None:
    assert codes(shop(shop.tell("a", "", Redeem("money-off")))) == ["member-missing"]


# ── what came earlier ────────────────────────────────────────────────────────


def test_a_refund_sees_its_purchase_and_the_refunds_before_it(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"), shop.buy("b", "1"))
    together = shop(shop.refund("f1", "1", "a"), shop.refund("f2", "1", "a"))
    assert codes(together) == ["decided", "refunded-already"]
    assert codes(shop(shop.refund("f3", "1", "a"), shop.refund("f4", "", "b"))) == [
        "refunded-already",
        "decided",
    ]
    assert shop.points("1") == 0


def test_a_refund_in_the_batch_of_its_purchase(shop: Shop) -> None:
    results = shop(shop.enrol("1"), shop.buy("a", "1"), shop.refund("f", "", "a"))
    assert codes(results) == ["decided"] * 3
    assert shop.points("1") == 0


def test_a_refund_waits_for_its_purchase(shop: Shop) -> None:
    shop(shop.enrol("1"))
    early = [shop.refund("f1", "1", "a"), shop.refund("f2", "", "b")]
    assert codes(shop(*early)) == ["parked", "parked"]
    shop(shop.buy("a", "1"), shop.buy("b", "1"))
    assert shop.points("1") == 20
    assert shop.desk.settle() == 2
    assert shop.points("1") == 0
    assert codes(shop(*early)) == ["decided", "decided"]


def test_an_ask_to_refund_what_is_unknown_is_refused(shop: Shop) -> None:
    shop(shop.enrol("1"))
    refund = shop.refund("f", "1", "a").body
    asks = [shop.ask("f1", "card:1", refund), shop.ask("f2", "", refund)]
    assert codes(shop(*asks)) == ["unknown-original", "unknown-original"]


def test_nobody_refunds_what_another_member_bought(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1"))
    assert codes(shop(shop.refund("f", "2", "a"))) == ["unknown-original"]
    assert shop.points("1") == 10


# ── time ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("off", [-31 * DAY_MS, 121_000])
def test_a_time_out_of_range_is_refused_or_counts_as_now_with_a_flag(shop: Shop, off: int) -> None:
    shop(shop.enrol("1"), shop.buy("z", "1", 10_000))
    when = NOON + off
    ask = shop.redeem("r", "1", 10, time=when)
    assert codes(shop(ask)) == ["time-out-of-range"]
    (result,) = shop(shop.buy("a", "1", time=when))
    assert result.outcome == "decided"
    assert [flag.flag for flag in shop.desk.books.flags(9)] == ["time-out-of-range"]
    assert shop.desk.books.one("SELECT max(value) FROM entry") == NOON
    assert codes(shop(shop.buy("a", "1", time=when))) == ["decided"]
    assert codes(shop(shop.redeem("r", "1", 10))) == ["decided"]


def test_an_impossible_time_is_flagged_also_of_what_waited_twice(shop: Shop) -> None:
    """For its card, and then for its purchase: it counts from when it came."""
    when = NOON + 400 * DAY_MS
    assert codes(shop(shop.refund("r", "1", of="a", time=when))) == ["parked"]
    shop.now += DAY_MS
    shop(shop.enrol("1"))
    shop(shop.buy("a", "1"))
    shop.desk.settle()
    assert shop.desk.books.one("SELECT value FROM entry WHERE event = 'till/r'") == NOON
    assert [(e.event, e.flag) for e in shop.desk.books.flags(9)] == [
        ("till/r", "time-out-of-range")
    ]


def test_an_impossible_time_is_not_believed_when_somebody_tries_again(shop: Shop) -> None:
    shop(shop.enrol("1"))
    late = shop.buy("a", "1", time=NOON + 400 * DAY_MS)
    assert codes(shop(shop.bomb("x", "1"), late)) == ["bad", "bad"]
    notes = [row.note for row in shop.desk.books.waiting(3, 9)]
    assert notes[1] == "time-out-of-range: set aside after till/x"
    shop.now += DAY_MS
    assert flags.again(shop.desk, 1, "till/a", By("test"))
    assert shop.desk.settle() == 1
    assert shop.desk.books.one("SELECT value FROM entry WHERE event = 'till/a'") == NOON
    assert [flag.flag for flag in shop.desk.books.flags(9)] == ["time-out-of-range"]


def test_an_event_without_a_time_happens_now(shop: Shop) -> None:
    shop(shop.enrol("1"))
    event = shop.buy("a", "1", time=0)
    shop(event)
    shop.now += 5 * DAY_MS
    assert codes(shop(event)) == ["decided"]
    assert shop.desk.books.one("SELECT value FROM entry WHERE event = 'till/a'") == NOON


def test_the_instant_of_an_account_never_goes_back(shop: Shop) -> None:
    shop(shop.enrol("1"))
    shop(shop.buy("a", "1"))
    shop.now -= DAY_MS
    (result,) = shop(shop.buy("b", "1"))
    assert result.entry is not None
    assert result.entry.at == NOON


def test_an_import_takes_each_events_own_time(shop: Shop) -> None:
    old = NOON - 300 * DAY_MS
    shop(shop.enrol("1", time=old), shop.buy("a", "1", time=old + 5), importing=True)
    results = shop(
        shop.buy("b", "1", time=old + 9), shop.buy("c", "1", time=old + 7), importing=True
    )
    assert [each.entry.at for each in results if each.entry] == [old + 9, old + 9]
    assert shop.desk.books.rows("SELECT at, booked, value FROM entry ORDER BY seq") == [
        (old, old, old),
        (old + 5, old + 5, old + 5),
        (old + 9, old + 9, old + 9),
        (old + 9, old + 9, old + 7),
    ]


def test_an_import_from_a_clock_in_the_future_counts_as_now_with_a_flag(shop: Shop) -> None:
    later = NOON + 400 * DAY_MS
    shop(shop.enrol("1"))
    events = [shop.buy("a", "1", time=later), shop.buy("b", "1", time=NOON)]
    results = shop(*events, importing=True)
    assert [each.entry.at for each in results if each.entry] == [NOON, NOON]
    assert [flag.flag for flag in shop.desk.books.flags(9)] == ["time-out-of-range"]
    assert all(each.again for each in shop(*events, importing=True))


def test_points_expire_before_the_next_event(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"))
    shop.now += 366 * DAY_MS
    (result,) = shop(shop.redeem("r", "1", 10))
    assert codes([result]) == ["not-enough"]
    assert shop.points("1") == 0
    rows = shop.desk.books.rows("SELECT event, at, booked FROM entry ORDER BY seq")
    expiry = next(row for row in rows if not row[0])
    assert expiry[1] < expiry[2] == shop.now


# ── when something goes wrong ────────────────────────────────────────────────


def test_a_decision_that_raises_is_set_aside_with_what_comes_after_it(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"))
    results = shop(
        shop.buy("a", "1"),
        shop.bomb("x", "1"),
        shop.buy("b", "2"),
        shop.buy("c", "1"),
    )
    assert codes(results) == ["decided", "bad", "decided", "bad"]
    assert (shop.points("1"), shop.points("2")) == (10, 10)
    notes = [row.note for row in shop.desk.books.waiting(3, 9)]
    assert notes == ["RuntimeError: a bug in a rule", "set aside after till/x"]
    assert flags.again(shop.desk, 1, "till/c", By("test"))
    assert shop.desk.settle() == 1
    assert shop.points("1") == 20
    assert codes(shop(shop.buy("c", "1"), shop.bomb("x", "1"))) == ["decided", "bad"]


def test_an_account_whose_first_event_raises_is_not_opened(shop: Shop) -> None:
    enrol = shop.tell("e", "card:1", shop.enrol("1").body)
    shop(shop.bomb("x", "1"))  # parked
    assert codes(shop(enrol)) == ["decided"]
    assert shop.desk.settle() == 1
    assert [row.key for row in shop.desk.books.waiting(3, 9)] == ["till/x"]


class Faulty:
    """Makes one method of the books fail once, before or after it has done its work."""

    def __init__(self, shop: Shop, method: str, error: Exception, *, after: bool = False) -> None:
        self.books, self.method, self.error, self.after = shop.desk.books, method, error, after
        self.real = getattr(self.books, method)
        setattr(self.books, method, self)

    def __call__(self, *values: Any) -> Any:
        setattr(self.books, self.method, self.real)
        if self.after:
            self.real(*values)
        raise self.error


@pytest.mark.parametrize("after", [False, True], ids=["not committed", "committed"])
def test_a_commit_whose_outcome_is_unknown_is_settled_by_the_retry(shop: Shop, after: bool) -> None:
    shop(shop.enrol("1"), shop.buy("z", "1"))
    Faulty(shop, "commit", Unknown("the line is dead"), after=after)
    assert codes(shop(shop.buy("a", "1"), shop.buy("b", "1"))) == ["unknown", "unknown"]
    results = shop(shop.buy("a", "1"), shop.buy("b", "1"))
    assert codes(results) == ["decided", "decided"]
    assert [each.again for each in results] == [after, after]
    assert shop.points("1") == 30


def test_an_outage_in_the_middle_leaves_nothing_behind(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("z", "1"))
    begin = "begin" if shop.desk.books.alone else "begin_asking"
    for method in (begin, "events", "accounts", "write", "cards"):
        Faulty(shop, method, Outage("the disk is full"))
        events = [shop.enrol("7"), shop.buy("a", "1"), shop.buy("b", "8")]
        if method == "accounts":
            shop.desk.cache = None
        with pytest.raises(Outage, match="full"):
            shop(*events)
        setattr(
            shop.desk.books, method, getattr(type(shop.desk.books), method).__get__(shop.desk.books)
        )
    assert shop.points("1") == 10
    assert shop.desk.books.counts()["event"] == 2
    assert codes(shop(shop.buy("a", "1"))) == ["decided"]


# ── value between accounts ───────────────────────────────────────────────────


def test_what_leaves_one_account_is_in_transit_until_the_other_takes_it(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1", 10_000))
    shop(shop.transfer("t", "1", "card:2", 60))
    assert (shop.points("1"), shop.points("2")) == (40, 0)
    assert shop.desk.settle() == 1
    assert (shop.points("1"), shop.points("2")) == (40, 60)
    row = shop.desk.books.events(["desk/1-3-0"])[0]
    assert (row.type, row.subject, row.time) == ("carry", "card:2", NOON)
    assert shop.desk.books.places()[-1][:3] == ("points", 11, 0)


@pytest.mark.parametrize("to", ["card:9", "card:2"], ids=["unknown", "refused"])
def test_value_that_nobody_takes_comes_back(shop: Shop, to: str) -> None:
    shop(shop.enrol("1"), shop.enrol("2"), shop.close_account("2"))
    shop(shop.buy("a", "1", 10_000), shop.transfer("t", "1", to, 60))
    assert shop.points("1") == 40
    assert shop.desk.settle() == 2
    assert shop.points("1") == 100
    transit = sum(
        amount * ((target == 11) - (source == 11))
        for _, source, target, amount in shop.desk.books.places()
    )
    assert transit == 0


def test_nobody_can_pretend_to_be_the_desk(shop: Shop) -> None:
    shop(shop.enrol("1"))
    event = shop.buy("1-1-0", "1")
    assert codes(shop(Event("desk", event.id, NOON, event.subject, event.body))) == (
        ["malformed-key"]
    )


# ── what time does ───────────────────────────────────────────────────────────


def test_the_sweep_lets_time_pass_for_everybody(shop: Shop) -> None:
    shop(*[shop.enrol(f"{n}") for n in range(25)], *[shop.buy(f"b{n}", f"{n}") for n in range(25)])
    assert shop.desk.sweep() == 0
    shop.now += 366 * DAY_MS
    assert shop.desk.sweep(count=10) == 25
    assert {shop.points(f"{n}") for n in range(25)} == {0}
    assert shop.desk.sweep() == 0
    assert codes(shop(shop.redeem("r", "3", 1))) == ["not-enough"]


def test_a_new_version_makes_accounts_due_and_begins_after_the_one_before(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"))
    begins = NOON + DAY_MS
    assert shop.desk.publish("p", begins, "terms", {"rate": "2"}) == 2
    assert [at for _, at in shop.desk.books.due(1 << 61, 9)] == [begins]
    with pytest.raises(ProgramError, match="after the one before"):
        shop.desk.publish("p", begins, "terms", {"rate": "3"})
    shop(shop.buy("b", "1"))
    assert shop.points("1") == 30
    shop.now = begins
    assert shop.desk.sweep() == 1


def test_two_programs_share_nothing(shop: Shop) -> None:
    shop.desk.publish("q", NOON, "terms", {"rate": "3"})
    assert codes(shop.desk.submit([shop.enrol("1")])) == ["unknown-program"]
    for program in ("p", "q"):
        event = Event(program, "e", NOON, "card:1", shop.enrol("1").body)
        shop.desk.submit([event], program=program)
    body = shop.buy("", "1").body
    shop.desk.submit([Event("q", "a", NOON, "card:1", body)], program="q")
    p, q = (shop.desk.books.cards([(n, "1")])[n, "1"] for n in (1, 2))
    assert p != q
    assert [row.available for row in shop.desk.books.balances(q)] == [30]
    assert shop.desk.books.balances(p) == []
    stranger = Event("p", "b", NOON, f"account:{q}", body)
    assert codes(shop.desk.submit([stranger], program="p")) == ["parked"]


# ── statements ───────────────────────────────────────────────────────────────


def test_the_number_of_statements_does_not_depend_on_the_batch(shop: Shop) -> None:
    shop.desk.cache = None
    shop(*[shop.enrol(f"{n}") for n in range(1_000)], importing=True)

    def count(name: str, size: int) -> int:
        events = []
        for n in range(size):
            card = f"{n}"
            events += [
                shop.buy(f"{name}-{n}", card),
                shop.redeem(f"{name}-r{n}", card, 1),
                shop.refund(f"{name}-f{n}", card, f"{name}-{n}"),
                shop.refund(f"{name}-o{n}", card, f"first-{n}"),
                shop.buy(f"{name}-a{n}", ""),
                shop.mug(f"{name}-m{n}", card),
                shop.enrol(f"{name}-{n}"),
                shop.buy(f"{name}-p{n}", f"unknown-{n}"),
                shop.claim(f"{name}-c{n}", card, f"Rfirst-a{n}"),
            ]
        before = shop.desk.books.statements
        shop(*events)
        return shop.desk.books.statements - before

    count("first", 100)
    assert count("few", 2) == count("many", 100)
    print("statements per batch:", count("again", 50))


# ── what cannot be written ───────────────────────────────────────────────────


def test_an_event_that_cannot_be_written_takes_nobody_with_it(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"))
    lines = tuple(Line(f"{n}", "latte", 1, (1 << 63) - 1) for n in range(110))
    huge = shop.tell("huge", "card:1", Purchase(lines))
    garbled = shop.tell("garbled", "card:1", Purchase((Line("1", "\ud800"),)))
    beyond = shop.tell("beyond", "card:1", Purchase((Line("1", "x", 1, 1 << 70),)))
    results = shop(
        shop.buy("a", "1"), huge, garbled, shop.buy("b", "2"), beyond, shop.buy("c", "1")
    )
    assert codes(results) == [
        "decided", "bad", "malformed-body", "decided", "malformed-body", "decided"
    ]  # fmt: skip
    assert (shop.points("1"), shop.points("2")) == (20, 10)
    assert codes(shop(huge, shop.buy("c", "1"))) == ["bad", "decided"]
    assert flags.again(shop.desk, 1, "till/huge", By("test"))
    assert shop.desk.settle() == 1  # and set aside again
    assert [row.key for row in shop.desk.books.waiting(BAD, 9)] == ["till/huge"]


@pytest.mark.parametrize("bad", ["a\0b", "\ud800", "line\nbreak", "\x7f"], ids=ascii)
def test_keys_and_subjects_are_printable(shop: Shop, bad: str) -> None:
    events = [
        shop.tell(bad, "card:1", shop.enrol("1").body),
        shop.tell("a", f"card:{bad}", shop.enrol("1").body),
        shop.tell("a", "card:1", shop.enrol("1").body, time=-5),
        shop.tell("a", "card:1", shop.enrol("1").body, time=1 << 60),
        shop.tell("a", "card:Ä-1 ✓", shop.enrol("1").body),
    ]
    assert codes(shop(*events)) == [
        "malformed-key", "malformed-subject", "malformed-time", "malformed-time", "decided"
    ]  # fmt: skip
    refund = shop.tell("r", "card:Ä-1 ✓", Refund(bad))
    assert codes(shop(refund, shop.buy("b", "Ä-1 ✓")))[1] == "decided"


def test_a_parked_event_is_found_though_its_original_came_to_another_desk(
    shop: Shop, url: str
) -> None:
    """Two desks that do not see each other's batches: the sweep puts it right."""
    shop(shop.enrol("1"))
    shop(shop.refund("f", "1", "a"), shop.buy("x", "7"))
    books = shop.desk.books
    real, books.arrive = books.arrive, lambda page: None  # type: ignore[method-assign]
    shop(shop.buy("a", "1"), shop.enrol("7"))
    books.arrive = real  # type: ignore[method-assign]
    books.alone = False
    assert shop.desk.settle() == 0
    shop.desk.sweep()
    assert shop.desk.settle() == 2
    assert (shop.points("1"), shop.points("7")) == (0, 10)


def test_a_quote_is_the_real_path_and_leaves_nothing(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.buy("a", "1"))
    counts, state = shop.desk.books.counts(), shop.state()
    events = [shop.buy("b", "1"), shop.redeem("r", "1", 20), shop.mug("m", "1")]
    quoted = shop.desk.quote(events)
    assert codes(quoted) == ["decided"] * 3
    assert (shop.desk.books.counts(), shop.state()) == (counts, state)
    assert [said(each) for each in shop(*events)] == [said(each) for each in quoted]
    assert all(each.again for each in shop.desk.quote(events))


def test_a_limit_cannot_be_lowered_below_what_is_taken(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.mug("m1", "1"), shop.mug("m2", "1"))
    with pytest.raises(ProgramError, match="taken already"):
        shop.desk.publish("p", NOON + 1, "terms", {"limits": {"mug": "1"}})
    assert shop.desk.publish("p", NOON + 1, "terms", {"limits": {"mug": "2"}}) == 2
    shop.now += 2
    assert codes(shop(shop.mug("m3", "1"))) == ["sold-out"]


def test_an_event_that_is_taken_up_is_known_again_in_its_batch(shop: Shop) -> None:
    waiting = shop.buy("1", "later", time=0)
    assert codes(shop(waiting)) == ["parked"]
    shop.now += 1
    assert codes(shop(shop.enrol("later"))) == ["decided"]
    other = shop.buy("1", "later", 999, time=0)
    assert codes(shop(other, waiting)) == ["id-reused", "decided"]


def test_an_ask_and_a_tell_are_two_events_in_one_batch_too(shop: Shop) -> None:
    ask, tell = (shop.tell("1", "card:a", Enrol(), ask=ask) for ask in (True, False))
    assert codes(shop(ask, tell, ask)) == ["decided", "id-reused", "decided"]


def test_an_id_belongs_to_one_program_in_one_batch_too(shop: Shop) -> None:
    shop.desk.publish("q", shop.now, "terms", TERMS)
    request = [Request(name, [shop.enrol("a")]) for name in ("p", "q")]
    first, second = shop.desk.transact(request)
    assert codes(first + second) == ["decided", "id-reused"]


REFERENCES = ["rubbish", "account:", "account:x", "account:" + "9" * 20, "card:", "card:\n"]


@pytest.mark.parametrize("to", REFERENCES, ids=ascii)
def test_whoever_is_named_in_an_event_can_be_somebody(shop: Shop, to: str) -> None:
    """What happened would be told to them, and stop the desk if that can be nobody."""
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1"))
    bodies = [
        Transfer("points", 5, to), Refer("friend", to), Merge(to), Join("2", into=to),
        Leave("2", to=to),
    ]  # fmt: skip
    told = [shop.tell(f"x{n}", "card:1", body) for n, body in enumerate(bodies)]
    assert codes(shop(*told)) == ["malformed-subject"] * len(told)


def test_books_that_tell_nobody_of_something_go_on(shop: Shop) -> None:
    shop(shop.enrol("1"), shop.enrol("2"), shop.buy("a", "1"))
    for n, to in enumerate(REFERENCES):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batch, "_NAMES", {})
            shop(shop.tell(f"t{n}", "card:1", Transfer("points", 1, to)))
        assert codes(shop(shop.buy(f"b{n}", "2"))) == ["decided"]
