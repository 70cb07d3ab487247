"""Reference: tables of knobs for the documentation, from the knobs themselves."""

from __future__ import annotations

from msgspec import NODEFAULT, Struct

from kantis.core.calendar import WINDOWS
from kantis.core.knobs import knobs_of
from kantis.core.levels import Lasts
from kantis.core.limits import Available
from kantis.core.phrases import Duration, Window
from kantis.core.rates import Round
from kantis.engine.sections import STEPS
from kantis.features.balances import Expiry


def table(section: type[Struct]) -> str:
    """The knobs of a section as a table: how each is written, its default and its meaning."""
    rows = ["| key | written as | default | meaning |", "| --- | --- | --- | --- |"]
    for key, (_, knob, default) in knobs_of(section).items():
        written = knob.kind.looks.replace("|", "\\|")
        meaning = knob.meaning
        if knob.unit:
            meaning += f" ({knob.unit})"
        if knob.limits:
            meaning += f"; {knob.limits}"
        if not knob.dated:
            meaning += "; not dated"
        rows.append(f"| `{key}` | {written} | {_default(default)} | {meaning} |")
    return "\n".join(rows)


#: How defaults that are no texts are written in a file.
_WRITTEN: tuple[tuple[object, str], ...] = (
    ((False, False, False), "net of discounts, before tax, without the part paid in points"),
    (STEPS, f"[{', '.join(STEPS)}]"),
    (("purchase",), "purchase"),
    (Expiry(), "never"),
    (Lasts(forever=True), "for ever"),
    (Round(), "points down"),
    (Available(), "at once"),
)


def _default(value: object) -> str:
    if value is NODEFAULT:
        return "required"
    written = next((text for known, text in _WRITTEN if known == value), "")
    match value:
        case bool():
            written = "yes" if value else "no"
        case str() | int() if value:
            written = str(value)
        case Duration(count=count, unit=unit):
            written = f"{count} {unit}{'s' if count > 1 else ''}"
        case Window(kind=kind) if kind in WINDOWS:
            written = f"calendar {kind}"
    return f"`{written}`" if written else ""
