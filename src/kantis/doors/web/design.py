"""Design: what the card of a program looks like, for whoever designs it and whoever sees it.

Guarantee: colours come in a style sheet and a logo as a picture, each under a name that has its
hash, from this service; no page has a style in it.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from kantis.core.knobs import ProgramError
from kantis.desk import designing
from kantis.desk.pictures import BYTES_MAX, PIXELS_MAX
from kantis.desk.submit import Desk
from kantis.doors.intake import uploads
from kantis.doors.web import portal
from kantis.doors.web.console import placed
from kantis.doors.web.look import Design, design_of, mark_of, suffix_of
from kantis.doors.web.pages import HEADERS, NotHere, Visit
from kantis.doors.web.places import Place
from kantis.store import designs
from kantis.store.designs import DesignRow

#: The form beside the file.
_FORM_MAX: Final = 16 * 1024
#: A number to show on a card that is nobody's.
_SAMPLE: Final = "6407001234567"
_FOREVER: Final = "public, max-age=31536000, immutable"


async def file(visit: Visit) -> Response:
    """The style sheet or the logo of a card."""
    row = await visit.office.read(_row, visit)
    wanted = visit.about["file"]
    about = HEADERS | {"cache-control": _FOREVER}
    if wanted == f"{mark_of(row)}.css":
        ground, ink = f"#{row.ground:06x}", f"#{row.ink:06x}"
        text = (
            f".pass {{ background: {ground}; color: {ink}; }}\n"
            f".plastic {{ border-top: 4mm solid {ground}; padding-top: 2mm; }}\n"
        )
        return Response(text, 200, about, media_type="text/css")
    if row.logo and wanted == f"{mark_of(row)}.{suffix_of(row)}":
        return Response(row.logo, 200, about, media_type=row.kind)
    raise NotHere


async def look(visit: Visit) -> Response:
    """The card as it is, and a form that changes it."""
    return await _page(visit)


async def keep(visit: Visit) -> Response:
    """The card looks like this from now on."""
    place, _ = await visit.office.read(_found, visit)
    try:
        form, upload = await uploads.form_of(visit.request, BYTES_MAX + _FORM_MAX)
    except uploads.TooLarge:
        return await _page(visit, trouble="picture-too-large", status=413)
    logo = await upload.read() if upload is not None else b"" if form.get("none") else None
    ground, ink = _colour(form.get("ground", "")), _colour(form.get("ink", ""))
    if ground is None or ink is None:
        return await _page(visit, trouble="no-colour", form=form, status=422)
    about = place.number, form.get("name", ""), ground, ink, logo
    try:
        await visit.change(designing.put, *about, visit.by)
    except ProgramError as error:
        return await _page(visit, trouble=error.faults[0].code, form=form, status=422)
    first = form.get("first") == "1"
    return visit.go(f"/c/{place.name}" + ("" if first else "/design?kept=1"))


def _colour(text: str) -> int | None:
    """A colour as a form has it.

    >>> _colour("#0b5d4e"), _colour("red"), _colour("#-1-1-1")
    (744782, None, None)
    """
    digits = text.removeprefix("#")
    fits = len(digits) == 6 and all(each in "0123456789abcdefABCDEF" for each in digits)
    return int(digits, 16) if fits else None


async def _page(
    visit: Visit, *, trouble: str = "", form: dict[str, str] | None = None, status: int = 200
) -> Response:
    place, design = await visit.office.read(_found, visit)
    form = form or {}
    ground, ink = form.get("ground", design.ground), form.get("ink", design.ink)
    first = visit.number("first") > 0 or form.get("first") == "1"
    better = designing.readable(_colour(ground) or 0)
    return visit.page(
        "console-design.html", status=status, place=place, say=place.speaker(visit.language),
        design=design, trouble=trouble, name=form.get("name", design.name), ground=ground,
        ink=ink, better=f"#{better:06x}", most=BYTES_MAX // 1024, pixels=PIXELS_MAX,
        longest=designing.NAME_MAX, sample=_SAMPLE, first=first,
        kept=visit.number("kept"), **portal.codes(_SAMPLE),
    )  # fmt: skip


# ── what a reader finds ──────────────────────────────────────────────────────


def _found(reader: Desk, visit: Visit) -> tuple[Place, Design]:
    place, _ = placed(reader, visit)
    return place, design_of(reader.books, place.number, place.name)


def _row(reader: Desk, visit: Visit) -> DesignRow:
    number: Any = reader.books.programs().get(visit.about["program"])
    row = designs.design(reader.books, number) if number is not None else None
    if row is None:
        raise NotHere
    return row
