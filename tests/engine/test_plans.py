"""Plans under any order of events: time in steps or at once, and fees that are never too much."""

from random import Random
from typing import Any

import pytest

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.calendar import DAY_MS, instant
from kantis.core.decision import Context, Entry, apply, decode_decision, encode_decision
from kantis.core.events import (
    Body,
    Confirm,
    Enjoy,
    Event,
    Forfeit,
    Line,
    Pay,
    Purchase,
    Reinstate,
    Subscribe,
    Tick,
    Unpaid,
    Unsubscribe,
)
from kantis.core.places import FORFEITED
from kantis.engine.decide import advance, decide
from kantis.engine.program import Program, Version, assemble
from tests.engine.explaining import explain

START = instant("2024-01-01T12:00:00Z")
TERMS: dict[str, Any] = {
    "program": "club",
    "money": "EUR",
    "timezone": "Europe/Helsinki",
    "balances": {
        "points": {"expires": "3 months after earning"},
        "gold": {"expires": "never", "lost unless": {"plan": "better"}},
    },
    "plans": {
        "good": {
            "fee": {
                "before 2024-04-01": ["5.00 EUR per month", "50.00 EUR per year"],
                "from 2024-04-01": ["6.00 EUR per month", "60.00 EUR per year"],
            },
            "trial": "10 days",
            "refund": "pro rata within 20 days if no benefit was used",
            "grace": "3 days",
            "pay within": "14 days",
            "bonus": "7 points per month",
        },
        "better": {
            "above": "good",
            "fee": ["9.00 EUR per month", "90.00 EUR per year"],
            "renews": "by paying",
            "pay within": "12 days",
            "downgrade": "prorated",
            "bonus": "treat per calendar month",
        },
        "press": {"fee": "2.50 EUR per 4 weeks", "trial": "1 week", "refund": "full within 2 days"},
    },
    "vouchers": {"treat": {"valid": "2 months"}},
    "entitlements": {"delivery": {"who": {"plan": "good"}, "good for": "delivery"}},
    "forfeiture": {
        "bill": {"of": "points", "reinstated within": "2 months", "reinstated for": "3.00 EUR"}
    },
    "earning": {
        "base": {"give": "1 point per 1.00 EUR", "available": "when confirmed"},
        "gold": {"who": {"plan": "better"}, "give": "1 gold per 1.00 EUR"},
    },
}


def terms() -> Program:
    return assemble([Version.of(1, 0, TERMS)])


def something(dice: Random) -> Body:
    """Any event of plans and bills."""
    plan = dice.choice(["good", "better", "press"])
    group = f"bill-{dice.randrange(4)}"
    return dice.choice(
        [
            Subscribe(plan, dice.choice(["", "", "month", "year"]), dice.choice(["", "no"])),
            Subscribe(plan),
            Unsubscribe(plan),
            Pay(plan),
            Unpaid(plan),
            Enjoy("delivery"),
            Purchase((Line("1", "x", 1, dice.randrange(1, 5000)),), group=group),
            Forfeit(group),
            Reinstate(group),
            Confirm(group),
        ]
    )


def played(seed: int, steps: int) -> tuple[Account, list[Entry]]:
    """A life of two years, with so many stops between two events."""
    dice, program, account = Random(seed), terms(), Account(1)
    now, entries = START, []
    for number in range(60):
        last, now = now, now + dice.randrange(20 * DAY_MS)
        for step in range(1, steps + 1):
            entries += advance(program, account, last + (now - last) * step // (steps + 1))
        body = something(dice)
        event = Event("till", f"e{number}", now, "", body, now, dice.random() < 0.5)
        entries += decide(program, account, event, Context())
    return account, entries + advance(program, account, now + 400 * DAY_MS)


@pytest.mark.parametrize("seed", range(40))
def test_time_in_steps_is_time_at_once(seed: int) -> None:
    (one, at_once), (other, in_steps) = played(seed, 0), played(seed, 5)
    assert [encode_decision(each.decision) for each in at_once] == [
        encode_decision(each.decision) for each in in_steps
    ]
    one.due = other.due = 0
    assert encode_account(one) == encode_account(other)


@pytest.mark.parametrize("seed", range(40))
def test_an_account_is_the_fold_of_its_entries(seed: int) -> None:
    account, entries = played(seed, 0)
    folded = Account(1)
    for entry in entries:
        entry.decision = decode_decision(encode_decision(entry.decision))
        apply(folded, entry)
    folded.due = account.due
    assert encode_account(folded) == encode_account(account)
    assert encode_account(decode_account(encode_account(account))) == encode_account(account)


@pytest.mark.parametrize("seed", range(40))
def test_nobody_gets_back_more_than_was_charged(seed: int) -> None:
    _, entries = played(seed, 0)
    charged: dict[str, int] = {"good": 0, "better": 0, "press": 0, "bill": 0}
    for entry in entries:
        for name, _, amount in entry.decision.fees:
            charged[name] += amount
        assert min(charged["press"], charged["bill"]) >= 0
        assert charged["good"] + charged["better"] >= 0
        for standing in (change for change in entry.decision.changes if change[0] == "plan"):
            assert standing[9] >= 0, "the fee of a term is never below nothing"


@pytest.mark.parametrize("seed", range(40))
def test_what_is_forfeited_is_what_can_come_back(seed: int) -> None:
    account, entries = played(seed, 0)
    there = 0
    for entry in entries:
        for _, source, target, amount, _, _ in entry.decision.postings:
            there += amount * ((target == FORFEITED) - (source == FORFEITED))
    assert there == sum(amount for x in account.forfeits.values() for _, amount in x.lots)


@pytest.mark.parametrize("seed", range(10))
def test_every_entry_is_explained(seed: int) -> None:
    program, (_, entries) = terms(), played(seed, 0)
    said = [sentence for entry in entries for sentence in explain(program, entry)]
    assert all(sentence.endswith((".", "]")) for sentence in said)


def test_the_sentences_of_a_plan() -> None:
    program, account = terms(), Account(1)

    def said(body: Body, day: int) -> list[str]:
        moment = START + day * DAY_MS
        event = Event("till", f"d{day}{type(body).__name__}", moment, "", body, moment)
        entry = decide(program, account, event, Context())[-1]
        return explain(program, entry, event)

    assert said(Subscribe("good"), 0) == [
        "The account was opened.",
        "good is on trial until 2024-01-10.",
        "The benefits of good begin.",
    ]
    assert said(Enjoy("delivery"), 1)[0] == "Entitled to delivery: delivery."
    assert said(Subscribe("good", "", "no"), 2) == [
        "7 points for good: 7 points per month.",
        "5.00 EUR charged for good (first term).",
        "good is paid until 2024-02-02.",
    ]
    assert said(Subscribe("good", "year"), 3) == [
        "good is paid until 2024-02-02; then good per year."
    ]
    assert said(Unsubscribe("good"), 4) == [
        "7 points taken back that good had given.",
        "4.68 EUR given back for good (refund).",
        "good has ended.",
        "Its benefits stop.",
    ]
    assert said(Purchase((Line("1", "x", 1, 1000),), group="b"), 5)[1:] == [
        "10 points can be spent a little later."
    ]
    assert said(Forfeit("b"), 6) == [
        "10 points forfeited, because what they waited for did not come in time.",
        "They can come back until 2024-03-07.",
    ]
    assert said(Reinstate("b"), 7) == [
        "3.00 EUR charged for bill (reinstatement).",
        "10 points reinstated.",
    ]


def test_a_quote_of_nothing_changes_nothing() -> None:
    program, account = terms(), Account(1)
    decide(program, account, Event("t", "1", START, "", Subscribe("press"), START), Context())
    before = encode_account(account)
    refused = Event("t", "2", START, "", Unsubscribe("good"), START, ask=True)
    entry = decide(program, decode_account(before), refused, Context())[-1]
    assert entry.decision.refusal is not None
    assert not (entry.decision.fees)
    assert not (entry.decision.changes)
    assert not (entry.decision.postings)
    assert not advance(program, account, START + DAY_MS)
    tick = Event("t", "3", START + DAY_MS, "", Tick(), START + DAY_MS)
    assert not decide(program, account, tick, Context())[-1].decision.fees


def test_what_is_lost_with_a_plan_is_told_from_what_died_of_age() -> None:
    program, account = terms(), Account(1)
    for number, body in enumerate(
        [Subscribe("better"), Purchase((Line("1", "x", 1, 1000),)), Subscribe("good")]
    ):
        moment = START + number * DAY_MS
        event = Event("till", f"e{number}", moment, "", body, moment)
        entry = decide(program, account, event, Context())[-1]
    assert explain(program, entry, event) == [
        "7 points for good: 7 points per month.",
        "3.74 EUR given back for better (downgrade).",
        "10 gold lost: only some members may have gold.",
        "good is paid until 2024-01-31.",
        "The benefits of good begin.",
    ]
