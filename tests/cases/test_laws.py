"""Laws that every program of the house keeps, whatever its terms: splitting and bringing back."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from kantis.core.account import NEVER, Account
from kantis.core.calendar import DAY_MS
from kantis.core.decision import Context, Entry, Original
from kantis.core.events import Body, Enrol, Event, Line, Purchase, Refund
from kantis.core.places import AVAILABLE, HELD, OWED, PENDING, VOUCHER
from kantis.desk import text
from kantis.engine.decide import decide
from kantis.engine.program import Program, Version, assemble
from kantis.engine.splitting import pays_to_split
from tests.house.sources import REPO

FILES = sorted([*(REPO / "programs").glob("*.yaml"), *(REPO / "programs/templates").glob("*.yaml")])
IDS = [path.stem for path in FILES]


def program(path: Path) -> Program:
    return assemble([Version(1, 0, text.read_file(path))])


class Shop:
    """A member of a program, on a day of its newest terms, and baskets that its rules mean."""

    def __init__(self, terms: Program, seed: int) -> None:
        self.terms, self.dice = terms, random.Random(seed)
        plan = terms.newest
        start = max(plan.since, terms.calendar.read("2024-03-06T12:00"))
        self.now = start if plan.until == NEVER else min(start, plan.until - 9 * DAY_MS)
        self.account, self.count = Account(1), 0
        self.values: dict[str, set[str]] = {"tag": set()}
        for where, but in plan.classifier.filters:
            for each in (where, but):
                for name, values in each.parts if each is not None else ():
                    self.values.setdefault(name, set()).update(values)
        self(Enrol())

    def __call__(self, body: Body, original: Original | None = None) -> tuple[Event, Entry]:
        self.count += 1
        event = Event("till", f"e{self.count}", self.now + self.count * 1000, "account:1", body)
        seen = {original.event.key: original} if original is not None else {}
        entry = decide(self.terms, self.account, event, Context(seen))[-1]
        assert entry.decision.refusal is None, entry.decision.refusal
        return event, entry

    def line(self, number: int) -> Line:
        dice, said = self.dice, {}
        for name, values in self.values.items():
            if name != "tag" and values:
                said[name] = dice.choice([*sorted(values), "other"])
        tags = tuple(tag for tag in sorted(self.values["tag"]) if dice.random() < 0.3)
        scale = 10**self.terms.money.scale
        amount = (
            dice.randrange(1, 120 * scale) if dice.random() < 0.8 else dice.randrange(9 * scale)
        )
        extra: dict[str, Any] = {"tags": tags, "measure": dice.choice([0, 12_500])}
        return Line(
            f"{number}", said.pop("product", "thing"), dice.randint(1, 4), amount, **said, **extra
        )

    def basket(self) -> tuple[Line, ...]:
        return tuple(self.line(number) for number in range(self.dice.randint(1, 6)))

    @property
    def has(self) -> dict[str, int]:
        places = (AVAILABLE, PENDING, HELD, OWED, VOUCHER)
        sums = {name: sum(purse[p] for p in places) for name, purse in self.account.purse.items()}
        return {name: amount for name, amount in sums.items() if amount}


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_splitting_never_earns_more_unless_check_says_so(path: Path) -> None:
    terms = program(path)
    if pays_to_split(terms.newest):
        pytest.skip("check says why it can")
    for seed in range(60):
        whole, split = Shop(terms, seed), Shop(terms, seed)
        basket = whole.basket()
        cut = whole.dice.randint(0, len(basket))
        whole(Purchase(basket))
        for part in (basket[:cut], basket[cut:]):
            if part:
                split(Purchase(part))
        for name, amount in split.has.items():
            assert amount <= whole.has.get(name, 0), (seed, basket, cut)


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_bringing_all_back_leaves_what_there_was(path: Path) -> None:
    terms = program(path)
    for seed in range(40):
        shop = Shop(terms, seed)
        for _ in range(shop.dice.randint(0, 3)):
            shop(Purchase(shop.basket()))
        before = shop.has
        event, entry = shop(Purchase(shop.basket()))
        shop(Refund(event.id), Original(event, entry))
        assert shop.has == before, (seed, before, shop.has)


#: Programmes whose terms name a debt: two let the balance go below zero, one counts refunds off.
DEBTS = {"amazon-prime", "amex-gold", "costco-executive"}
#: Programs of the house, which are nobody's text.
OWN = {"corner-cafe", "grocer"}


@pytest.mark.parametrize("path", sorted((REPO / "programs").glob("*.yaml")), ids=lambda p: p.stem)
def test_balances_go_below_zero_only_where_the_terms_say_so(path: Path) -> None:
    plan = program(path).newest
    gift = any(each.issued == "by itself" and each.cost for each in plan.rewards.values())
    owed = plan.head.refunds.shortage == "owed"
    if path.stem in OWN:
        return
    assert owed == (path.stem in DEBTS or gift), "who brings all back would keep a gift"
    told = " ".join(plan.head.about.split())
    assert ("name no debt" in told) != (path.stem in DEBTS), told
    assert plan.head.refunds.shortage in ("owed", "forgiven")


def test_reasons_are_told_by_rule() -> None:
    told = pays_to_split(program(REPO / "programs" / "grocer.yaml").newest)
    assert told["big-basket"] == "it gives the same for each purchase, however small"
    assert "next level" in told["shopping"]
    assert not pays_to_split(program(REPO / "programs" / "corner-cafe.yaml").newest)
    over = pays_to_split(program(REPO / "programs" / "s-ryhma-bonus.yaml").newest)
    assert all("bands" not in reason for reason in over.values()), "its bands are of a month"
