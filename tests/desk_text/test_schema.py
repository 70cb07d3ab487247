"""The JSON Schema says what the knobs say."""

import re
from typing import Annotated

from msgspec import Struct

from kantis.core.knobs import Knob
from kantis.core.phrases import NAME, TITLE, WHOLE
from kantis.desk.schema import schema


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
    assert tree["properties"]["rewards"] == {
        "description": "What points are spent on.",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/rewards"},
    }
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
