"""Many offers: what nobody has loaded changes nothing, and costs next to nothing."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from kantis.core.account import Account, decode_account, encode_account
from kantis.core.basket import ALL, Classifier
from kantis.core.conditions import Filter
from kantis.core.decision import Context
from kantis.core.earner import FEW
from kantis.core.events import Event, Line, Load, Purchase
from kantis.core.turn import begin
from kantis.engine.decide import decide
from kantis.engine.program import Program
from tests.engine.member import NOON, Member, program

RULES: dict[str, Any] = {
    "base": {"give": "1 point per 1 EUR", "round": "spend down to 1 EUR, points down"},
    "cups": {"where": {"category": "c1"}, "give": "3 points per item"},
    "visit": {"give": "2 points per purchase"},
    "hot": {"on": "base", "where": {"tag": "t1"}, "add": "50 %"},
}
HEAD: dict[str, Any] = {
    "prices": {"cake": {"where": {"category": "c3"}, "off": "5 %"}},
    "balances": {"points": {"expires": "never"}, "stars": {"expires": "never"}},
}
GIVES = ("100 points", "2 points per 1 EUR", "5 points per item", "2 stars", "1 stars per item")
OFFS = ("10 %", "0.50 EUR per item", "down to 1.00 EUR an item", "every 2nd item")


def drawn(dice: Random) -> dict[str, Any]:
    """An offer of any shape."""
    parts = {
        "product": [f"p{dice.randrange(40)}" for _ in range(3)],
        "category": f"c{dice.randrange(6)}",
        "brand": f"b{dice.randrange(4)}",
        "tag": f"t{dice.randrange(3)}",
    }
    where = {name: value for name, value in parts.items() if dice.random() < 0.35}
    found: dict[str, Any] = {"where": where} if where else {}
    more = {
        "except": {"category": "c2", "tag": "t0"},
        "when": dice.choice(("2024-01-01 to 2024-03-31", ["Monday", "Friday"])),
        "if": {"basket": "at least 20 EUR"},
        "uses": dice.choice((1, 3, "2 per calendar month")),
    }
    found |= {name: value for name, value in more.items() if dice.random() < 0.25}
    kind = dice.random()
    if kind < 0.4:
        found["give"] = dice.choice(GIVES)
        if "stars" not in found["give"] and dice.random() < 0.5:
            found["available"] = dice.choice(("after 2 days", "when confirmed"))
        if dice.random() < 0.3:
            found["cap"] = "2 times per calendar week"
    elif kind < 0.8:
        found["on"] = dice.choice(("base", "cups", "visit", ["base", "cups"]))
        found |= dice.choice(({"multiply": "3 times"}, {"add": "25 %"}))
        other = {"stack": "compounds"}, {"only best of": "one"}, {"only best of": "two"}
        if dice.random() < 0.5:
            found |= dice.choice(other)
    else:
        found["off"] = dice.choice(OFFS)
    return found


def basket(dice: Random) -> Purchase:
    """Some lines."""
    lines = [
        Line(
            str(number),
            f"p{dice.randrange(40)}",
            dice.randint(1, 4),
            dice.randint(100, 2000),
            f"c{dice.randrange(6)}",
            f"b{dice.randrange(4)}",
            tags=tuple(tag for tag in ("t0", "t1") if dice.random() < 0.3),
        )
        for number in range(dice.randint(1, 9))
    ]
    return Purchase(tuple(lines))


def traced(terms: Program, account: Account, event: Event) -> list[tuple[str, str]]:
    """Why rules did nothing, on a copy."""
    plan, body, copy = terms.plan(event.time), event.body, decode_account(encode_account(account))
    assert isinstance(body, Purchase)
    turn = begin(copy, plan.calendar, event, event.time, event.time, Context())
    turn.trace = []
    plan.act("purchase", "lines", trace=True)(turn, body.lines)
    return turn.trace


@pytest.mark.parametrize("seed", range(12))
def test_offers_that_are_not_loaded_change_nothing(seed: int) -> None:
    """Decided with all offers, where they are looked up, and with the loaded ones alone, which
    are written out: the same in every byte, and for the same reasons.

    Lots come in the order in which the file first gives such points, so that the first offers
    of each kind stay.
    """
    dice = Random(seed)
    offers = {f"o{number}": drawn(dice) for number in range(FEW + dice.choice((1, 8, 60)))}
    terms = program(RULES, offers=offers, **HEAD)
    kinds = {
        (each["give"].split()[1], each.get("available")): name
        for name, each in reversed(offers.items())
        if "give" in each
    }
    account, now = Account(1), NOON
    for number in range(24):
        now += dice.randint(1, 3 * 86_400_000)
        loaded = [name for name, each in account.offers.items() if each[0] >= 0]
        load = len(loaded) < 4 and dice.random() < 0.65
        body = Load(dice.choice(list(offers))) if load else basket(dice)
        event = Event("till", f"e{number}", now, "account:1", body, now)
        if load:
            decide(terms, account, event)
            continue
        few = {name: offers[name] for name in offers if name in {*loaded, *kinds.values()}}
        assert len(few) <= FEW
        alone = program(RULES, offers=few, **HEAD)
        why = [each for each in traced(terms, account, event) if each[0] not in offers]
        assert why == [each for each in traced(alone, account, event) if each[0] not in offers]
        other = decode_account(encode_account(account))
        made, wanted = decide(terms, account, event), decide(alone, other, event)
        assert made == wanted
        assert encode_account(account) == encode_account(other)


@pytest.mark.parametrize("others", [0, 2 * FEW])
def test_the_best_of_offers_that_exclude_each_other_counts(others: int) -> None:
    """That the best one is used up by acting does not let the next one act too."""
    word = {"only best of": "multiples", "on": "base"}
    offers = {
        "triple": {**word, "multiply": "3 times"},
        "double": {**word, "multiply": "2 times"},
        **{f"more-{number}": {**word, "multiply": "1.5 times"} for number in range(others)},
    }
    member = Member(program({"base": {"give": "1 point per 1 EUR"}}, offers=offers))
    member(Load("triple"))
    member(Load("double"))
    member(Purchase((Line("1", "a", 1, 1000, "coffee"),)))
    assert member.points == 30
    member(Purchase((Line("1", "a", 1, 1000, "coffee"),)))
    assert member.points == 30 + 20


def test_a_line_is_asked_about_few_of_many_filters() -> None:
    classifier = Classifier()
    asked = []

    class Asked(Filter, frozen=True):
        def matches(self, line: Line) -> bool:
            asked.append(self)
            return super().matches(line)

    for number in range(2000):
        parts = (("product", (f"p{number}",)), ("tag", ("coupon",)))
        classifier.bit(Asked(parts), None)
    everywhere = classifier.bit(None, Filter((("tag", ("gift",)),), any_of_them=True))
    (mask,) = classifier.masks((Line("1", "p7", 1, 100, tags=("coupon",)),))
    assert mask == ALL | 1 << 8 | everywhere
    assert len(asked) == 1
    assert classifier.masks((Line("1", "p7", 1, 100, tags=("gift",)),)) == [ALL]
