"""The JSON Schema says what the knobs say."""

import re
from pathlib import Path
from typing import Annotated, Any

import pytest
from msgspec import Struct

from kantis.core.knobs import Knob, plain
from kantis.core.phrases import NAME, TITLE, WHOLE
from kantis.desk.schema import schema
from kantis.desk.text import read_file
from kantis.engine.sections import PROGRAM, SECTIONS


class Reward(Struct):
    """What points are spent on.

    More words that no editor shows.
    """

    cost: Annotated[int, Knob(WHOLE, "what it costs", unit="points", limits="above 0")]
    title: Annotated[dict[str, str], Knob(TITLE, "how members read it", dated=False)] = {}


class Program(Struct):
    """A program."""

    program: Annotated[str, Knob(NAME, "its name", dated=False)]


def test_schema_of_knobs() -> None:
    tree = schema(Program, {"rewards": Reward})
    assert tree["required"] == ["program"]
    assert tree["additionalProperties"] is False
    rewards = tree["properties"]["rewards"]
    assert rewards["description"] == "What points are spent on."
    entry, dated_entry = rewards["additionalProperties"]["anyOf"]
    assert entry == {"$ref": "#/$defs/rewards"}
    assert list(dated_entry["patternProperties"].values()) == [entry]
    reward = tree["$defs"]["rewards"]
    assert reward["required"] == ["cost"]
    cost = reward["properties"]["cost"]
    assert cost["description"] == ("What it costs. Unit: points. Limits: above 0. Write: digits.")
    value, dated = cost["anyOf"]
    assert value["type"] == ["string", "number", "boolean"]  # an editor reads 3 as a number
    (spans,) = dated["patternProperties"]
    assert dated["patternProperties"][spans] == value
    for key in ("before 2024-01-01", "from 2024-01-01", "2024-01-01 to 2024-02-01"):
        assert re.search(spans, key)
    assert not re.search(spans, "in 2024")
    assert "anyOf" not in reward["properties"]["title"]


def problems(tree: Any, rule: dict[str, Any], root: dict[str, Any], path: str = "") -> list[str]:
    """What a JSON Schema validator would say, for the words that our schema uses."""
    if "$ref" in rule:
        return problems(tree, root["$defs"][rule["$ref"].removeprefix("#/$defs/")], root, path)
    found: list[str] = []
    if "anyOf" in rule and all(problems(tree, each, root, path) for each in rule["anyOf"]):
        found.append(f"{path}: {tree!r} fits nothing")
    if "enum" in rule and tree not in rule["enum"]:
        found.append(f"{path}: {tree!r} is not one of {rule['enum']}")
    if "pattern" in rule and isinstance(tree, str) and not re.search(rule["pattern"], tree):
        found.append(f"{path}: {tree!r} does not match {rule['pattern']}")
    kinds = rule.get("type", ())
    if kinds and JSON_TYPES[type(tree)] not in ([kinds] if isinstance(kinds, str) else kinds):
        found.append(f"{path}: {tree!r} is no {kinds}")
    if isinstance(tree, dict):
        found += [f"{path}: no {key}" for key in rule.get("required", ()) if key not in tree]
        for key, child in tree.items():
            inner = rule.get("properties", {}).get(key)
            for pattern, each in rule.get("patternProperties", {}).items():
                inner = each if re.search(pattern, key) else inner
            inner = rule.get("additionalProperties", True) if inner is None else inner
            if inner is False:
                found.append(f"{path}: {key!r} cannot stand here")
            elif inner is not True:
                found += problems(child, inner, root, f"{path} > {key}")
    return found


JSON_TYPES = {str: "string", dict: "object", list: "array"}
FILES = sorted(Path(__file__).parents[2].glob("programs/**/*.yaml"))
PROGRAMS = [path for path in FILES if "\ncases:" not in path.read_text()]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_the_schema_fits_every_program_of_the_house(path: Path) -> None:
    tree = schema(PROGRAM, SECTIONS)
    assert problems(plain(read_file(path)), tree, tree) == []


def test_the_schema_finds_what_is_misspelt() -> None:
    tree = schema(PROGRAM, SECTIONS)
    program = {"program": "x", "money": "EUR", "timezone": "UTC", "earn": {}}
    assert problems(program, tree, tree) == [": 'earn' cannot stand here"]
    wrong = {**program, "money": "Euro", "balances": {"points": {"expire": "never"}}}
    del wrong["earn"]
    assert len(problems(wrong, tree, tree)) == 2
