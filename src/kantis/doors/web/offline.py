"""Offline: the till goes on when the network is gone, and tells what it sold when it is back.

A worker in the browser keeps one page, which sells by card and amount and keeps what it sold
with its ids. ``POST /till/queue`` takes that, however often it comes, and books each sale once.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from kantis.core.amounts import money
from kantis.desk import unplugged
from kantis.desk.recorded import entry_of
from kantis.desk.submit import Desk
from kantis.doors.api.problems import Problem
from kantis.doors.web import static
from kantis.doors.web.basket import Basket, card_of, categories, lines_of, receipt_of
from kantis.doors.web.pages import HEADERS, TEMPLATES, Visit
from kantis.doors.web.places import place_of
from kantis.doors.web.selling import UNCOVERED, sell

#: Sales that are taken at once; a browser sends the rest after them.
SALES_MAX: Final = 100
_BYTES_MAX: Final = 1 << 20
#: What the worker keeps beside the page.
_FILES: Final = (
    "kantis.css", "mark.svg", "till.js", "queue.js", "scan.js", "vendor/zxing-0.21.3.min.js",
)  # fmt: skip
_PAGE: Final = "/till/offline"


class Sale(Struct):
    """A sale that was kept: what a form of a basket says."""

    id: str
    at: int
    lines: str
    card: str = ""
    points: dict[str, int] = {}


class Sales(Struct):
    """What a browser sends when the network is back."""

    sales: list[Sale]


_read: Final = msgspec.json.Decoder(Sales).decode


async def page(visit: Visit) -> Response:
    """The page that is kept for the time without a network."""
    till = visit.till
    place = await visit.office.read(
        lambda reader: place_of(reader.homes.numbered(till.number), reader.clock())
    )
    return visit.page(
        "till-offline.html", place=place, unit=money(place.money), categories=categories(place.tree)
    )


async def queue(visit: Visit) -> Response:
    """Book what was sold meanwhile; what became of each sale."""
    body = b""
    async for part in visit.request.stream():
        body += part
        if len(body) > _BYTES_MAX:
            raise Problem("body-too-large")
    try:
        sales = _read(body).sales
    except (msgspec.MsgspecError, RecursionError):
        raise Problem("malformed") from None
    told: dict[str, str] = {}
    spent: dict[str, int] = {}
    for each in sales[:SALES_MAX]:
        basket = Basket(
            receipt_of(each.id), each.at, card_of(each.card), lines_of(each.lines),
            tuple(sorted(each.points.items())),
        )  # fmt: skip
        good = basket.id and basket.lines and each.at > 0
        code = "" if good else "malformed"
        if good and each.points:
            code = await visit.office.read(_too_much, visit, basket, spent)
        told[each.id] = code or await sell(visit, basket)
    short = await visit.office.read(_short, visit, [id for id, code in told.items() if not code])
    said = {"sales": told, "short": short}
    return Response(json.dumps(said), headers=HEADERS, media_type="application/json")


def _too_much(reader: Desk, visit: Visit, basket: Basket, spent: dict[str, int]) -> str:
    """The code of why a sale with points is not taken; ``spent`` adds up what each card paid."""
    till = visit.till
    if reader.books.events([f"{till.source}/{basket.id}"]):
        return ""  # it was taken before, whatever is allowed now
    home = reader.homes.numbered(till.number)
    worth = unplugged.worth(home, reader.clock(), dict(basket.points))
    before = spent.get(basket.card, 0)
    good = basket.card and all(amount > 0 for _, amount in basket.points)
    if not good or worth + before > unplugged.cap(reader.books, home.number):
        return unplugged.TOO_MUCH
    spent[basket.card] = before + worth
    return ""


def _short(reader: Desk, visit: Visit, ids: list[str]) -> list[str]:
    """Those of some sales that more was spent with than could be had, by their numbers."""
    rows = reader.books.events(f"{visit.till.source}/{id}" for id in ids)
    places = [
        (row.account, row.seq) for row in rows if row.account is not None and row.seq is not None
    ]
    entries = [entry_of(*each) for each in reader.books.entries(places)]
    return sorted(
        each.event.partition("/")[2] for each in entries if UNCOVERED & set(each.decision.flags)
    )


async def worker(visit: Visit) -> Response:
    """The worker of the browser; its version is the hash of all that it keeps."""
    script = (TEMPLATES / "till-worker.js").read_text(encoding="utf-8")
    kept = [_PAGE, *map(static.url, _FILES)]
    templates = sorted((*TEMPLATES.glob("till*"), TEMPLATES / "base.html"))
    hashed = hashlib.sha256("".join(kept).encode())
    for each in templates:
        hashed.update(each.read_bytes())
    about = {"version": f"till-{hashed.hexdigest()[:12]}", "page": _PAGE, "kept": kept}
    return _file(script.replace("__ABOUT__", json.dumps(about)), "text/javascript")


async def manifest(visit: Visit) -> Response:
    """What an installed till is called, and how it looks."""
    icon = {"src": static.url("mark.svg"), "sizes": "any", "type": "image/svg+xml"}
    about: dict[str, Any] = {
        "name": visit.language.gettext("Till"),
        "short_name": visit.language.gettext("Till"),
        "lang": visit.language.tag,
        "id": "/till",
        "start_url": "/till",
        "scope": "/till",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#0b5d4e",
        "icons": [icon],
    }
    return _file(json.dumps(about), "application/manifest+json")


def _file(text: str, media: str) -> Response:
    headers = {**HEADERS, "cache-control": "no-cache", "service-worker-allowed": "/till"}
    return Response(text, headers=headers, media_type=media)
