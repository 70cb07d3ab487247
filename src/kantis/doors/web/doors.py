"""Doors: every page that there is, and whose it is. What is not named here is not there."""

from __future__ import annotations

from typing import Final

from kantis.doors.web import (
    console,
    counter,
    first,
    offline,
    portal,
    public,
    receipts,
    signing,
    till,
)
from kantis.doors.web.app import ANYBODY, AT_COUNTER, MEMBER, PAIRED, Page

OWNER: Final = frozenset({"owner"})
#: Whoever pairs tills.
RUNNING: Final = frozenset({"owner", "manager"})
#: Whoever may look at a program and its members.
INSIDE: Final = frozenset({"owner", "manager", "support", "auditor"})
#: Whoever may do something for a member.
HELPING: Final = frozenset({"owner", "manager", "support"})

PAGES: Final = (
    Page("GET", "/", ANYBODY, public.start),
    Page("GET", "/p/{program}", ANYBODY, public.program),
    Page("GET", "/theme/{theme}", ANYBODY, public.theme),
    Page("GET", "/first/{token}", ANYBODY, first.look),
    Page("POST", "/first/{token}", ANYBODY, first.use),
    Page("GET", "/sign-in", ANYBODY, signing.sign_in),
    Page("POST", "/sign-in", ANYBODY, signing.signed_in),
    Page("POST", "/sign-out", ANYBODY, signing.sign_out),
    Page("GET", "/invitation/{token}", ANYBODY, signing.invitation),
    Page("POST", "/invitation/{token}", ANYBODY, signing.accepted),
    Page("GET", "/c", INSIDE, console.start),
    Page("GET", "/c/{program}", INSIDE, console.home),
    Page("GET", "/c/{program}/members", INSIDE, console.members),
    Page("GET", "/c/{program}/members/{account}", INSIDE, console.member),
    Page("POST", "/c/{program}/members/{account}/link", HELPING, console.open_portal),
    Page("GET", "/c/{program}/tills", RUNNING, till.tills),
    Page("POST", "/c/{program}/tills", RUNNING, till.offer),
    Page("POST", "/c/{program}/tills/{key}/end", RUNNING, till.end),
    Page("POST", "/c/{program}/pins/{number}", RUNNING, till.pin),
    Page("GET", "/till/pair", ANYBODY, till.pairing),
    Page("POST", "/till/pair", ANYBODY, till.pair),
    Page("GET", "/till/sign-in", PAIRED, till.sign_in),
    Page("POST", "/till/sign-in", PAIRED, till.enter),
    Page("POST", "/till/lock", PAIRED, till.lock),
    Page("GET", "/till", AT_COUNTER, counter.sale),
    Page("POST", "/till/sale", AT_COUNTER, counter.record),
    Page("POST", "/till/hold", AT_COUNTER, counter.hold),
    Page("POST", "/till/release", AT_COUNTER, counter.release),
    Page("POST", "/till/use", AT_COUNTER, counter.use),
    Page("POST", "/till/load", AT_COUNTER, counter.load),
    Page("GET", "/till/receipts", AT_COUNTER, receipts.find),
    Page("GET", "/till/receipts/{receipt}", AT_COUNTER, receipts.show),
    Page("POST", "/till/receipts/{receipt}/refund", AT_COUNTER, receipts.refund),
    Page("POST", "/till/receipts/{receipt}/claim", AT_COUNTER, receipts.claim),
    Page("GET", "/till/offline", PAIRED, offline.page),
    Page("POST", "/till/queue", PAIRED, offline.queue),
    Page("GET", "/till/worker.js", ANYBODY, offline.worker),
    Page("GET", "/till/manifest.webmanifest", ANYBODY, offline.manifest),
    Page("GET", "/open/{token}", ANYBODY, portal.enter),
    Page("POST", "/open/{token}", ANYBODY, portal.entered),
    Page("GET", "/me", MEMBER, portal.card),
    Page("GET", "/me/rewards", MEMBER, portal.rewards),
    Page("GET", "/me/history", MEMBER, portal.history),
    Page("GET", "/people", OWNER, console.people),
    Page("POST", "/people", OWNER, console.invite),
    Page("POST", "/people/{number}/leave", OWNER, console.leave),
)
