"""Reference: tables of knobs for the documentation, from the knobs themselves."""

from __future__ import annotations

import re

from msgspec import NODEFAULT, Struct

from kantis.core.knobs import knobs_of

BEGIN, END = "<!-- knobs: {name} -->", "<!-- end of knobs -->"


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


def _default(value: object) -> str:
    if value is NODEFAULT:
        return "required"
    if isinstance(value, str) and value:
        return f"`{value}`"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    if isinstance(value, int) and value:
        return f"`{value}`"
    return ""


def refreshed(page: str, sections: dict[str, type[Struct]]) -> str:
    """A page with the tables between its markers made anew; ``KeyError`` for an unknown name."""

    def renew(match: re.Match[str]) -> str:
        name = match[1]
        return f"{BEGIN.format(name=name)}\n{table(sections[name])}\n{END}"

    return re.sub(r"<!-- knobs: (\S+) -->.*?<!-- end of knobs -->", renew, page, flags=re.DOTALL)
