"""A day in the shop: events in an order that a seed decides, with everything that can happen."""

import random

from kantis.core.calendar import DAY_MS
from kantis.core.events import Event
from tests.desk.shop import NOON, Shop


def day(shop: Shop, seed: int, count: int, cards: int = 12) -> list[Event]:
    """Events of some members over some two years of an import, all of them before ``NOON``."""
    dice = random.Random(seed)
    time = NOON - 2 * 730 * DAY_MS
    events = [shop.enrol(f"{n}", time=time) for n in range(cards)]
    bought: list[tuple[str, str]] = []
    for number in range(count):
        time += dice.randrange(1, 2 * 730 * DAY_MS // count)
        card, name = f"{dice.randrange(cards)}", f"{number}"
        kind = dice.randrange(10)
        if kind < 5 or not bought:
            events.append(shop.buy(name, card, dice.randrange(1, 50_000), time=time))
            bought.append((name, card))
        elif kind < 7:
            events.append(shop.redeem(name, card, dice.randrange(1, 400), time=time))
        elif kind == 7:
            of, owner = dice.choice(bought)
            events.append(shop.refund(name, owner if dice.random() < 0.8 else "", of, time=time))
        elif kind == 8:
            events.append(shop.buy(name, "", dice.randrange(1, 50_000), time=time))
            if dice.random() < 0.5:
                later = shop.claim(f"{name}c", card, f"R{name}")
                events.append(Event("till", later.id, time, later.subject, later.body, 0, True))
        else:
            late = time - dice.randrange(20 * DAY_MS)
            events.append(shop.buy(name, card, dice.randrange(1, 50_000), time=late))
    return events
