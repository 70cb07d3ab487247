"""Row 1: ``decide`` alone, beside a function written by hand for the one program."""

from __future__ import annotations

from msgspec import msgpack

from bench import byhand
from bench.measure import Row, Spread, cpu, in_turns, ratios
from bench.world import Shop
from kantis.core.account import encode_account
from kantis.engine.decide import decide

SHOPS = (
    ("corner-cafe", "decide: a café purchase, 2 lines", byhand.cafe, 8.0),
    ("grocer", "decide: a grocer basket, 9 lines", byhand.grocer, 20.0),
)


def rows(quick: bool) -> list[Row]:
    """Both shops."""
    found = []
    for shop_name, name, make, goal in SHOPS:
        shop = Shop(shop_name)
        by_hand = make(shop.program.calendar)
        assert_same(shop, by_hand)
        found.append(_row(shop, name, by_hand, goal, 9 if quick else 25))
    return found


def assert_same(shop: Shop, by_hand: byhand.ByHand) -> None:
    """Every decision of the day is the same in every byte, and so is every account."""
    for (ours, event), (theirs, _) in zip(shop.pairs(), shop.pairs(), strict=True):
        made, wanted = decide(shop.program, ours, event), by_hand(theirs, event)
        if msgpack.encode(made) != msgpack.encode(wanted):
            raise AssertionError(f"{event.key}:\n{made}\n{wanted}")
        if encode_account(ours) != encode_account(theirs):
            raise AssertionError(f"{event.key}:\n{ours}\n{theirs}")


def _row(shop: Shop, name: str, by_hand: byhand.ByHand, goal: float, rounds: int) -> Row:
    program = shop.program

    def ours() -> float:
        pairs = shop.pairs()
        return cpu(lambda: [decide(program, account, event) for account, event in pairs])

    def theirs() -> float:
        pairs = shop.pairs()
        return cpu(lambda: [by_hand(account, event) for account, event in pairs])

    mine, others = in_turns(rounds, ours, theirs)
    scale = 1e6 / len(shop.events)
    taken = Spread.of(mine).times(scale)
    return Row(
        name,
        taken,
        "µs",
        f"≤ {goal:.0f} µs",
        taken.middle <= goal,
        "the same decision, written by hand",
        Spread.of(others).times(scale),
        ratios(mine, others),
        "times as long",
        [f"{len(shop.events):,} purchases of {shop.members:,} members, {rounds} rounds"],
    )
