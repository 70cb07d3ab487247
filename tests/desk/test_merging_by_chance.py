"""Two cards that become one have what one card would have had, whatever happens when."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kantis.core.calendar import DAY_MS
from kantis.core.events import Confirm, Line, Purchase, Refund
from kantis.desk.programs import Engine
from tests.desk.shop import Shop
from tests.desk.test_merging import account, merge, proved, purse, settle

TERMS: dict[str, Any] = {
    "program": "p",
    "money": "EUR",
    "timezone": "Europe/Helsinki",
    "late": "90 days",
    "balances": {"points": {"expires": "2 months after earning"}},
    "counters": {"spend": {"counts": "spend", "window": "calendar year"}},
    "tiers": {
        "status": {
            "by": "spend",
            "levels": {"plain": "from the start", "gold": "150.00 EUR"},
            "refund lowers": "yes",
        }
    },
    "earning": {
        "base": {"give": "1 point per 1.00 EUR"},
        "web": {"give": "2 points per 1.00 EUR", "if": {"channel": "web"},
                "available": "when confirmed"},
        "later": {"give": "1 point per 2.00 EUR", "if": {"channel": "shop"},
                  "available": "after 14 days"},
    },
    "rewards": {"money-off": {"rate": "0.01 EUR per 1 point"}},
}  # fmt: skip

_BUY = st.tuples(
    st.just("buy"),
    st.sampled_from(("old", "new")),
    st.integers(100, 9000),
    st.sampled_from(("", "web", "shop")),
    st.integers(0, 40),
)
_BACK = st.tuples(st.just("back"), st.integers(0, 11), st.integers(1, 3))
_CONFIRM = st.tuples(st.just("confirm"), st.integers(0, 11))
_WAIT = st.tuples(st.just("wait"), st.integers(1, 40))
_SPEND = st.tuples(st.just("spend"), st.integers(1, 60))
_BEFORE = st.lists(st.one_of(_BUY, _BACK, _CONFIRM, _WAIT), max_size=10)
_AFTER = st.lists(st.one_of(_BUY, _BACK, _CONFIRM, _WAIT, _SPEND), max_size=10)


def _play(shop: Shop, steps: list[Any], merges_at: int, single: bool) -> None:
    bought: list[str] = []
    shop(shop.enrol("old"), shop.enrol("new"))
    for n, step in enumerate(steps):
        if n == merges_at and not single:
            merge(shop)
        if step[0] == "wait":
            shop.now += step[1] * DAY_MS
        elif step[0] == "buy":
            _, card, amount, channel, ago = step
            lines = tuple(Line(str(k), "latte", 1, amount) for k in range(3))
            body = Purchase(lines, channel=channel, group=f"g{n}" if channel == "web" else "")
            bought.append(card)
            time = shop.now - ago * DAY_MS if n >= merges_at else shop.now
            subject = f"card:{'new' if single else card}"
            shop(shop.tell(f"b{len(bought) - 1}", subject, body, time=time))
        elif step[0] == "spend":
            shop(shop.redeem(f"s{n}", "new", step[1]))
        elif step[1] < len(bought):
            card = "new" if single else bought[step[1]]
            if step[0] == "confirm":
                where = [k for k, each in enumerate(steps) if each[0] == "buy"][step[1]]
                shop(shop.ask(f"c{n}", f"card:{card}", Confirm(f"g{where}")))
            else:
                lines_back = ((str(step[2] - 1), 1),)
                shop(shop.tell(f"r{n}", f"card:{card}", Refund(f"b{step[1]}", lines_back)))
    if merges_at >= len(steps) and not single:
        merge(shop)
    settle(shop)
    shop.now += 1
    shop(shop.tell("last", "card:new", Purchase((Line("1", "latte", 1, 100),))))


def _outcome(shop: Shop, returned: bool) -> Any:
    """What is there at the end. Where something came back, points that wait count as those that
    can be used: in one lot what waits goes first, and two cards have two lots of a day."""
    state = account(shop, "new")
    available, pending, *other = purse(shop, "new")
    held = [available + pending, 0, *other] if returned else [available, pending, *other]
    lots: Counter[Any] = Counter()
    for lot in state.lots.values():
        if lot.open:
            lots[lot.bucket, lot.expires, lot.group] += lot.open
    level = state.tiers["status"].level if "status" in state.tiers else 0
    return held, lots, +Counter(state.counters.get("spend", {})), level


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(_BEFORE, _AFTER)
@example([*[("buy", "old", 100, "", 0)] * 3, ("buy", "new", 100, "shop", 0)], [("back", 0, 1)])
def test_two_cards_that_become_one_have_what_one_would_have(
    before: list[Any], after: list[Any]
) -> None:
    outcomes = []
    for single in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{Path(folder)}/books.db"
            with Shop(url, Engine(), TERMS) as shop:
                _play(shop, [*before, *after], len(before), single)
                returned = any(step[0] == "back" for step in [*before, *after])
                outcomes.append(_outcome(shop, returned))
                proved(shop)
    assert outcomes[0] == outcomes[1]
