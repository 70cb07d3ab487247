"""Make the Python client from the contract: ``python scripts/client.py``.

What travels is written by hand (``transport.py``); the shapes and the calls are made here from
docs/openapi.json and from nothing else.
"""

import json
import keyword
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "docs" / "openapi.json"
FOLDER = ROOT / "clients" / "python" / "src" / "kantis_client"
_MADE = "Made from docs/openapi.json by scripts/client.py; do not edit."
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_LINES = "application/x-ndjson"


def kind(schema: dict[str, Any]) -> str:
    """The Python type of a schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(kind(each) for each in schema[word]))
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    said = schema.get("type")
    if isinstance(said, list):
        return " | ".join(_SCALARS[each] for each in said)
    if said == "array":
        return f"list[{kind(schema['items']) if schema.get('items') else 'Any'}]"
    if said == "object":
        inside = schema.get("additionalProperties")
        return f"dict[str, {kind(inside)}]" if isinstance(inside, dict) else "dict[str, Any]"
    return _SCALARS.get(str(said), "Any")


def told(text: str, indent: str) -> str:
    """A docstring, as long as it may be."""
    words = " ".join(text.split())
    return (
        f'{indent}"""{words}"""' if len(words) < 90 else f'{indent}"""\n{_filled(words, indent)}"""'
    )


def _filled(words: str, indent: str) -> str:
    lines, line = [], indent
    for word in words.split():
        if len(line) + len(word) > 96:
            lines.append(line.rstrip())
            line = indent
        line += f"{word} "
    return "\n".join([*lines, line.rstrip(), indent])


def shape(name: str, schema: dict[str, Any]) -> str:
    """A record as a TypedDict; by name where a field is no word of Python."""
    required = set(schema.get("required", ()))
    fields = {
        field: kind(inside) if field in required else f"NotRequired[{kind(inside)}]"
        for field, inside in sorted(schema.get("properties", {}).items())
    }
    about = schema.get("description", "")
    if any(keyword.iskeyword(field) or not field.isidentifier() for field in fields):
        listed = ", ".join(f"{field!r}: {_quoted(said)}" for field, said in fields.items())
        return f"#: {' '.join(about.split())}\n{name} = TypedDict({name!r}, {{{listed}}})"
    lines = [f"class {name}(TypedDict):", told(about or f"{name}.", "    "), ""]
    return "\n".join([*lines, *(f"    {field}: {said}" for field, said in fields.items())])


def _quoted(said: str) -> str:
    return repr(said) if not said.startswith("NotRequired[") else f"NotRequired[{said[12:-1]!r}]"


def shapes(contract: dict[str, Any]) -> str:
    """The module of all records."""
    found = contract["components"]["schemas"]
    events = " | ".join(sorted(name for name in found if name.endswith("Event")))
    head = (
        f'"""The records of the contract. {_MADE}"""\n\nfrom __future__ import annotations\n\n'
        "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict\n"
    )
    made = [shape(name, schema) for name, schema in sorted(found.items())]
    alias = f"#: Whatever can be sent as an event.\nEvent: TypeAlias = {events!r}"
    return "\n\n\n".join([head.rstrip(), *made, alias]) + "\n"


def call(path: str, method: str, operation: dict[str, Any]) -> str:
    """A route as a method."""
    params = operation.get("parameters", [])
    bodies = (operation.get("requestBody") or {}).get("content", {})
    content, form = bodies.get("application/json"), bodies.get("multipart/form-data")
    fields = form["schema"]["properties"].keys() - {"file"} if form else ()
    returns, streams, text = _returned(operation)
    first = [f"{_name(each['name'])}: {kind(each['schema'])}" for each in params
             if each["in"] == "path"]  # fmt: skip
    if content:
        first.append(f"said: {_said(content['schema'])}")
    first += ["file: tuple[str, bytes]"] if form else []
    rest = [each for each in params if each["in"] in ("query", "header")]
    named = [_keyword(each) for each in rest]
    named += [f"{each}: str | None = None" for each in sorted(fields)]
    listed = ", ".join(["self", *first, *(["*", *named] if named else [])])
    url = re.sub(r"\{(\w+)\}", lambda found: f"{{_quoted({_name(found[1])})}}", path)
    given = [] if streams else [repr(method.upper())]
    given.append(f'f"{url}"' if "{" in url else f'"{url}"')
    for where, word in (("query", "query"), ("header", "headers")):
        inside = [f"{_header(e['name'])!r}: {_name(e['name'])}" for e in rest if e["in"] == where]
        given += [f"{word}={{{', '.join(inside)}}}"] if inside else []
    given += ["body=said"] if content else []
    if form:
        inside = [f"{each!r}: {each}" for each in sorted(fields)]
        given += ["file=file", f"form={{{', '.join(inside)}}}"]
    given += ["keyed=True"] if any(each["name"] == "Idempotency-Key" for each in rest) else []
    given += ["text=True"] if text else []
    summary, about = operation["summary"], operation.get("description", "")
    does = f"self._{'lines' if streams else 'call'}({', '.join(given)})"
    body = does if streams or returns == "Any" else f"cast({returns!r}, {does})"
    return "\n".join(
        [
            f"    def {operation['operationId']}({listed}) -> {returns}:",
            told(f"{summary}. {about}".strip(), "        "),
            f"        return {body}" if returns != "None" else f"        {does}",
        ]
    )  # fmt: skip


def _said(schema: dict[str, Any]) -> str:
    """What is sent; a choice of all events has a name."""
    if "anyOf" in schema and any("oneOf" in each for each in schema["anyOf"]):
        return "Event | Sequence[Event]"
    return kind(schema)


def _returned(operation: dict[str, Any]) -> tuple[str, bool, bool]:
    """The type of a good answer, whether it comes line by line, and whether it is a text."""
    for status in ("200", "201", "202", "204"):
        answer = operation["responses"].get(status)
        if answer is None:
            continue
        content = answer.get("content", {})
        if _LINES in content:
            return "Iterator[str]", True, False
        if "application/json" in content:
            return kind(content["application/json"].get("schema", {})), False, False
        if content or operation["operationId"] == "metrics":
            return "str", False, True
        return ("None" if status == "204" else "Any"), False, False
    return "Any", False, False


def _keyword(param: dict[str, Any]) -> str:
    said = kind(param["schema"])
    if param.get("required"):
        return f"{_name(param['name'])}: {said}"
    return f"{_name(param['name'])}: {said} | None = None"


def _name(said: str) -> str:
    name = said.lower().replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _header(said: str) -> str:
    return said


def calls(contract: dict[str, Any]) -> str:
    """The module of all routes."""
    found = [
        call(path, method, operation)
        for path, item in sorted(contract["paths"].items())
        for method, operation in sorted(item.items())
    ]
    used = sorted(set(re.findall(r"\b[A-Z]\w+\b", "\n".join(found)))
                  & {*contract["components"]["schemas"], "Event"})  # fmt: skip
    names = "".join(f"    {each},\n" for each in used)
    head = (
        f'"""The routes of the contract as methods. {_MADE}"""\n\n'
        "from __future__ import annotations\n\n"
        "from collections.abc import Iterator, Sequence\n"
        "from typing import Any, Literal, cast\n"
        "from urllib.parse import quote\n\n"
        f"from kantis_client.shapes import (\n{names})\n"
        "from kantis_client.transport import Transport\n\n\n"
        "def _quoted(part: object) -> str:\n"
        '    """A part of a path; a card can have any character."""\n'
        '    return quote(str(part), safe="")\n\n\n'
        "class Kantis(Transport):\n"
        '    """A Kantis service, as one key sees it."""\n\n'
    )
    return head + "\n\n".join(found) + "\n"


def generated() -> dict[str, str]:
    """The files that are made, by name."""
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    return {"shapes.py": shapes(contract), "calls.py": calls(contract)}


def main() -> None:
    """Write the files that are not current."""
    for name, text in generated().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
