"""Shops: connections to shops, and what they tell.

Guarantee: what a shop has told is kept, in the books, before the events go in that follow
from it; so after a crash the next delivery sends them again, and each is recorded once. One
order is worked on by one caller at a time, in whatever process. What was heard before has no
effect, however often it comes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, msgpack, structs

from kantis.core.events import Event
from kantis.core.knobs import Fault, ProgramError, suggest
from kantis.desk import orders, subscriptions
from kantis.desk.audit import alone
from kantis.desk.results import UNKNOWN, Result
from kantis.desk.vault.seals import shop
from kantis.store import shops as tables
from kantis.store.books import Books, Outage
from kantis.store.shops import ShopRow

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.vault.seals import Seals
    from kantis.desk.writer import RemoteDesk

#: The kinds of shops that there are, and what each is.
KINDS: Final = {
    "shopify": "orders and refunds of a Shopify shop",
    "woocommerce": "orders and refunds of a WooCommerce shop",
    "square": "payments, orders and refunds of Square",
    "stripe": "subscriptions of Stripe, as paid membership",
}
#: A report of that kind names what the shop has to be asked for; it never reaches the desk.
LOOK: Final = "look:"
#: Its references are its own, so it can share the source of a shop.
SUBSCRIPTIONS: Final = "stripe"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

Report = orders.Report | subscriptions.Notice
_REPORTS: Final = msgpack.Decoder(list[Report])
_ORDER: Final = msgpack.Decoder(orders.Known)
_SUBSCRIPTION: Final = msgpack.Decoder(subscriptions.Known)


class Connection(Struct, frozen=True, array_like=True):
    """A connection to a shop. The secrets are never shown; ``sealed`` is what the books keep of
    them, and ``secrets`` is empty until they are opened."""

    number: int
    name: str
    kind: str
    program: str
    source: str
    sealed: bytes
    settings: dict[str, str]
    created: int
    secrets: dict[str, str] = {}


class Shown(Struct, frozen=True):
    """A connection as it may be shown, and how many orders it told of and how many of them wait."""

    name: str
    kind: str
    program: str
    source: str
    settings: dict[str, str]
    created: int
    told: int
    waiting: int


def find(books: Books, name: str) -> Connection | None:
    """The connection of that name, its secrets sealed."""
    row = tables.shop(books, name)
    if row is None:
        return None
    names = {number: program for program, number in books.programs().items()}
    settings = msgpack.decode(row.settings, type=dict[str, str])
    program = names[row.program]
    return Connection(
        row.number, row.name, row.kind, program, row.source, row.secrets, settings, row.created
    )


def opened(seals: Seals, connection: Connection) -> Connection:
    """The same with its secrets; ``Locked`` where the keys are not here."""
    data = seals.open(shop(connection.name), connection.sealed)
    return structs.replace(connection, secrets=msgpack.decode(data, type=dict[str, str]))


def connect(
    desk: Desk | RemoteDesk,
    seals: Seals,
    name: str,
    kind: str,
    program: str,
    source: str,
    secrets: dict[str, str],
    settings: dict[str, str],
) -> int:
    """Record a connection with its secrets sealed; its number. ``ProgramError`` as ``add``."""
    data = seals.seal(shop(name), msgpack.encode(secrets))
    return desk.add_shop(name, kind, program, source, data, settings)


def shown(books: Books, program: str = "") -> list[Shown]:
    """The connections of a program, or all of them, oldest first."""
    names = {number: each for each, number in books.programs().items()}
    counts = tables.counts(books)
    return [
        Shown(
            row.name, row.kind, names[row.program], row.source,
            msgpack.decode(row.settings, type=dict[str, str]), row.created,
            *counts.get(row.source, (0, 0)),
        )
        for row in tables.shops(books)
        if row.removed is None and program in ("", names[row.program])
    ]  # fmt: skip


def add(
    desk: Desk,
    name: str,
    kind: str,
    program: str,
    source: str,
    sealed: bytes,
    settings: dict[str, str],
) -> int:
    """Record a connection; its number. ``ProgramError`` when it could not be explained."""
    with alone(desk) as books:
        programs = books.programs()
        _check(programs, name, kind, program)
        known = tables.shops(books)
        if any(each.name == name and each.removed is None for each in known):
            raise _wrong("shop-known", f"There is a shop {name!r} already. Remove it first.")
        taken = {key.source: key.program for key in books.all_keys()}
        taken |= {each.source: each.program for each in known}
        if taken.get(source, programs[program]) != programs[program]:
            raise _wrong("source-taken", f"The source {source!r} belongs to another program.")
        _check_source(known, kind, source)
        desk.homes.refresh(books)
        home = desk.homes.find(program)
        assert home is not None
        settings = {"currency": home.program.money.name} | settings
        number = known[-1].number + 1 if known else 1
        said = sealed, msgpack.encode(settings)
        row = ShopRow(number, name, kind, programs[program], source, *said, desk.clock())
        tables.add_shop(books, row)
        return number


def _check(programs: dict[str, int], name: str, kind: str, program: str) -> None:
    if program not in programs:
        hint = suggest(program, list(programs)) if programs else "Publish it first."
        raise _wrong("unknown-program", f"There is no program {program!r} here. {hint}")
    if kind not in KINDS:
        raise _wrong("unknown-kind", f"No shop is a {kind!r}. {suggest(kind, list(KINDS))}")
    if not _NAME.fullmatch(name):
        message = "A shop's name is small letters, digits and dashes, as in web-shop."
        raise _wrong("bad-name", message)


def _check_source(known: list[ShopRow], kind: str, source: str) -> None:
    """Two shops of one source would take each other's numbers of orders."""
    for each in known:
        same, both = each.kind == kind, SUBSCRIPTIONS not in (each.kind, kind)
        if each.source == source and ((same and each.removed is None) or (both and not same)):
            message = (
                f"The source {source!r} is that of {each.name!r}, whose numbers of orders would be "
                "taken for these. Give each shop a source of its own."
            )
            raise _wrong("source-of-a-shop", message)


def _wrong(code: str, message: str) -> ProgramError:
    return ProgramError([Fault(code, message)])


def remove(desk: Desk, name: str) -> bool:
    """Take a connection away and forget its secrets; ``False`` when there is none."""
    with alone(desk) as books:
        return tables.remove_shop(books, name, desk.clock())


# ── what they tell ───────────────────────────────────────────────────────────


def encode(reports: Sequence[Report]) -> bytes:
    """Reports as one process hands them to another."""
    return msgpack.encode(list(reports))


def hear(desk: Desk, name: str, reports: bytes) -> list[Result]:
    """Take in what a shop tells; the answers to the events that follow from it.

    ``Outage`` when nobody can say whether they are recorded: tell it again.
    """
    said: list[Report] = _REPORTS.decode(reports)
    with alone(desk) as books:
        connection = find(books, name)
        if connection is None:
            raise _wrong("unknown-shop", f"There is no shop {name!r}.")
        events = [event for each in said for event in _take_in(desk, books, connection, each)]
    if not events:
        return []
    results = desk.submit(events, program=connection.program)
    if any(each.outcome == UNKNOWN for each in results):
        raise Outage("Nobody can say whether it is recorded. Tell it again.")
    return results


def _take_in(desk: Desk, books: Books, connection: Connection, report: Report) -> list[Event]:
    """Keep what is told of one order, and the events that the books do not have yet."""
    source, reference = connection.source, report.reference
    stored = tables.order(books, source, reference)
    # The two kinds are handled by two modules with the same three verbs.
    part: Any = orders if isinstance(report, orders.Report) else subscriptions
    decoder: Any = _ORDER if part is orders else _SUBSCRIPTION
    before = decoder.decode(stored) if stored is not None else part.Known()
    known = part.merge(before, report)
    if known.sent:
        there = {row.key for row in books.events([event.key for event in known.sent])}
        known.sent = [event for event in known.sent if event.key not in there]
    part.settle(known, source, reference)
    after = msgpack.encode(known)
    if after != stored:
        waits = part.waits(known)
        tables.keep_order(books, source, reference, desk.clock(), waits, after)
    return list(known.sent)
