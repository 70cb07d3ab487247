"""Schema: the JSON Schema of program files, for completion and hints in editors.

It comes from the knobs alone, so an editor knows exactly what a program can say. A
value that can be dated may also be a mapping from dates to values. Editors read YAML
more loosely than Kantis does, so a number is accepted wherever its digits are a text.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from kantis.core.knobs import Knob, knobs_of

_DATE: Final = r"\d{4}-\d{2}-\d{2}"
_SPANS: Final = rf"^((before|from) {_DATE}( \d{{2}}:\d{{2}})?|{_DATE} to {_DATE})$"


def schema(program: type[Struct], sections: dict[str, type[Struct]]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a program file."""
    top = _section(program)
    for name, section in sections.items():
        entry = {"$ref": f"#/$defs/{name}"}
        entries = {"type": "object", "additionalProperties": {"anyOf": [entry, _dated(entry)]}}
        top["properties"][name] = {
            "description": _meaning(section),
            **entries,
            "patternProperties": {_SPANS: entries},
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Kantis program",
        **top,
        "$defs": {name: _section(section) for name, section in sections.items()},
    }


def _section(section: type[Struct]) -> dict[str, Any]:
    knobs = knobs_of(section)
    required = [key for key, (_, _, default) in knobs.items() if default is msgspec.NODEFAULT]
    found: dict[str, Any] = {
        "type": "object",
        "description": _meaning(section),
        "properties": {key: _knob(knob) for key, (_, knob, _) in knobs.items()},
        "additionalProperties": False,
    }
    if required:
        found["required"] = required
    return found


def _knob(knob: Knob) -> dict[str, Any]:
    """The schema of one value: what people read of it, and what it may be."""
    about = [knob.meaning[:1].upper() + knob.meaning[1:] + "."]
    about += [f"Unit: {knob.unit}."] if knob.unit else []
    about += [f"Limits: {knob.limits}."] if knob.limits else []
    about += [f"Write: {knob.kind.looks}."] if knob.kind.looks else []
    found: dict[str, Any] = {"description": " ".join(about)}
    if knob.kind.examples:
        found["examples"] = list(knob.kind.examples)
    value = _loose(knob.kind.schema)
    if not knob.dated:
        return found | value
    return found | ({"anyOf": [value, _dated(value)]} if value else {})


def _dated(value: dict[str, Any]) -> dict[str, Any]:
    """A mapping of stretches of dates to a value."""
    return {
        "type": "object",
        "patternProperties": {_SPANS: value},
        "additionalProperties": False,
        "minProperties": 1,
    }


def _loose(found: dict[str, Any]) -> dict[str, Any]:
    """Digits stay digits for Kantis; an editor's reader makes a number of them."""
    if found.get("type") == "string":
        return found | {"type": ["string", "number", "boolean"]}
    return found


def _meaning(section: type[Struct]) -> str:
    return (section.__doc__ or "").strip().split("\n")[0]
