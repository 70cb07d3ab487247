"""Budgets in the engine: what cannot be said, what is looked at, and that a second try is whole."""

from typing import Any

import pytest
from msgspec import structs

from kantis.core.account import Account, encode_account
from kantis.core.budgets import missed
from kantis.core.calendar import instant
from kantis.core.decision import Context
from kantis.core.events import Enrol, Event, Line, Load, Purchase
from kantis.core.knobs import ProgramError
from kantis.engine.decide import decide, needs
from kantis.engine.forecast import forecast
from kantis.engine.program import Program, Version, assemble
from kantis.engine.reach import offers_within

NOON = instant("2024-03-01T12:00:00Z")
HEAD: dict[str, Any] = {
    "program": "x", "money": "EUR", "timezone": "UTC", "balances": {"points": {}, "stars": {}}
}  # fmt: skip


TWO = {"before 2024-01-01": "9 points", "from 2024-01-01": "8 points"}


def program(**sections: Any) -> Program:
    return assemble([Version.of(1, 0, HEAD | sections)])


def rule(**said: Any) -> dict[str, Any]:
    return {"earning": {"rule": said}}


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        (rule(give="1 point per 1 EUR", budget="10.00 EUR"), "budget-does-not-fit"),
        (rule(give="1 point per 1 EUR", budget="10 stars"), "budget-does-not-fit"),
        (rule(give="1 point per 1 EUR", budget="10 items"), "budget-expected"),
        (rule(give="1 point per 1 EUR", budget="0 points"), "nothing"),
        (rule(give="100 points", budget="99 points"), "budget-below-one"),
        (rule(give="5 points", budget="9 points", **{"for": "birthday"}), "cannot-be-explained"),
        (
            rule(
                give={"whole amount": {"from 1 EUR": "1 point"}},
                over="calendar year",
                budget="9 points",
            ),
            "cannot-be-explained",
        ),
        (
            rule(give="5 points", budget=TWO),
            "budget-twice",
        ),
        (
            {"offers": {"rule": {"give": "5 points", "off": "10 %", "budget": "10 points"}}},
            "budget-does-not-fit",
        ),
        (
            rule(give="5 points", budget="10 points")
            | {"prices": {"rule": {"off": "10 %"}}},
            "name-twice",
        ),
        (
            rule(give="the partner's rate", budget="10 points")
            | {"partners": {"a": {"give": "1 point per 1 EUR"}}},
            "cannot-be-explained",
        ),
    ],
)  # fmt: skip
def test_a_budget_that_could_not_be_told_is_refused(sections: dict[str, Any], code: str) -> None:
    with pytest.raises(ProgramError) as caught:
        program(**sections)
    assert code in [each.code for each in caught.value.faults]


def buy(amount: int = 1_000, id: str = "b") -> Event:
    return Event("till", id, NOON, "card:1", Purchase((Line("1", "", 1, amount),)), NOON)


def joined(terms: Program) -> Account:
    account = Account(1)
    decide(terms, account, Event("till", "e", NOON, "card:1", Enrol(), NOON))
    return account


def test_only_what_may_count_is_looked_at() -> None:
    terms = program(
        earning={
            "now": {"give": "1 point per 1 EUR", "budget": "50 points"},
            "then": {"give": "1 point", "when": "2023-01-01 to 2023-12-31", "budget": "5 points"},
            "visit": {"for": "visit", "give": "1 point", "budget": "5 points"},
        },
        offers={"tea": {"give": "1 point", "budget": "5 points"}},
    )
    account = joined(terms)
    assert needs(terms, account, buy()).limits == ("budget now",)
    decide(terms, account, Event("till", "l", NOON, "card:1", Load("tea"), NOON))
    assert needs(terms, account, buy()).limits == ("budget now", "budget tea")
    assert needs(program(**rule(give="1 point")), account, buy()).limits == ()


def test_what_is_left_undone_leaves_nothing_behind() -> None:
    """A purchase without a rule for want of budget is that of a program without the rule."""
    sections = {
        "counters": {"spend": {"counts": "spend"}},
        "tiers": {
            "status": {"by": "spend", "levels": {"basic": "from the start", "gold": "5 EUR"}}
        },
        "caps": {"shared": {"at most": "40 points per calendar month"}},
    }
    base = {"give": "1 point per 1 EUR", "cap": "shared"}
    both = program(earning={"base": base, "more": {"give": "30 points", "cap": "shared",
                   "budget": "100 points"}}, **sections)  # fmt: skip
    plain = program(earning={"base": base}, **sections)
    one, other = joined(both), joined(plain)
    (entry,) = decide(both, one, buy(), Context({}, {}, {"budget more": 29}))
    (bare,) = decide(plain, other, buy())
    assert missed(entry.decision) == ["more"]
    assert not entry.decision.claims
    entry.decision.notices = [each for each in entry.decision.notices if each[0] != "missed"]
    assert (entry.decision.postings, entry.decision.changes) == (
        bare.decision.postings, bare.decision.changes
    )  # fmt: skip
    assert list(entry.decision.notices) == list(bare.decision.notices)
    assert encode_account(one) == encode_account(other)
    (entry,) = decide(both, one, buy(id="c"), Context({}, {}, {"budget more": 30}))
    assert entry.decision.claims == [("budget more", 20)], "what the cap leaves"


def test_points_pay_what_is_due_without_the_price_that_is_used_up() -> None:
    terms = program(
        earning={"base": {"give": "1 point per 1 EUR"}},
        prices={"free": {"off": "100 %", "budget": "5.00 EUR"}},
        rewards={"pay": {"rate": "0.10 EUR per 1 point"}},
    )
    account = joined(terms)
    decide(terms, account, buy(10_000), Context({}, {}, {"budget free": 0}))
    basket = Purchase((Line("1", "", 1, 500),), points={"pay": 10})
    asked = Event("till", "p", NOON, "card:1", basket, NOON, True)
    (entry,) = decide(terms, account, asked, Context({}, {}, {"budget free": 499}))
    assert entry.decision.refusal is None
    assert list(entry.decision.effects) == [("", "pay", 100)]
    asked = structs.replace(asked, id="q")
    (entry,) = decide(terms, account, asked, Context({}, {}, {"budget free": 500}))
    assert entry.decision.refusal is not None, "nothing is left to pay"


def test_without_the_second_try_it_would_be_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: whoever does not look at what is left gives more than there is."""
    terms = program(**rule(give="30 points", budget="100 points"))
    (entry,) = decide(terms, joined(terms), buy(), Context({}, {}, {"budget rule": 29}))
    assert not entry.decision.postings
    monkeypatch.setattr("kantis.engine.budgets.left", lambda budget, turn: 1 << 40)
    (entry,) = decide(terms, joined(terms), buy(), Context({}, {}, {"budget rule": 29}))
    assert entry.decision.claims == [("budget rule", 30)]


def test_who_asks_is_told_what_is_used_up() -> None:
    terms = program(
        earning={"base": {"give": "1 point per 1 EUR"}},
        prices={"cut": {"off": "10 %", "budget": "5.00 EUR"}},
        offers={"tea": {"give": "7 points", "budget": "10 points"}},
    )
    account, limits = joined(terms), {"budget cut": 99, "budget tea": 6}
    assert [each.name for each in offers_within(terms, account, NOON)] == ["tea"]
    assert offers_within(terms, account, NOON, "", limits) == [], "offered to nobody any more"
    seen = forecast(terms, joined(terms), buy(), NOON, limits)
    assert [(each.rule, str(each.why)) for each in seen.silent] == [
        ("cut", "Too little is left of its budget.")
    ]
    assert seen.offers == [], "what is used up is not promised"
    decide(terms, account, Event("till", "l", NOON, "card:1", Load("tea"), NOON))
    (offer,) = offers_within(terms, account, NOON, "", limits)
    assert offer.state == "used up", "who has loaded it sees that it is so"
