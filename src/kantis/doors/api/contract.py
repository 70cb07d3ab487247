"""Contract: OpenAPI 3.1, from the same records that read and write the requests."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fastapi.openapi.utils import get_openapi

from kantis import __version__
from kantis.doors.api import problems, wire
from kantis.doors.api.access import OPEN, ROUTES
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
    "409": "Refused by the program; recorded, and final under this id.",
    "413": f"The body has more than {BODY_BYTES_MAX:,} bytes.",
    "415": "The body is not JSON.",
    "422": "Refused; not recorded, and the id is not used up.",
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
    schemas, events = _schemas()
    found["components"]["schemas"] |= schemas
    found["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for name in ("HTTPValidationError", "ValidationError"):
        found["components"]["schemas"].pop(name, None)
    paths = found["paths"]
    paths["/v1/events"] = {"post": _hot("Record events, and decide them", "send", events)}
    paths["/v1/quotes"] = {
        "post": _hot("What events would do now; nothing is kept", "quote", events)
    }
    for deed in DEEDS:
        paths.setdefault(deed.path, {})["post"] = _deed(deed)
    for path, summary in (
        ("/healthz", "Whether the process is up"),
        ("/readyz", "Whether it takes events"),
        ("/openapi.json", "This contract"),
        ("/metrics", "Figures for Prometheus"),
    ):
        paths[path] = {"get": {"summary": summary, "operationId": path.strip("/").split(".")[0],
                               "responses": {"200": {"description": "As it says."}}}}  # fmt: skip
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


def _finish(operation: dict[str, Any], scopes: frozenset[str]) -> None:
    """Say who may call, and which problems there can be."""
    if scopes is OPEN:
        operation["security"] = []
        return
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
