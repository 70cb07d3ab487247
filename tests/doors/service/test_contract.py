"""The contract is frozen: a change of it is a change of docs/openapi.json."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from kantis.desk.results import REFUSALS
from kantis.doors.api.access import MAY_SEND, ROUTES
from kantis.doors.api.problems import PROBLEMS
from kantis.doors.api.wire import BODIES
from scripts.pages import CONTRACT, frozen
from tests.house.sources import REPO

PAGE = (REPO / "docs" / "service.md").read_text(encoding="utf-8")


def walk(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        yield found
        for each in found.values():
            yield from walk(each)
    elif isinstance(found, list):
        for each in found:
            yield from walk(each)


def dangling(contract: dict[str, Any]) -> set[str]:
    """References to schemas that are not there."""
    refs = {each["$ref"] for each in walk(contract) if isinstance(each.get("$ref"), str)}
    return refs - {f"#/components/schemas/{name}" for name in contract["components"]["schemas"]}


def test_the_contract_is_the_frozen_one(till: httpx.Client) -> None:
    kept = CONTRACT.read_text(encoding="utf-8")
    assert kept == frozen(), "run: python scripts/pages.py"
    assert till.get("/openapi.json").json() == json.loads(kept)


def test_the_contract_is_whole() -> None:
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    assert contract["openapi"] == "3.1.0"
    assert dangling(contract) == set()
    twice = [name for name in contract["components"]["schemas"] if "__" in name]
    assert twice == [], "two records of one name"
    assert dangling({**contract, "x": {"$ref": "#/components/schemas/Gone"}})
    operations = [each for item in contract["paths"].values() for each in item.values()]
    names = [each["operationId"] for each in operations]
    assert len(set(names)) == len(names) == len(ROUTES)
    assert all("security" in each for each in operations)


def test_every_event_and_problem_is_in_it() -> None:
    contract = json.loads(CONTRACT.read_text(encoding="utf-8"))
    schemas = contract["components"]["schemas"]
    tags = {s["properties"]["type"]["const"] for n, s in schemas.items() if n.endswith("Event")}
    assert tags == set(BODIES)
    assert schemas["Problem"]["properties"]["code"]["examples"] == sorted(PROBLEMS)
    told = {status for each in walk(contract["paths"]) for status in each.get("responses", ())}
    assert {str(status) for status, _, _ in PROBLEMS.values()} - told == {"405", "500"}


def test_every_problem_says_what_to_do() -> None:
    for code, (status, title, step) in PROBLEMS.items():
        assert 400 <= status < 600, code
        assert title[0].isupper()
        assert step.endswith(".")
    assert not PROBLEMS.keys() & REFUSALS.keys() - {"unknown-account", "unknown-program"}


def test_the_page_has_every_route_scope_and_problem() -> None:
    for route in ROUTES:
        assert f"`{route.method} {route.path}`" in PAGE, route
    for scope in MAY_SEND:
        assert f"| `{scope}` |" in PAGE
    for code, (status, _, _) in PROBLEMS.items():
        assert re.search(rf"\| {status} \|.*`{code}`", PAGE), code
