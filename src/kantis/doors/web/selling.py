"""Selling: the events that a till makes of a basket, each under an id that the basket gives it.

Guarantee: whatever is pressed, sent or synchronised again makes the same events, and is
booked once. What was set aside for a basket is spent with its purchase, and not without it.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from kantis.core.amounts import share
from kantis.core.events import Body, Capture, Event, Line, Purchase
from kantis.desk import redemptions
from kantis.desk.redemptions import CAPTURED, HELD, Redemption
from kantis.desk.results import UNKNOWN, Result
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller, allowed
from kantis.doors.web.basket import Basket
from kantis.doors.web.pages import Visit

#: What is put behind the id of a basket for what belongs to it.
HOLD: Final = "-r"
CAPTURE: Final = "-c"
RELEASE: Final = "-x"
#: Flags of a purchase whose points were not there, or could not pay it after all.
UNCOVERED: Final = frozenset({"shortage", "too-much", "unknown-reward", "below-minimum"})


def event(till: Caller, id: str, subject: str, body: Body, at: int = 0, *, ask: bool) -> Event:
    """An event as this till may send it; ``Problem`` when it may not."""
    return allowed(till, Event(till.source, id, at, subject, body, ask=ask))


def set_aside(reader: Desk, till: Caller, id: str) -> Redemption | None:
    """What was set aside for a basket and is not given back."""
    home = reader.homes.numbered(till.number)
    key = f"{till.source}/{id}{HOLD}"
    found = redemptions.redemption(reader.books, home, key, reader.clock())
    return found if found is not None and found.state in (HELD, CAPTURED) else None


def purchase(till: Caller, basket: Basket, held: Redemption | None) -> Event:
    """The purchase that a basket becomes; what was set aside comes off its lines."""
    lines, worth = basket.lines, held.worth if held is not None else 0
    subject = f"card:{basket.card}" if basket.card else ""
    points = dict(basket.points) or None
    body = Purchase(_less(lines, worth), receipt=basket.id, channel="till", points=points)
    return event(till, basket.id, subject, body, basket.at, ask=False)


def _less(lines: tuple[Line, ...], worth: int) -> tuple[Line, ...]:
    weights = [line.amount for line in lines]
    if not worth or not sum(weights):
        return lines
    parts = share(min(worth, sum(weights)), weights)
    return tuple(
        structs.replace(line, amount=line.amount - part, discount=part)
        for line, part in zip(lines, parts, strict=True)
    )


async def sell(visit: Visit, basket: Basket) -> str:
    """Record a basket; the code of why not, or nothing."""
    till = visit.till
    held, code = await visit.office.read(_ready, till, basket)
    if code:
        return code
    if held is not None:
        wanted = Capture(f"{basket.id}{HOLD}")
        code = await send(visit, f"{basket.id}{CAPTURE}", f"account:{held.account}", wanted)
        if code:
            return code
    (result,) = await visit.office.submit(till, [purchase(till, basket, held)])
    return why_not(result)


def _ready(reader: Desk, till: Caller, basket: Basket) -> tuple[Redemption | None, str]:
    """What was set aside, and why the purchase could not be recorded now."""
    held = set_aside(reader, till, basket.id)
    (result,) = reader.quote([purchase(till, basket, held)], program=till.program)
    return held, why_not(result)


async def send(visit: Visit, id: str, subject: str, body: Body) -> str:
    """Ask for something; the code of why not, or nothing."""
    asked = event(visit.till, id, subject, body, ask=True)
    (result,) = await visit.office.submit(visit.till, [asked])
    return why_not(result)


def why_not(result: Result) -> str:
    """The code of a refusal; nothing where there is none."""
    if result.refusal is not None:
        return result.refusal.code
    return UNKNOWN if result.outcome == UNKNOWN else ""
