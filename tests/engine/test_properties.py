"""Properties of earning and refunds that hold for every basket and every program of a kind."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kantis.core.account import Account
from kantis.core.amounts import share
from kantis.core.calendar import DAY_MS, instant
from kantis.core.decision import Context, Entry, Original
from kantis.core.events import Body, Event, Line, Purchase, Refund
from kantis.engine.decide import decide
from kantis.engine.program import Program, Version, assemble

NOON = instant("2024-03-06T12:00:00Z")
KINDS = ("coffee", "cake", "tea", "card")

lines = st.builds(
    Line,
    id=st.just(""),
    product=st.sampled_from(("a", "b")),
    quantity=st.integers(1, 9),
    amount=st.integers(0, 50_000),
    category=st.sampled_from(KINDS),
    brand=st.sampled_from(("own", "other")),
)
baskets = st.lists(lines, min_size=1, max_size=6).map(
    lambda found: tuple(
        Line(f"l{i}", x.product, x.quantity, x.amount, x.category, x.brand)
        for i, x in enumerate(found)
    )
)
#: plain rules: a rate per money or item, on some lines, in steps, with or without modifiers
rates = st.builds(
    "{} points per {}".format,
    st.sampled_from(("1", "3", "0.5", "1.25", "10")),
    st.sampled_from(("1 EUR", "10 EUR", "2.50 EUR", "item")),
)
filters = st.sampled_from(
    ({}, {"where": {"category": ["coffee", "tea"]}}, {"except": {"category": "card"}})
)
modifiers = st.fixed_dictionaries(
    {},
    optional={
        "more": st.sampled_from(
            (
                {"add": "50 %"},
                {"multiply": "3 times"},
                {"where": {"category": "tea"}, "multiply": "2 times"},
                {"where": {"brand": "own"}, "add": "10 %", "stack": "compounds"},
            )
        )
    },
)


def program(rules: dict[str, Any], **head: Any) -> Program:
    """A program in euros with points that never die."""
    tree = {
        "program": "p",
        "money": "EUR",
        "timezone": "Europe/Helsinki",
        "balances": {"points": {"expires": "never"}},
        "earning": rules,
        **head,
    }
    return assemble([Version.of(1, 0, tree)])


@st.composite
def plain_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Rules without bands, caps per purchase, least grants or fixed gifts."""
    rules: dict[str, Any] = {}
    for number in range(draw(st.integers(1, 3))):
        name = f"r{number}"
        rules[name] = {**draw(filters), "give": draw(rates)}
        if "EUR" in rules[name]["give"] and draw(st.booleans()):
            rules[name]["round"] = "spend down to 1 EUR"
        for more in draw(modifiers).values():
            rules[f"m{number}"] = {"on": name, **more}
    return rules


class Member:
    """An account with what a refund has to see."""

    def __init__(self, terms: Program) -> None:
        self.terms, self.account, self.count = terms, Account(1), 0
        self.entries: dict[str, tuple[Event, Entry, list[Any]]] = {}

    def __call__(self, body: Body, days: int = 0) -> str:
        """Something happens, so many days from noon; its key."""
        self.count += 1
        event = Event("till", f"e{self.count}", NOON + days * DAY_MS + self.count, "", body)
        originals = {
            key: Original(bought, entry, tuple(undone))
            for key, (bought, entry, undone) in self.entries.items()
        }
        entry = decide(self.terms, self.account, event, Context(originals))[-1]
        assert entry.decision.refusal is None, entry.decision.refusal
        self.entries[event.key] = event, entry, []
        if entry.decision.cause:
            self.entries[entry.decision.cause][2].append(entry.decision)
        return event.id

    @property
    def points(self) -> int:
        """What is there, less what is owed."""
        purse = self.account.purse.get("points", [0] * 6)
        return sum(purse[:4])

    @property
    def counted(self) -> dict[str, int]:
        """What the counters hold, where they hold something."""
        sums = {name: sum(each.values()) for name, each in self.account.counters.items()}
        return {name: amount for name, amount in sums.items() if amount}


def earned(terms: Program, *purchases: tuple[Line, ...]) -> int:
    """What purchases earn a new member."""
    member = Member(terms)
    for each in purchases:
        member(Purchase(each))
    return member.points


@given(plain_rules(), baskets, st.data())
def test_splitting_a_purchase_never_earns_more(
    rules: dict[str, Any], basket: tuple[Line, ...], data: st.DataObject
) -> None:
    terms = program(rules)
    cut = data.draw(st.integers(0, len(basket)))
    split = [each for each in (basket[:cut], basket[cut:]) if each]
    assert earned(terms, *split) <= earned(terms, basket)


@given(plain_rules(), baskets)
def test_no_basket_earns_less_than_nothing_and_more_of_it_no_less(
    rules: dict[str, Any], basket: tuple[Line, ...]
) -> None:
    terms = program(rules)
    more = tuple(
        Line(x.id, x.product, x.quantity, x.amount + 100, x.category, x.brand) for x in basket
    )
    assert 0 <= earned(terms, basket) <= earned(terms, more)


#: everything that a refund has to undo: caps, bands, counters, tiers, prices
RICH: dict[str, Any] = {
    "counters": {
        "spend": {"counts": "spend", "except": {"category": "card"}, "window": "calendar year"},
        "visits": {"counts": "purchases", "window": "rolling 90 days"},
        "items": {"counts": "items", "where": {"category": "coffee"}, "window": "ever"},
        "won": {"counts": "points", "of": "base", "window": "ever"},
    },
    "tiers": {
        "status": {
            "by": "spend",
            "levels": {"basic": "from the start", "gold": "200.00 EUR"},
            "lasts": "12 months",
            "refund lowers": "yes",
        }
    },
    "prices": {"own": {"where": {"brand": "own"}, "off": "7 %"}},
    "caps": {"monthly": {"at most": "300 points per calendar month"}},
}
RICH_RULES: dict[str, Any] = {
    "base": {
        "except": {"category": "card"},
        "give": {"basic": "1 point per 1 EUR", "gold": "2 points per 1 EUR"},
        "cap": "monthly",
    },
    "more": {"on": "base", "where": {"category": "tea"}, "multiply": "2 times"},
    "coffee": {"where": {"category": "coffee"}, "give": "3 points per item", "cap": "monthly"},
    "big": {
        "give": {"whole amount": {"from 0 EUR": "1 point per 10 EUR", "from 50 EUR": "20 points"}},
        "cap": "3 times per calendar month",
    },
}


@given(st.lists(baskets, min_size=1, max_size=3), baskets, st.data())
def test_buying_and_bringing_all_back_changes_nothing(
    earlier: list[tuple[Line, ...]], basket: tuple[Line, ...], data: st.DataObject
) -> None:
    member = Member(program(RICH_RULES, **RICH))
    for each in earlier:
        member(Purchase(each))
    points, counted = member.points, member.counted
    tier = member.account.tiers.get("status")
    level = tier.level if tier is not None else 0
    of = member(Purchase(basket), days=1)
    left = {x.id: x.quantity for x in basket}
    while any(left.values()) and data.draw(st.booleans()):
        line = data.draw(st.sampled_from([name for name in left if left[name]]))
        quantity = data.draw(st.integers(1, left[line]))
        left[line] -= quantity
        member(Refund(of, ((line, quantity),)), days=2)
    if any(left.values()):
        member(Refund(of), days=3)
    assert member.points == points
    assert member.counted == counted
    now = member.account.tiers.get("status")
    assert (now.level if now is not None else 0) == level


@given(plain_rules(), baskets, st.randoms(use_true_random=False))
def test_the_order_of_rules_without_interplay_does_not_matter(
    rules: dict[str, Any], basket: tuple[Line, ...], dice: Any
) -> None:
    names = list(rules)
    dice.shuffle(names)
    shuffled = {name: rules[name] for name in names}
    assert earned(program(shuffled), basket) == earned(program(rules), basket)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), max_size=9))
def test_shares_add_up_and_stay_within_one_of_their_due(total: int, weights: list[int]) -> None:
    parts = share(total, weights)
    assert len(parts) == len(weights)
    assert not weights or sum(parts) == total
    whole = sum(weights)
    if whole:
        for part, weight in zip(parts, weights, strict=True):
            assert total * weight // whole <= part <= -(-total * weight // whole)
