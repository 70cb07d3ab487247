"""Access: who may do what. What is not said here is not allowed.

``ROUTES`` is the one list of what the service answers: the gate lets nothing else through,
and a test holds the application, the contract and the matrix of callers to it.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, structs

from kantis.core.events import Event
from kantis.doors.api import wire
from kantis.doors.api.problems import Problem

OPEN: Final = frozenset({"*"})
TILL, SHOP, PARTNER, STAFF, AUDITOR = "till", "shop", "partner", "staff", "auditor"


class Route(Struct, frozen=True):
    """A method on a path, and whose keys may use it. ``OPEN`` needs no key."""

    method: str
    path: str
    scopes: frozenset[str]


_ALL: Final = frozenset({TILL, SHOP, PARTNER, STAFF, AUDITOR})
_WRITERS: Final = frozenset({TILL, SHOP, PARTNER, STAFF})
_SELLERS: Final = frozenset({TILL, SHOP, STAFF})
_VIEWERS: Final = frozenset({TILL, SHOP, STAFF, AUDITOR})
_HOUSE: Final = frozenset({STAFF, AUDITOR})
_STAFF: Final = frozenset({STAFF})

ROUTES: Final = (
    Route("GET", "/healthz", OPEN),
    Route("GET", "/readyz", OPEN),
    Route("GET", "/openapi.json", OPEN),
    Route("GET", "/metrics", _HOUSE),
    Route("POST", "/v1/events", _WRITERS),
    Route("POST", "/v1/quotes", _WRITERS),
    Route("GET", "/v1/accounts/{ref}", _VIEWERS),
    Route("GET", "/v1/accounts/{ref}/entries", _VIEWERS),
    Route("GET", "/v1/accounts/{ref}/statements", _VIEWERS),
    Route("GET", "/v1/accounts/{ref}/rewards", _VIEWERS),
    Route("GET", "/v1/accounts/{ref}/vouchers", _VIEWERS),
    Route("POST", "/v1/accounts/{ref}/vouchers/{code}/use", _SELLERS),
    Route("GET", "/v1/accounts/{ref}/offers", _VIEWERS),
    Route("POST", "/v1/accounts/{ref}/offers/{offer}/load", _SELLERS),
    Route("GET", "/v1/accounts/{ref}/entitlements", _VIEWERS),
    Route("POST", "/v1/accounts/{ref}/entitlements/{entitlement}/enjoy", _SELLERS),
    Route("GET", "/v1/programs", _ALL),
    Route("POST", "/v1/redemptions", _SELLERS),
    Route("GET", "/v1/redemptions/{id}", _SELLERS),
    Route("POST", "/v1/redemptions/{id}/capture", _SELLERS),
    Route("POST", "/v1/redemptions/{id}/release", _SELLERS),
    Route("GET", "/v1/webhooks", _HOUSE),
    Route("POST", "/v1/webhooks", _STAFF),
    Route("GET", "/v1/webhooks/{webhook}", _HOUSE),
    Route("PATCH", "/v1/webhooks/{webhook}", _STAFF),
    Route("DELETE", "/v1/webhooks/{webhook}", _STAFF),
    Route("POST", "/v1/webhooks/{webhook}/secret", _STAFF),
    Route("POST", "/v1/webhooks/{webhook}/test", _STAFF),
    Route("GET", "/v1/webhooks/{webhook}/deliveries", _HOUSE),
    Route("POST", "/v1/webhooks/{webhook}/deliveries/{message}/resend", _STAFF),
    Route("POST", "/v1/webhooks/{webhook}/resend", _STAFF),
)

_COUNTER: Final = frozenset(
    "activity cancel capture choose claim confirm enjoy enrol load purchase redeem refund "
    "release use void".split()
)
#: The events that a scope may send.
MAY_SEND: Final[dict[str, frozenset[str]]] = {
    TILL: _COUNTER,
    SHOP: _COUNTER
    | frozenset("join know leave pay permit refer subscribe unpaid unsubscribe".split()),
    PARTNER: frozenset({"activity", "purchase"}),
    STAFF: frozenset(wire.BODIES),
    AUDITOR: frozenset(),
}


class Caller(Struct, frozen=True):
    """Whose key came with a request."""

    key: str
    program: str
    number: int
    scope: str
    source: str
    location: str


_EXACT: Final = {(each.method, each.path): each for each in ROUTES if "{" not in each.path}
_PATTERNS: Final = [
    (re.compile(re.sub(r"\{\w+\}", "[^/]+", each.path)), each)
    for each in ROUTES
    if "{" in each.path
]


def route_of(method: str, path: str) -> Route:
    """The route of a request; ``Problem`` where there is none."""
    found = _EXACT.get((method, path))
    if found is not None:
        return found
    there = {each.method: each for each in ROUTES if each.path == path}
    there |= {each.method: each for pattern, each in _PATTERNS if pattern.fullmatch(path)}
    if method in there:
        return there[method]
    if there:
        raise Problem("method-not-allowed", allow=", ".join(sorted(there)))
    raise Problem("not-found")


def allowed(caller: Caller, event: Event) -> Event:
    """The event as this caller may send it; ``Problem`` when it may not."""
    body = event.body
    kind = event.type
    if kind not in MAY_SEND[caller.scope]:
        raise Problem("not-allowed", f"A key for {caller.scope} does not send {kind} events.")
    if caller.scope == PARTNER and getattr(body, "partner", "") != caller.source:
        raise Problem("other-partner")
    if not caller.location or not hasattr(body, "location"):
        return event
    if body.location not in ("", caller.location):
        raise Problem("other-location")
    return structs.replace(event, body=structs.replace(body, location=caller.location))
