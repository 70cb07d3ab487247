"""Contract: OpenAPI 3.1, from the same records that read and write the requests."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fastapi.openapi.utils import get_openapi

from kantis import __version__
from kantis.core.places import CHART
from kantis.doors.api import accounts, wire
from kantis.doors.api.access import OPEN, ROUTES
from kantis.doors.api.events import BODY_BYTES_MAX, EVENTS_MAX
from kantis.doors.api.problems import MEDIA, PROBLEMS

_REF: Final = "#/components/schemas/"
_ABOUT: Final = (
    "Tills, shops and partners talk to Kantis here. An event is recorded once under its source "
    "(from the key) and its id, and answered after the commit that holds it."
)

_REFUSAL: Final = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
}
_POSTING: Final = {
    "type": "object",
    "required": ["balance", "from", "to", "amount", "reason"],
    "properties": {
        "balance": {"type": "string"},
        "from": {"enum": [place.name for place in CHART]},
        "to": {"enum": [place.name for place in CHART]},
        "amount": {"type": "integer", "minimum": 1},
        "reason": {"type": "string"},
    },
}
_FACT: Final = {
    "type": "object",
    "required": ["rule", "balance", "base", "amount"],
    "properties": {
        "rule": {"type": "string"},
        "balance": {"type": "string"},
        "base": {"type": "integer"},
        "amount": {"type": "integer"},
    },
}
_EFFECT: Final = {
    "type": "object",
    "required": ["line", "rule", "off"],
    "properties": {
        "line": {"type": "string"},
        "rule": {"type": "string"},
        "off": {"type": "integer"},
    },
}
_ENTRY: Final = {
    "type": "object",
    "required": ["seq", "at", "version", "postings", "rules"],
    "properties": {
        "seq": {"type": "integer", "minimum": 1},
        "at": {"type": "string", "format": "date-time"},
        "version": {"type": "integer"},
        "postings": {"type": "array", "items": _POSTING},
        "rules": {"type": "array", "items": _FACT},
        "effects": {"type": "array", "items": _EFFECT},
        "flags": {"type": "array", "items": {"type": "string"}},
    },
}
_ANSWER: Final = {
    "type": "object",
    "description": "What became of an event. `again`: it had come before, this is its first "
    "answer. `recorded` stands beside a refusal: where it is false, the id is not used up.",
    "required": ["outcome"],
    "properties": {
        "event": {"type": "string", "examples": ["till-7/4711"]},
        "outcome": {"enum": ["decided", "refused", "parked", "alone", "bad", "unknown"]},
        "account": {"type": "integer"},
        "again": {"type": "boolean"},
        "refusal": _REFUSAL,
        "recorded": {"type": "boolean"},
        "entry": _ENTRY,
    },
}
_PROBLEM: Final = {
    "type": "object",
    "description": "RFC 9457. `detail` says what is wrong and what to do next.",
    "required": ["type", "title", "status", "code", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "examples": sorted(PROBLEMS)},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "event": {"type": "string"},
        "recorded": {"type": "boolean"},
        "account": {"type": "integer"},
    },
}
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


def contract() -> dict[str, Any]:
    """The whole contract, as JSON has it."""
    found = get_openapi(
        title="Kantis", version=__version__, openapi_version="3.1.0", routes=accounts.router.routes,
        description=_ABOUT,
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
    """The bodies of events as schemas, and one schema of an event for each type."""
    records = {tag: wire.named(body) for tag, body in sorted(wire.BODIES.items())}
    refs, schemas = msgspec.json.schema_components(records.values(), ref_template=_REF + "{name}")
    events = []
    for (tag, record), data in zip(records.items(), refs, strict=True):
        name = f"{record.__name__}Event"
        events.append({"$ref": _REF + name})
        schemas[name] = {
            "type": "object",
            "required": ["type"],
            "additionalProperties": False,
            "properties": {
                "id": {"type": "string", "description": "Unique per source; or Idempotency-Key."},
                "type": {"const": tag},
                "subject": {"type": "string", "examples": ["card:6407", "account:12"]},
                "time": {"type": ["string", "null"], "format": "date-time",
                         "description": "When it happened; default: now."},
                "ask": {"type": "boolean", "default": False,
                        "description": "It may be refused. Without it, it has happened."},
                "data": data,
            },
        }  # fmt: skip
    schemas |= {"Answer": _ANSWER, "Problem": _PROBLEM}
    return schemas, events


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
    for status in _COOL:
        responses.setdefault(status, _problem(status))


def _problem(status: str) -> dict[str, Any]:
    content = {MEDIA: {"schema": {"$ref": _REF + "Problem"}}}
    return {"description": _STATUSES[status], "content": content}
