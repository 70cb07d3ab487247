"""Access: who may do what. What is not said here is not allowed.

``ROUTES`` is the one list of what the service answers: the gate lets nothing else through,
and a test holds the application, the contract and the matrix of callers to it.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, structs

from kantis.core.events import Event
from kantis.desk import keys
from kantis.desk.audit import By
from kantis.desk.keys import Limits
from kantis.doors.api import wire
from kantis.doors.api.problems import Problem

OPEN: Final = frozenset({"*"})
#: No key: who calls is proved by a signature over the body, by the route itself.
SIGNED: Final = frozenset({"signed"})
#: No key: a page of a shop calls with a token, which the route itself reads.
CHECKOUT: Final = frozenset({"checkout"})
TILL, SHOP, PARTNER, STAFF, AUDITOR = "till", "shop", "partner", "staff", "auditor"
OWNER: Final = keys.OWNER


class Route(Struct, frozen=True):
    """A method on a path, and whose keys may use it. ``OPEN`` needs no key."""

    method: str
    path: str
    scopes: frozenset[str]


_ALL: Final = frozenset({TILL, SHOP, PARTNER, STAFF, AUDITOR, OWNER})
_OWNER: Final = frozenset({OWNER})
_READERS: Final = frozenset({STAFF, AUDITOR})
_EDITORS: Final = frozenset({STAFF, AUDITOR, OWNER})
_HANDS: Final = frozenset({TILL, STAFF})
_PARTNERS: Final = frozenset({PARTNER, STAFF, AUDITOR})
_WRITERS: Final = frozenset({TILL, SHOP, PARTNER, STAFF})
#: Who meets members, and who looks after what is known of them.
_SELLERS: Final = frozenset({TILL, SHOP, STAFF})
_KEEPERS: Final = frozenset({SHOP, STAFF})
_VIEWERS: Final = frozenset({TILL, SHOP, STAFF, AUDITOR})
_STAFF: Final = frozenset({STAFF})
_SHOP: Final = frozenset({SHOP})

ROUTES: Final = (
    Route("GET", "/healthz", OPEN),
    Route("GET", "/readyz", OPEN),
    Route("GET", "/openapi.json", OPEN),
    Route("POST", "/first/{token}", OPEN),
    Route("GET", "/metrics", frozenset({STAFF, AUDITOR, OWNER})),
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
    Route("GET", "/v1/accounts/{ref}/referrals", _VIEWERS),
    Route("POST", "/v1/accounts/{ref}/proofs", _SHOP),
    Route("POST", "/v1/accounts/{ref}/proofs/confirm", _SHOP),
    Route("POST", "/v1/accounts/{ref}/join", _KEEPERS),
    Route("POST", "/v1/claims", _SELLERS),
    Route("POST", "/v1/transfers", _KEEPERS),
    Route("POST", "/v1/households", _KEEPERS),
    Route("POST", "/v1/households/{ref}/members", _KEEPERS),
    Route("POST", "/v1/households/{ref}/members/{member}/leave", _KEEPERS),
    Route("POST", "/v1/households/{ref}/members/{member}/permit", _KEEPERS),
    Route("POST", "/v1/referrals", _KEEPERS),
    Route("GET", "/v1/programs", _ALL),
    Route("POST", "/v1/members", _SELLERS),
    Route("POST", "/v1/members/search", _SELLERS),
    Route("GET", "/v1/members/{member}", _VIEWERS),
    Route("PATCH", "/v1/members/{member}", _KEEPERS),
    Route("DELETE", "/v1/members/{member}", _STAFF),
    Route("GET", "/v1/members/{member}/export", _STAFF),
    Route("GET", "/v1/members/{member}/consents", _KEEPERS),
    Route("POST", "/v1/members/{member}/consents", _KEEPERS),
    Route("GET", "/v1/members/{member}/merge", _STAFF),
    Route("POST", "/v1/members/{member}/merge", _STAFF),
    Route("POST", "/v1/members/{member}/cards", _KEEPERS),
    Route("POST", "/v1/members/{member}/cards/block", _SELLERS),
    Route("POST", "/v1/redemptions", _SELLERS),
    Route("GET", "/v1/redemptions/{id}", _SELLERS),
    Route("POST", "/v1/redemptions/{id}/capture", _SELLERS),
    Route("POST", "/v1/redemptions/{id}/release", _SELLERS),
    Route("GET", "/v1/programs/{name}", _ALL),
    Route("POST", "/v1/programs/{name}/validate", _EDITORS),
    Route("GET", "/v1/programs/{name}/difference", _EDITORS),
    Route("POST", "/v1/programs/{name}/versions", _OWNER),
    Route("GET", "/v1/programs/{name}/versions/{number}", _EDITORS),
    Route("DELETE", "/v1/programs/{name}/versions/{number}", _OWNER),
    Route("GET", "/v1/programs/{name}/drafts", _EDITORS),
    Route("POST", "/v1/programs/{name}/drafts", _OWNER),
    Route("DELETE", "/v1/programs/{name}/drafts/{number}", _OWNER),
    Route("GET", "/v1/adjustments", _HANDS | {AUDITOR}),
    Route("POST", "/v1/adjustments", _HANDS),
    Route("GET", "/v1/adjustments/{number}", _HANDS | {AUDITOR}),
    Route("POST", "/v1/adjustments/{number}/approve", _STAFF),
    Route("POST", "/v1/adjustments/{number}/decline", _STAFF),
    Route("GET", "/v1/survey-answers", _READERS),
    Route("POST", "/v1/survey-answers/{number}/reply", _STAFF),
    Route("GET", "/v1/positions", _PARTNERS),
    Route("GET", "/v1/settlements", _PARTNERS),
    Route("GET", "/v1/exports/{what}", _READERS),
    Route("GET", "/v1/imports", _READERS),
    Route("POST", "/v1/imports", _STAFF),
    Route("GET", "/v1/imports/{number}", _READERS),
    Route("POST", "/v1/imports/{number}/take", _STAFF),
    Route("GET", "/v1/imports/{number}/bad-rows", _STAFF),
    Route("GET", "/v1/keys", _OWNER),
    Route("POST", "/v1/keys", _OWNER),
    Route("DELETE", "/v1/keys/{prefix}", _OWNER),
    Route("GET", "/v1/audit", frozenset({AUDITOR, OWNER})),
    Route("GET", "/v1/checkout-1.js", OPEN),
    Route("POST", "/v1/checkout-tokens", frozenset({SHOP})),
    Route("POST", "/v1/checkout/quote", CHECKOUT),
    Route("POST", "/v1/checkout/hold", CHECKOUT),
    Route("POST", "/v1/checkout/release", CHECKOUT),
    Route("GET", "/v1/shops", frozenset({SHOP, STAFF, AUDITOR})),
    Route("POST", "/v1/shops", frozenset({SHOP})),
    Route("DELETE", "/v1/shops/{connection}", frozenset({SHOP, STAFF})),
    Route("POST", "/v1/shops/{connection}/webhook", SIGNED),
    Route("GET", "/v1/webhooks", _READERS),
    Route("POST", "/v1/webhooks", _STAFF),
    Route("GET", "/v1/webhooks/{webhook}", _READERS),
    Route("PATCH", "/v1/webhooks/{webhook}", _STAFF),
    Route("DELETE", "/v1/webhooks/{webhook}", _STAFF),
    Route("POST", "/v1/webhooks/{webhook}/secret", _STAFF),
    Route("POST", "/v1/webhooks/{webhook}/test", _STAFF),
    Route("GET", "/v1/webhooks/{webhook}/deliveries", _READERS),
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
    | frozenset("join know leave pay permit refer subscribe transfer unpaid unsubscribe".split()),
    PARTNER: frozenset({"activity", "purchase"}),
    STAFF: frozenset(wire.BODIES),
    AUDITOR: frozenset(),
    OWNER: frozenset(),
}


class Caller(Struct, frozen=True):
    """Whose key came with a request. The number 0 is every program of the installation."""

    key: str
    program: str
    number: int
    scope: str
    source: str
    location: str
    name: str
    limits: Limits
    #: the number of the key where it is left to the batch of an event to look whether it holds
    unchecked: int = 0

    @property
    def by(self) -> By:
        """Who this is, for the audit log."""
        return By(self.key, self.name)


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
