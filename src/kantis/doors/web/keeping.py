"""Keeping: what a device keeps of the card: the app, the card without a network, a calendar."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from starlette.responses import Response

from kantis.desk.showing import standing
from kantis.desk.submit import Desk
from kantis.doors.web import static
from kantis.doors.web.look import Design, design_of
from kantis.doors.web.pages import HEADERS, NotHere, Visit
from kantis.doors.web.places import Place, place_of
from kantis.doors.web.portal import own

#: Pixels of a picture that a device takes for an app.
_ICON_MIN: Final = 192
_PAPER: Final = "#fbfaf7"
#: Octets of a line of a calendar, without its end.
_LINE_MAX: Final = 75


async def manifest(visit: Visit) -> Response:
    """What a device needs to install the card as an app; the browser asks without a session."""
    title, design = await visit.office.read(_title, visit)
    icon = {"src": static.url("mark.svg"), "sizes": "any", "type": "image/svg+xml"}
    icons = [icon | {"purpose": "any"}, icon | {"purpose": "maskable"}]
    if design.logo and design.width == design.height >= _ICON_MIN:
        sizes = f"{design.width}x{design.height}"
        icons.insert(0, {"src": design.logo, "sizes": sizes, "type": design.kind, "purpose": "any"})
    said = {
        "id": "/me", "name": title, "short_name": title, "start_url": "/me", "scope": "/me",
        "display": "standalone", "background_color": _PAPER, "theme_color": design.ground,
        "lang": visit.language.tag,
        "icons": icons,
    }  # fmt: skip
    data = msgspec.json.encode(said)
    return Response(data, 200, HEADERS, media_type="application/manifest+json")


async def worker(visit: Visit) -> Response:
    """The script that keeps the card for when there is no network."""
    text = (static.FOLDER / "worker.js").read_text(encoding="utf-8")
    about = {"service-worker-allowed": "/me", "cache-control": "no-cache"}
    return Response(text, 200, HEADERS | about, media_type="text/javascript")


async def calendar(visit: Visit) -> Response:
    """What ends when, as a file for a calendar."""
    place, ends = await visit.office.read(_ends, visit)
    say, spoken = place.speaker(visit.language), visit.language
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Kantis//Kantis//EN"]
    for day, balance, amount in ends:
        about = f"{place.name} {day} {balance}"
        uid = hashlib.sha256(about.encode()).hexdigest()[:32]
        title = spoken.gettext("Last day for %(amount)s") % {"amount": say.amount(amount, balance)}
        date = day.replace("-", "")
        lines += [
            "BEGIN:VEVENT", f"UID:{uid}@kantis", f"DTSTAMP:{date}T000000Z",
            f"DTSTART;VALUE=DATE:{date}",
            *_folded(f"SUMMARY:{_escaped(f'{place.title(spoken.tag)}: {title}')}"),
            "TRANSP:TRANSPARENT", "END:VEVENT",
        ]  # fmt: skip
    text = "\r\n".join([*lines, "END:VCALENDAR", ""])
    return visit.file("ends.ics", text, "text/calendar")


def _escaped(text: str) -> str:
    """Text as RFC 5545 has it.

    >>> _escaped("5,00; six")
    '5\\\\,00\\\\; six'
    """
    for mark in ("\\", ";", ","):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("\n", "\\n")


def _folded(line: str) -> list[str]:
    """A line in pieces of at most 75 octets, none of which breaks a letter."""
    pieces, piece = [], ""
    for letter in line:
        if len((piece + letter).encode()) > _LINE_MAX:
            pieces.append(piece)
            piece = " "
        piece += letter
    return [*pieces, piece]


def _title(reader: Desk, visit: Visit) -> tuple[str, Design]:
    """How the card is called, and what it looks like."""
    name = visit.request.query_params.get("program", "")
    number = reader.books.programs().get(name)
    if number is None:
        raise NotHere
    place = place_of(reader.homes.numbered(number), reader.clock())
    design = design_of(reader.books, number, name)
    return design.name or place.title(visit.language.tag), design


def _ends(reader: Desk, visit: Visit) -> tuple[Place, list[tuple[str, str, str]]]:
    """Days with what ends on them, the first one first: day, balance, decimal number."""
    row, home, place = own(reader, visit)
    units, sums = home.program.units, dict[tuple[str, str], int]()
    for lot in standing(reader.books, home, row, reader.clock())["lots"]:
        if lot["until"] != "never":
            key, unit = (lot["until"], lot["balance"]), units[lot["balance"]]
            sums[key] = sums.get(key, 0) + unit.read(lot["amount"])
    return place, [
        (day, balance, units[balance].number(total))
        for (day, balance), total in sorted(sums.items())
    ]
