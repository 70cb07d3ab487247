"""Orders: what a shop has told of an order, and the events that bring the books there.

A shop tells of an order many times: late, twice, out of order, and some of it never. What it
has told is kept per order. Of orders the newest one by the shop's own version counts, of
what came back everything that was ever told; so the same deliveries give the same whatever
order they come in, and what is old news gives nothing at all.

An order that was changed is booked anew: the purchase comes back whole, for the reason
``edited``, and is made again as it is now, under an id of its own and with its first time.
Money that comes back without goods lowers the prices of the lines.

>>> line = Line("1", "mug", 1, 1000)
>>> paid = Order((1,), 60_000, 60_000, True, False, "card:7", (line,), 1000)
>>> known = merge(Known(), Report("order:5", paid))
>>> [event.id for event in settle(known, "shop", "order:5")]
['order:5']
>>> known = merge(known, Report("order:5", backs=(Back("refund:9", 90_000, (("1", 1),)),)))
>>> [(event.id, event.body.of) for event in settle(known, "shop", "order:5")]
[('refund:9', 'order:5')]
>>> settle(known, "shop", "order:5")
[]
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field, msgpack, structs

from kantis.core.amounts import divide, share
from kantis.core.events import (
    EDITED,
    Body,
    Cancel,
    Capture,
    Event,
    Line,
    Purchase,
    Refund,
    Release,
)

_encode: Final = msgpack.Encoder().encode

#: What was set aside for an order: not yet known, taken, given back, or returned.
_OPEN, _CAPTURED, _RELEASED, _RETURNED = range(4)


class Back(Struct, frozen=True, array_like=True):
    """Something of an order came back: goods by line, or money alone.

    ``money`` is in minor units, with its tax. ``detail`` grows with how much is known: some
    shops tell the sum first, and only when they are asked which lines it was for.
    """

    id: str
    time: int
    lines: tuple[tuple[str, int], ...] = ()
    money: int = 0
    detail: int = 0


class Order(Struct, frozen=True, array_like=True):
    """An order as the shop told it.

    ``version`` is the shop's own, the greater the newer. ``time`` is when it was paid, and
    ``total`` what was paid, with tax and shipping. ``hold`` is the id of a redemption that was
    set aside for it.
    """

    version: tuple[int, ...]
    time: int
    updated: int
    paid: bool
    cancelled: bool
    subject: str
    lines: tuple[Line, ...]
    total: int = 0
    receipt: str = ""
    location: str = ""
    channel: str = ""
    tender: str = ""
    hold: str = ""


class Report(Struct, frozen=True, array_like=True, tag="order"):
    """What one delivery says of an order: how it stands, what came back of it, or both."""

    reference: str
    order: Order | None = None
    backs: tuple[Back, ...] = ()


class Booked(Struct, frozen=True, array_like=True):
    """What the books have of an order: the how manieth booking, of what, and what came back."""

    number: int
    digest: bytes
    returned: dict[str, tuple[tuple[str, int], ...]]


class Known(Struct, array_like=True):
    """All that a shop has told of an order, and what was booked of it.

    ``paid`` is the newest of those that were paid. ``sent`` are events that may not have
    reached the books yet.
    """

    newest: Order | None = None
    paid: Order | None = None
    backs: dict[str, Back] = field(default_factory=dict)
    booked: Booked | None = None
    hold: int = _OPEN
    sent: list[Event] = field(default_factory=list)


def merge(known: Known, report: Report) -> Known:
    """What is known with one more report; old news changes nothing."""
    newest, paid, order = known.newest, known.paid, report.order
    if order is not None:
        newest = _newer(newest, order)
        paid = _newer(paid, order) if order.paid else paid
    backs = dict(known.backs)
    for back in report.backs:
        before = backs.get(back.id)
        if before is None or (before.detail, _encode(before)) < (back.detail, _encode(back)):
            backs[back.id] = back
    return structs.replace(known, newest=newest, paid=paid, backs=backs)


def _newer(one: Order | None, other: Order) -> Order:
    """The newer by version; of equal versions always the same one, whichever came first."""
    if one is None:
        return other
    return max(one, other, key=lambda each: (each.version, _encode(each)))


def waits(known: Known) -> bool:
    """Whether something came back of an order that nobody has told of yet."""
    return known.paid is None and bool(known.backs)


class _Wanted(Struct):
    """How the books should have an order: a purchase, and what came back of it, in order."""

    purchase: Purchase
    time: int
    subject: str
    backs: list[tuple[str, int, tuple[tuple[str, int], ...], str]]
    whole: bool

    def digest(self) -> bytes:
        said = _encode((self.purchase, self.time, self.subject))
        return hashlib.blake2b(said, digest_size=16).digest()


def settle(known: Known, source: str, reference: str) -> list[Event]:
    """The events that bring the books to what is known; ``known`` remembers that they are sent."""
    wanted, order = _wanted(known, reference), known.paid
    events: list[Event] = []

    def add(id: str, time: int, subject: str, body: Body) -> None:
        events.append(Event(source, id, time, subject, body))

    if wanted is not None and order is not None:
        _book(known, wanted, reference, add)
        if order.hold and order.subject and known.hold == _OPEN:
            add(f"{order.hold}:capture", order.time, order.subject, Capture(order.hold))
            known.hold = _CAPTURED
        if wanted.whole and known.hold == _CAPTURED:
            time = max(each[1] for each in wanted.backs)
            add(f"{order.hold}:return", time, order.subject, Cancel(order.hold))
            known.hold = _RETURNED
    newest = known.newest
    gone = wanted is None and newest is not None and newest.cancelled
    if gone and newest is not None and newest.hold and newest.subject and known.hold == _OPEN:
        add(f"{newest.hold}:release", newest.updated, newest.subject, Release(newest.hold))
        known.hold = _RELEASED
    known.sent += events
    return events


def _book(
    known: Known, wanted: _Wanted, reference: str, add: Callable[[str, int, str, Body], None]
) -> None:
    """The purchase as it is wanted, and of it what came back."""
    booked, digest = known.booked, wanted.digest()
    backs = {id: lines for id, _, lines, _ in wanted.backs}
    stale = booked is not None and (
        booked.digest != digest
        or any(backs.get(id) != lines for id, lines in booked.returned.items())
    )
    number = booked.number if booked is not None else 0
    if stale:
        assert known.newest is not None
        name = _named(reference, number)
        add(f"{name}:edited", known.newest.updated, "", Refund(name, reason=EDITED))
    if stale or booked is None:
        number += 1
        add(_named(reference, number), wanted.time, wanted.subject, wanted.purchase)
        booked = Booked(number, digest, {})
    assert booked is not None
    returned = dict(booked.returned)
    for id, time, lines, reason in wanted.backs:
        if id not in returned:
            body = Refund(_named(reference, number), lines, reason=reason)
            add(_named(id, number), time, "", body)
            returned[id] = lines
    known.booked = Booked(number, digest, returned)


def _named(id: str, number: int) -> str:
    """The id of something for the how manieth booking: ``order:5``, ``order:5#2``."""
    return id if number == 1 else f"{id}#{number}"


def _wanted(known: Known, reference: str) -> _Wanted | None:
    """How the books should have it; nothing where it was never paid."""
    order = known.paid
    if order is None:
        return None
    told = sorted(known.backs.values(), key=lambda back: (back.time, back.id))
    money = sum(back.money for back in told)
    left = {line.id: max(1, line.quantity) for line in order.lines}
    backs = []
    for back in told:
        lines = []
        for id, quantity in back.lines:
            taken = min(quantity, left.get(id, 0))
            if taken > 0:
                left[id] -= taken
                lines.append((id, taken))
        if lines:
            backs.append((back.id, back.time, tuple(lines), "refund"))
    everything = bool(money) and money >= order.total
    assert known.newest is not None
    if any(left.values()) and (known.newest.cancelled or everything):
        rest = tuple((id, quantity) for id, quantity in left.items() if quantity)
        when = max(back.time for back in told if back.money) if everything else 0
        reason = "cancel" if known.newest.cancelled else "refund"
        backs.append((f"{reference}:rest", when or known.newest.updated, rest, reason))
        left = {}
    lines_now = order.lines if everything or not money else lowered(order.lines, money, order.total)
    purchase = Purchase(
        lines_now, order.location, order.channel, order.tender, order.receipt, group=reference
    )
    return _Wanted(purchase, order.time, order.subject, backs, not any(left.values()))


def lowered(lines: tuple[Line, ...], money: int, total: int) -> tuple[Line, ...]:
    """Lines at the price that was paid in the end, where money came back without goods.

    >>> lowered((Line("1", "mug", 1, 900), Line("2", "tea", 1, 100)), 500, 1000)[0].amount
    450
    """
    amounts, taxes = [line.amount for line in lines], [line.tax for line in lines]
    off = share(divide(money * sum(amounts), total, "half up"), amounts)
    untaxed = share(divide(money * sum(taxes), total, "half up"), taxes)
    return tuple(
        structs.replace(line, amount=line.amount - less, tax=line.tax - tax)
        for line, less, tax in zip(lines, off, untaxed, strict=True)
    )
