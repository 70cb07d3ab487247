"""Doors: every page that there is, and whose it is. What is not named here is not there."""

from __future__ import annotations

from typing import Final

from kantis.doors.web import console, first, measures, portal, public, signing
from kantis.doors.web.app import ANYBODY, MEMBER, Page

OWNER: Final = frozenset({"owner"})
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
    Page("GET", "/c/{program}/measures", INSIDE, measures.page),
    Page("GET", "/c/{program}/measures/{panel}", INSIDE, measures.file),
    Page("GET", "/open/{token}", ANYBODY, portal.enter),
    Page("POST", "/open/{token}", ANYBODY, portal.entered),
    Page("GET", "/me", MEMBER, portal.card),
    Page("GET", "/me/rewards", MEMBER, portal.rewards),
    Page("GET", "/me/history", MEMBER, portal.history),
    Page("GET", "/people", OWNER, console.people),
    Page("POST", "/people", OWNER, console.invite),
    Page("POST", "/people/{number}/leave", OWNER, console.leave),
)
