"""Subscriptions: what a payment service has told of a paid membership, and its events.

It tells of a subscription many times, in no order. Of the subscription the newest state
counts, of its invoices whether each was paid. A member *subscribes* when the subscription
runs, *pays* with each invoice of a following term, and *unsubscribes* when it is to end.

>>> runs = Subscription((5, 1), 5_000, 5_000, "card:7", "plus", "month", True)
>>> known = merge(Known(), Notice("subscription:1", runs))
>>> [event.type for event in settle(known, "shop", "subscription:1")]
['subscribe']
>>> known = merge(known, Notice("subscription:1", invoices=(Invoice("in_2", 9_000, True),)))
>>> [(event.id, event.type) for event in settle(known, "shop", "subscription:1")]
[('in_2', 'pay')]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct, field, msgpack, structs

from kantis.core.events import Body, Event, Pay, Subscribe, Unpaid, Unsubscribe

_encode: Final = msgpack.Encoder().encode


class Invoice(Struct, frozen=True, array_like=True):
    """The invoice of a following term; ``failed`` counts attempts that brought no money."""

    id: str
    time: int
    paid: bool
    failed: int = 0


class Subscription(Struct, frozen=True, array_like=True):
    """A subscription as it was told. ``by_itself`` is how the plan renews in the program."""

    version: tuple[int, ...]
    time: int
    updated: int
    subject: str
    plan: str
    per: str
    runs: bool
    ends: bool = False
    trial: bool = False
    by_itself: bool = False


class Notice(Struct, frozen=True, array_like=True, tag="subscription"):
    """What one delivery says: how the subscription stands, or what became of its invoices."""

    reference: str
    subscription: Subscription | None = None
    invoices: tuple[Invoice, ...] = ()


class Known(Struct, array_like=True):
    """All that was told of a subscription, and what was sent of it."""

    newest: Subscription | None = None
    invoices: dict[str, Invoice] = field(default_factory=dict)
    #: how often it was begun and ended, and the plan and period that it is begun with
    begun: int = 0
    ended: int = 0
    had: tuple[str, str] = ("", "")
    #: invoices whose failure, and whose payment, was sent
    told: dict[str, int] = field(default_factory=dict)
    sent: list[Event] = field(default_factory=list)


def merge(known: Known, notice: Notice) -> Known:
    """What is known with one more notice; old news changes nothing."""
    newest, said = known.newest, notice.subscription
    if said is not None:
        older = newest is None or (newest.version, _encode(newest)) < (said.version, _encode(said))
        newest = said if older else newest
    invoices = dict(known.invoices)
    for invoice in notice.invoices:
        before = invoices.get(invoice.id, invoice)
        invoices[invoice.id] = Invoice(
            invoice.id,
            max(before.time, invoice.time),
            before.paid or invoice.paid,
            max(before.failed, invoice.failed),
        )
    return structs.replace(known, newest=newest, invoices=invoices)


def waits(known: Known) -> bool:
    """Whether an invoice is known of a subscription that is not."""
    return known.newest is None and bool(known.invoices)


def settle(known: Known, source: str, reference: str) -> list[Event]:
    """The events that bring the books to what is known; ``known`` remembers that they are sent."""
    now = known.newest
    if now is None or not now.plan or not now.subject:
        return []
    events: list[Event] = []

    def add(id: str, time: int, body: Body) -> None:
        events.append(Event(source, id, time, now.subject, body))

    on = known.begun > known.ended
    wanted = now.runs and not now.ends
    if now.runs and not known.begun:
        known.begun, on = 1, True
        trial = "yes" if now.trial else "no"
        add(reference, now.time, Subscribe(now.plan, now.per, trial))
        known.had = now.plan, now.per
    for invoice in sorted(known.invoices.values(), key=lambda each: (each.time, each.id)):
        if known.begun:
            _bill(known, now, invoice, add)
    if wanted and (not on or known.had != (now.plan, now.per)):
        known.begun += not on
        known.had = now.plan, now.per
        name = f"{reference}:{known.begun}:{now.updated}"
        add(name, now.updated, Subscribe(now.plan, now.per))
    elif on and not wanted:
        known.ended += 1
        add(f"{reference}:end:{known.ended}", now.updated, Unsubscribe(known.had[0]))
    known.sent += events
    return events


def _bill(
    known: Known, now: Subscription, invoice: Invoice, add: Callable[[str, int, Body], None]
) -> None:
    """A plan that renews by paying takes each payment; one that does so by itself is told when
    the money did not come, and when it came after all."""
    told = known.told.get(invoice.id, 0)
    if now.by_itself and invoice.failed and not told:
        if not invoice.paid:
            add(f"{invoice.id}:failed", invoice.time, Unpaid(known.had[0]))
            known.told[invoice.id] = 1
        else:
            known.told[invoice.id] = 2  # it was late, and nobody has noticed
    elif invoice.paid and told < 2 and (not now.by_itself or told):
        add(invoice.id, invoice.time, Pay(known.had[0]))
        known.told[invoice.id] = 2
