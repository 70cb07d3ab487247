"""Printing: batches of cards in the console, their sheet and their file, and giving one away."""

from __future__ import annotations

from typing import Any, Final

import segno
from starlette.responses import Response

from kantis.core.events import Enrol
from kantis.core.knobs import ProgramError
from kantis.desk import printing
from kantis.desk.submit import Desk
from kantis.doors.web import counter
from kantis.doors.web.barcode import code128
from kantis.doors.web.console import placed
from kantis.doors.web.look import Design, design_of
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place
from kantis.doors.web.selling import send
from kantis.store import printing as rows
from kantis.store.printing import BatchRow, PrintedCard

#: Cards on a page of the sheet: two sheets of A4.
SHEET: Final = 20
#: What is put behind the id of a basket for the card that is given with it.
NEW: Final = "-n"
_COLUMNS: Final = ("card", "printed", "qr", "code128", "track2")


async def batches(visit: Visit) -> Response:
    """The batches of a program, with how many of each are given."""
    return await _show(visit)


async def make(visit: Visit) -> Response:
    """A batch of new numbers."""
    place, _ = await visit.office.read(_found, visit)
    form = await visit.form()
    try:
        await visit.change(
            printing.make, place.number, form.get("name", ""), whole(form.get("size", "")), visit.by
        )
    except ProgramError as error:
        return await _show(visit, status=422, trouble=error.faults[0].code)
    return visit.go(f"/c/{place.name}/cards")


async def sheet(visit: Visit) -> Response:
    """Cards of a batch to be printed on paper, with their codes."""
    place, row, some, design = await visit.office.read(_sheet, visit)
    drawn = [
        {
            "number": shown(each.token),
            "given": each.account is not None,
            "qr": segno.make_qr(each.token, error="m").svg_inline(
                omitsize=True, border=2, svgclass=None, lineclass=None, light="#fff", dark="#000"
            ),
            "bars": code128(each.token),
        }
        for each in some
    ]
    after = some[-1].token if len(some) == SHEET else ""
    return visit.page(
        "console-sheet.html", place=place, say=place.speaker(visit.language), batch=row,
        cards=drawn, after=after, design=design,
    )  # fmt: skip


async def file(visit: Visit) -> Response:
    """The numbers of a batch for a printer, not those that are given already."""
    _, row = await visit.office.read(_batch, visit)
    await visit.change(printing.took, row, visit.by)
    some = await visit.office.read(
        lambda reader: rows.cards(reader.books, row.number, "", row.size)
    )
    cells = (
        (each.token, shown(each.token), each.token, each.token, track2(each.token))
        for each in some
        if each.account is None
    )
    return visit.table(f"cards-{row.number}", _COLUMNS, cells)


async def block(visit: Visit) -> Response:
    """No card of a batch works any more."""
    place, row = await visit.office.read(_batch, visit)
    await visit.change(printing.block, row, visit.by)
    return visit.go(f"/c/{place.name}/cards")


async def give(visit: Visit) -> Response:
    """A card of a batch is given to whoever stands at the till, and lives from now on."""
    basket = counter.basket_of(visit, await visit.form())
    known = await visit.office.read(
        lambda reader: rows.printed(reader.books, visit.till.number, [basket.card])
    )
    if not known:
        return await counter.show(visit, basket, trouble="unknown-card", status=422)
    if await visit.office.read(counter.account_of, visit.till.number, basket.card) is not None:
        return visit.go(basket.address)  # it is given already
    code = await send(visit, f"{basket.id}{NEW}", f"card:{basket.card}", Enrol())
    if code:
        return await counter.show(visit, basket, trouble=code, status=409)
    return visit.go(basket.address)


def shown(token: str) -> str:
    """A number as it is read from a card.

    >>> shown("9001234567890123")
    '9001 2345 6789 0123'
    """
    return " ".join(token[at : at + 4] for at in range(0, len(token), 4))


def track2(token: str) -> str:
    """What the second track of the stripe has: the number, and that it never ends.

    >>> track2("9001234567890123")
    ';9001234567890123=4912?'
    """
    return f";{token}=4912?"


async def _show(visit: Visit, *, status: int = 200, trouble: str = "") -> Response:
    place, found = await visit.office.read(_found, visit)
    return visit.page(
        "console-cards.html", status=status, place=place, say=place.speaker(visit.language),
        batches=found, trouble=trouble, most=printing.SIZE_MAX,
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _found(reader: Desk, visit: Visit) -> tuple[Place, list[dict[str, Any]]]:
    place, home = placed(reader, visit)
    days = home.program.calendar
    return place, [
        {"row": row, "given": given, "day": days.day(row.made)}
        for row, given in rows.batches(reader.books, place.number)
    ]


def _batch(reader: Desk, visit: Visit) -> tuple[Place, BatchRow]:
    place, _ = placed(reader, visit)
    row = rows.batch(reader.books, whole(visit.about["number"]))
    if row is None or row.program != place.number:
        raise NotHere
    return place, row


def _sheet(reader: Desk, visit: Visit) -> tuple[Place, BatchRow, list[PrintedCard], Design]:
    place, row = _batch(reader, visit)
    above = visit.request.query_params.get("after", "")[:64]
    design = design_of(reader.books, place.number, place.name)
    return place, row, rows.cards(reader.books, row.number, above, SHEET), design
