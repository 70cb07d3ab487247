"""Doors: every page that there is, and whose it is. What is not named here is not there."""

from __future__ import annotations

from typing import Final

from kantis.doors.web import (
    arriving,
    console,
    counter,
    editor,
    first,
    joining,
    keeping,
    mailbox,
    measures,
    offline,
    own,
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
#: Whoever writes and publishes programs.
WRITING: Final = frozenset({"owner", "manager"})

PAGES: Final = (
    Page("GET", "/", ANYBODY, public.start),
    Page("GET", "/p/{program}", ANYBODY, public.program),
    Page("GET", "/p/{program}/join", ANYBODY, joining.ask),
    Page("POST", "/p/{program}/join", ANYBODY, joining.joined),
    Page("GET", "/theme/{theme}", ANYBODY, public.theme),
    Page("GET", "/first/{token}", ANYBODY, first.look),
    Page("POST", "/first/{token}", ANYBODY, first.use),
    Page("GET", "/sign-in", ANYBODY, signing.sign_in),
    Page("POST", "/sign-in", ANYBODY, signing.signed_in),
    Page("POST", "/sign-out", ANYBODY, signing.sign_out),
    Page("GET", "/invitation/{token}", ANYBODY, signing.invitation),
    Page("POST", "/invitation/{token}", ANYBODY, signing.accepted),
    Page("GET", "/c", INSIDE, console.start),
    Page("GET", "/programs/new", WRITING, editor.choose),
    Page("POST", "/programs/new", WRITING, editor.chosen),
    Page("POST", "/programs/draft", WRITING, editor.check),
    Page("GET", "/c/{program}/program", WRITING, editor.edit),
    Page("POST", "/c/{program}/program", WRITING, editor.check),
    Page("GET", "/c/{program}", INSIDE, console.home),
    Page("GET", "/c/{program}/members", INSIDE, console.members),
    Page("GET", "/c/{program}/members/{account}", INSIDE, console.member),
    Page("POST", "/c/{program}/members/{account}/link", HELPING, console.open_portal),
    Page("GET", "/c/{program}/mails", OWNER, mailbox.look),
    Page("POST", "/c/{program}/mails/{number}", OWNER, mailbox.read),
    Page("GET", "/open/{token}", ANYBODY, arriving.enter),
    Page("POST", "/open/{token}", ANYBODY, arriving.entered),
    Page("GET", "/me/sign-in", ANYBODY, arriving.ask),
    Page("POST", "/me/sign-in", ANYBODY, arriving.asked),
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
    Page("GET", "/c/{program}/measures", INSIDE, measures.page),
    Page("GET", "/c/{program}/measures/{panel}", INSIDE, measures.file),
    Page("GET", "/me", MEMBER, portal.card),
    Page("GET", "/me/rewards", MEMBER, portal.rewards),
    Page("GET", "/me/history", MEMBER, portal.history),
    Page("POST", "/me/offers", MEMBER, own.load),
    Page("POST", "/me/choices", MEMBER, own.choose),
    Page("GET", "/me/you", MEMBER, own.you),
    Page("POST", "/me/consents", MEMBER, own.consent),
    Page("POST", "/me/sign-out-elsewhere", MEMBER, own.end_others),
    Page("POST", "/me/prove", MEMBER, own.prove),
    Page("GET", "/me/export", MEMBER, own.export),
    Page("GET", "/me/leave", MEMBER, own.leave),
    Page("POST", "/me/leave", MEMBER, own.left),
    Page("GET", "/me/friends", MEMBER, own.friends),
    Page("GET", "/me/ends.ics", MEMBER, keeping.calendar),
    Page("GET", "/me/app.webmanifest", ANYBODY, keeping.manifest),
    Page("GET", "/me/worker.js", ANYBODY, keeping.worker),
    Page("GET", "/people", OWNER, console.people),
    Page("POST", "/people", OWNER, console.invite),
    Page("POST", "/people/{number}/leave", OWNER, console.leave),
)
