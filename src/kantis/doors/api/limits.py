"""Limits: what a key may spend, take or give by one event.

Guarantee: an event of a key with a limit that would move more of a balance than that out of
the member's hands, or adjust more, is not recorded, and nothing that came with it is. How much
it would move is asked of the books, as a quote; what cannot be decided now cannot be measured,
and is not recorded either.

Where an owner has said from which amount on, what a shop's key asks to spend is refused, and not
recorded, until its member has just shown that it is them (``proofs``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import structs

from kantis.core.decision import Entry
from kantis.core.events import Capture, Event, Purchase
from kantis.core.places import ADJUSTED, AVAILABLE
from kantis.desk import freezing, large, settings
from kantis.desk.results import DECIDED, Result
from kantis.desk.submit import Desk
from kantis.doors.api.access import SHOP, Caller
from kantis.doors.api.problems import Problem

if TYPE_CHECKING:
    from kantis.doors.api.office import Office

#: Types of events that spend, give away or adjust.
_MEASURED: Final = frozenset({"adjust", "redeem", "transfer", "exchange"})
#: What brings whole accounts is for keys without a limit.
_NEVER: Final = frozenset({"carry"})


def is_measured(event: Event) -> bool:
    """Whether a limit has something to say of an event."""
    body = event.body
    paid = isinstance(body, Purchase) and (bool(body.points) or bool(body.vouchers))
    return paid or event.type in _MEASURED or event.type in _NEVER


def moved(entry: Entry) -> int:
    """How much of a balance a decision takes out of the member's hands or adjusts, at most."""
    sums: dict[str, int] = {}
    for balance, source, target, amount, _, _ in entry.decision.postings:
        if source == AVAILABLE or ADJUSTED in (source, target):
            sums[balance] = sums.get(balance, 0) + amount
    return max(sums.values(), default=0)


async def keep_to(office: Office, caller: Caller, events: list[Event]) -> Result | None:
    """``Problem`` when one of the events goes beyond what the key may do.

    Of a single event that the program refuses now, the refusal comes back: it is not recorded.
    """
    largest = caller.limits.largest
    if not largest or not any(map(is_measured, events)):
        return None
    results = await office.read(Desk.quote, events, program=caller.program)
    for event, result in zip(events, results, strict=True):
        if not is_measured(event) or result.again:
            continue
        named = f"The {event.type} {event.id!r}"
        if event.type in _NEVER:
            raise Problem("above-limit", f"{named} is not for a key with a limit.")
        if result.refusal is not None:
            if len(events) == 1:
                return structs.replace(result, entry=None)
            raise Problem("above-limit", f"{named} is refused now: {result.refusal.sentence}")
        if result.outcome != DECIDED or result.entry is None:
            raise Problem("above-limit", f"{named} cannot be decided now, nor measured.")
        if moved(result.entry) > largest:
            raise Problem("above-limit", f"{named} moves more than this key may: {largest}.")
    return None


async def keep_proved(office: Office, caller: Caller, events: list[Event]) -> None:
    """``Problem`` when an event of a shop asks to spend more than its member has shown to want."""
    if caller.scope != SHOP:
        return
    asked = [
        each for each in events
        if each.ask and freezing.spends(each) and not isinstance(each.body, Capture)
    ]  # fmt: skip
    if asked and not await office.read(_are_proved, caller, asked):
        raise Problem("proof-needed")


def _are_proved(reader: Desk, caller: Caller, asked: list[Event]) -> bool:
    home, now, books = reader.homes.numbered(caller.number), reader.clock(), reader.books
    limit = settings.get(books, home.number, settings.PROVE_FROM)
    if limit is None:
        return True
    for each in reader.quote(asked, program=caller.program):
        if each.entry is None or each.refusal is not None or each.again:
            continue
        worth = large.worth(home, each.entry, now)
        proved = large.is_proved(books, each.account, caller.source, now)
        if worth and worth >= limit and not proved:
            return False
    return True
