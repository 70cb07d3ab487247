"""Contract: OpenAPI 3.1, from the same records that read and write the requests."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from kantis import __version__
from kantis.doors.api import checkout, people, problems, wire
from kantis.doors.api.access import CHECKOUT, OPEN, ROUTES, SIGNED
from kantis.doors.api.answers import Answer
from kantis.doors.api.deeds import Deed, parameters
from kantis.doors.api.events import BODY_BYTES_MAX, EVENTS_MAX
from kantis.doors.api.problems import MEDIA
from kantis.doors.api.resources import DEEDS, RESOURCES

_REF: Final = "#/components/schemas/"
_ABOUT: Final = (
    "Tills, shops and partners talk to Kantis here. An event is recorded once under its source "
    "(from the key) and its id, and answered after the commit that holds it."
)

_STATUSES: Final = {
    "400": "The request cannot be read.",
    "401": "There is no key, or it is not known or revoked.",
    "403": "The key may not do this.",
    "404": "There is no such thing in the program of the key.",
    "409": "In conflict with what is there, or answered before; or refused by the program: "
    "recorded, and final under this id.",
    "410": "The member was erased.",
    "412": "It was changed since it was read.",
    "413": f"The body has more than {BODY_BYTES_MAX:,} bytes.",
    "415": "The body is not JSON.",
    "422": "Refused: nothing was recorded or changed, and no id is used up.",
    "428": "It is not said which version was seen last.",
    "429": "Too many wait; send it again after Retry-After.",
    "503": "The books cannot be used, or nobody knows the outcome; send it again.",
}
_HOT: Final = ("400", "401", "403", "404", "409", "413", "415", "422", "429", "503")
_COOL: Final = ("400", "401", "403", "404", "422", "429", "503")
#: What can be said of a body beside.
_BODY: Final = ("413", "415")


def contract() -> dict[str, Any]:
    """The whole contract, as JSON has it."""
    found = get_openapi(
        title="Kantis", version=__version__, openapi_version="3.1.0", description=_ABOUT,
        routes=[route for each in RESOURCES for route in each.router.routes],
    )  # fmt: skip
    for each in RESOURCES:
        for route in each.router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                found["paths"][route.path][method.lower()]["operationId"] = route.name
    schemas, events = _schemas()
    twice = found["components"]["schemas"].keys() & schemas.keys()
    assert not twice, f"two records of one name: {twice}"
    found["components"]["schemas"] |= schemas
    found["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "checkout": {"type": "http", "scheme": "bearer", "description": "A token of a checkout."},
    }
    found["components"]["schemas"] |= _bodies()
    for name in ("HTTPValidationError", "ValidationError"):
        found["components"]["schemas"].pop(name, None)
    paths = found["paths"]
    paths["/v1/events"] = {"post": _hot("Record events, and decide them", "send", events)}
    paths["/v1/quotes"] = {
        "post": _hot("What events would do now; nothing is kept", "quote", events)
    }
    for deed in DEEDS:
        paths.setdefault(deed.path, {})["post"] = _deed(deed)
    paths["/v1/shops/{connection}/webhook"] = {"post": _webhook()}
    for path, summary in (
        (checkout.SCRIPT, "The script for a shop's checkout"),
        ("/healthz", "Whether the process is up"),
        ("/readyz", "Whether it takes events"),
        ("/openapi.json", "This contract"),
        ("/metrics", "Figures for Prometheus"),
    ):
        name = re.sub(r"\W", "_", path.strip("/").split(".")[0])
        paths[path] = {"get": {"summary": summary, "operationId": name,
                               "responses": {"200": {"description": "As it says."}}}}  # fmt: skip
    paths["/first/{token}"] = {"post": _first()}
    for route in ROUTES:
        _finish(paths[route.path][route.method.lower()], route.scopes)
    return found


def _schemas() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The records that are read and written as schemas, and one of an event for each type."""
    records = {tag: wire.named(body) for tag, body in sorted(wire.BODIES.items())}
    deeds = {kind for deed in DEEDS for kind in (deed.said, deed.answer)}
    asked = sorted(deeds - {Answer}, key=lambda kind: kind.__name__)
    known = [wire.Said, Answer, problems.Told, *records.values(), *asked]
    refs, schemas = msgspec.json.schema_components(known, ref_template=_REF + "{name}")
    said, told = schemas.pop("Said"), schemas.pop("Told")
    schemas["Problem"] = told | {"title": "Problem"}
    events = []
    for (tag, record), data in zip(records.items(), refs[3 : 3 + len(records)], strict=True):
        name = f"{record.__name__}Event"
        events.append({"$ref": _REF + name})
        own = {"type": {"const": tag}, "data": data}
        schemas[name] = said | {"title": name, "properties": said["properties"] | own}
    return schemas, events


#: Bodies that a route reads by itself.
_BODIES: Final = (
    people.Joins, people.Look, people.Changes, people.ConsentSaid, people.NewCard,
    people.CardNamed, people.MergeSaid,
)  # fmt: skip


def _bodies() -> dict[str, Any]:
    told = [(each, "validation") for each in _BODIES]
    _, found = models_json_schema(told, ref_template=_REF + "{model}")  # type: ignore[arg-type]
    return dict(found["$defs"])


def _deed(deed: Deed) -> dict[str, Any]:
    """A call that makes an event."""
    body = {"application/json": {"schema": {"$ref": _REF + deed.said.__name__}}}
    told = {"application/json": {"schema": {"$ref": _REF + deed.answer.__name__}}}
    return {
        "summary": deed.summary,
        "operationId": deed.name,
        "parameters": [
            *parameters(deed.path),
            {
                "name": "Idempotency-Key", "in": "header", "required": True,
                "schema": {"type": "string", "maxLength": wire.ID_MAX},
                "description": "The id of the event that this makes, kept for ever.",
            },
        ],
        **({"requestBody": {"required": deed.needed, "content": body}} if deed.fields else {}),
        "responses": {
            str(deed.status): {"description": "Decided.", "content": told},
            **{status: {} for status in _HOT},
        },
    }  # fmt: skip


def _hot(summary: str, name: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    answer = {"$ref": _REF + "Answer"}
    event = {"oneOf": events}
    many = {"type": "array", "items": event, "maxItems": EVENTS_MAX}
    answers = {"type": "array", "items": answer}
    return {
        "summary": summary,
        "operationId": name,
        "parameters": [
            {
                "name": "Idempotency-Key", "in": "header", "schema": {"type": "string"},
                "description": "Another spelling of the id of a single event.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"anyOf": [event, many]}}},
        },
        "responses": {
            "200": {
                "description": "Decided. Of a list: a result for each event, in its order.",
                "content": {"application/json": {"schema": {"anyOf": [answer, answers]}}},
            },
            "202": {
                "description": "Recorded, and decided once what it waits for is known.",
                "content": {"application/json": {"schema": answer}},
            },
            **{status: {} for status in _HOT},
        },
    }  # fmt: skip


def _first() -> dict[str, Any]:
    """What the one-time link gives to a script."""
    key = {name: {"type": "string"} for name in ("key", "prefix", "scope", "source")}
    content = {"application/json": {"schema": {"type": "object", "properties": key}}}
    return {
        "summary": "The first owner's key, once",
        "operationId": "open_first_link",
        "parameters": [
            {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "responses": {
            "201": {"description": "As it says.", "content": content},
            "404": _problem("404"),
        },
    }


def _webhook() -> dict[str, Any]:
    outcomes = {"type": "array", "items": {"type": "string"}}
    told = {"type": "object", "properties": {"outcomes": outcomes}, "required": ["outcomes"]}
    body: dict[str, Any] = {"application/json": {"schema": {}}}
    return {
        "summary": "What a shop sends, with its signature",
        "operationId": "webhook",
        "description": "In the shop's own form and signed as the shop signs; docs/shops.md has it.",
        "parameters": [
            {"name": "connection", "in": "path", "required": True, "schema": {"type": "string"}}
        ],
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": {
                "description": "Recorded: the outcome of each event that followed from it.",
                "content": {"application/json": {"schema": told}},
            },
            **{status: _problem(status) for status in ("401", "404", "413", "422", "503")},
        },
    }


def _finish(operation: dict[str, Any], scopes: frozenset[str]) -> None:
    """Say who may call, and which problems there can be."""
    if scopes in (OPEN, SIGNED):
        operation["security"] = []
        return
    if scopes is CHECKOUT:
        operation["security"] = [{"checkout": []}]
    else:
        operation["security"] = [{"key": []}]
        operation["x-scopes"] = sorted(scopes)
    responses = operation["responses"]
    for status in [s for s in responses if s in _STATUSES] or _COOL:
        responses[status] = _problem(status)
    for status in (*_COOL, *(_BODY if "requestBody" in operation else ())):
        responses.setdefault(status, _problem(status))


def _problem(status: str) -> dict[str, Any]:
    content = {MEDIA: {"schema": {"$ref": _REF + "Problem"}}}
    return {"description": _STATUSES[status], "content": content}
