"""Own: what members do themselves: offers, choices, consents, sessions, export, erasing.

Guarantee: everything here is about the account of whoever is signed in. What is personal is
shown where one person alone has the account, and to no other. Erasing takes a sign-in of the
last quarter of an hour.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from msgspec import Struct, structs
from starlette.responses import Response

from kantis.core.calendar import show_instant
from kantis.core.events import Body, Choose, Event, Load
from kantis.desk import around, sessions, surveys
from kantis.desk.mailing import ask_change, ask_confirming
from kantis.desk.reminding import DAYS
from kantis.desk.showing import standing
from kantis.desk.submit import Desk
from kantis.desk.surveys import WISH
from kantis.desk.vault import membership, portable
from kantis.desk.vault.person import TOLD, email_form
from kantis.desk.vault.vault import Reader, Vault
from kantis.doors.api.people import told
from kantis.doors.api.problems import Problem
from kantis.doors.web import consents, inviting
from kantis.doors.web.devices import called
from kantis.doors.web.own_passkeys import listed, prove_with
from kantis.doors.web.pages import NotHere, Visit
from kantis.doors.web.places import Place
from kantis.doors.web.portal import device, mine, must_be_alone, own, persons
from kantis.doors.web.proving import is_fresh
from kantis.store import people, reminding
from kantis.store.surveys import is_unasked

#: How what happens here is named as a source, and as a reader.
SOURCE: Final = consents.SOURCE
MYSELF: Final = "the member"
_NAME_MAX: Final = 200
#: Where in a program stands what a member may be reminded of.
_SECTIONS: Final = {
    "points": "balances", "voucher": "vouchers", "level": "tiers", "offer": "offers",
}  # fmt: skip


class About(Struct):
    """What is known of whoever is signed in. ``person`` is ``None`` for a card without a person,
    and where several ``share`` the account."""

    shared: bool = False
    confirmed: bool = True
    name: str = ""
    email: str = ""
    waits: str = ""
    said: list[dict[str, Any]] = []
    history: list[dict[str, Any]] = []
    reminders: list[dict[str, Any]] = []
    known: bool = False
    unasked: bool = False
    passkeys: dict[str, Any] = {}


# ── offers and choices ───────────────────────────────────────────────────────


async def load(visit: Visit) -> Response:
    """The member takes an offer."""
    form = await visit.form()
    return await _asked(visit, Load(form.get("offer", "")[:_NAME_MAX]), form.get("form", ""))


async def choose(visit: Visit) -> Response:
    """The member makes a choice."""
    form = await visit.form()
    name, value = (form.get(each, "").strip()[:_NAME_MAX] for each in ("choice", "value"))
    return await _asked(visit, Choose(name, value), form.get("form", ""))


async def _asked(visit: Visit, body: Body, form: str) -> Response:
    place, account = await visit.office.read(_whose, visit)
    id = f"own-{account}-{form[:32] or secrets.token_hex(16)}"
    event = Event(SOURCE, id, 0, f"account:{account}", body, 0, ask=True)
    (result,) = await visit.office.line.submit(place.name, [event])
    done = "no" if result.refusal is not None else "done"
    return visit.go(f"/me/rewards?{done}=1#main")


def _whose(reader: Desk, visit: Visit) -> tuple[Place, int]:
    row, _, place = own(reader, visit)
    return place, row.id


# ── what is known of me ──────────────────────────────────────────────────────


async def you(visit: Visit) -> Response:
    """What is known, what was agreed to, where one is signed in, and how to leave."""
    query = visit.request.query_params
    became = "letters" if "letters" in query else "often" if "often" in query else ""
    return await _you(visit, became=became)


async def _you(visit: Visit, *, status: int = 200, became: str = "") -> Response:
    place, found = await visit.office.people(_about, visit)
    assert visit.session is not None
    rows = await visit.office.read(
        lambda reader: sessions.of_account(
            reader.books, visit.session.account if visit.session else 0, reader.clock()
        )
    )
    signed = [
        {"device": called(each.device), "seen": show_instant(each.seen)[:10],
         "here": each.digest == visit.session.digest}
        for each in rows
    ]  # fmt: skip
    return visit.page(
        "portal-you.html", status=status, place=place, say=place.speaker(visit.language),
        about=found, asked=consents.ASKED, signed=signed, became=became,
        choices=(0, *DAYS), saved="reminders" in visit.request.query_params,
        passkey=visit.request.query_params.get("passkey", ""), fresh=is_fresh(visit),
        device=device(visit), proves=found.passkeys.get("proves", False),
    )  # fmt: skip


async def consent(visit: Visit) -> Response:
    """The member agrees to something, or takes it back."""
    form = await visit.form()
    known = (*consents.ASKED, consents.QUESTIONS)
    asked = next((x for x in known if x.field == form.get("field")), None)
    if asked is None:
        raise NotHere
    await visit.office.people(_consent, visit, asked, form.get("granted") == "1")
    return visit.go("/me/you#consents")


async def end_others(visit: Visit) -> Response:
    """Signed out everywhere else."""
    assert visit.session is not None
    await visit.change(sessions.end_others, visit.session)
    return visit.go("/me/you#sessions")


async def prove(visit: Visit) -> Response:
    """A letter, so that whoever is signed in shows again who they are."""
    done = await visit.office.people(_prove, visit)
    return await _you(visit, status=200 if done else 429, became="asked" if done else "often")


async def email(visit: Visit) -> Response:
    """The form for another e-mail address; it takes a sign-in of the last quarter of an hour."""
    return await _email(visit)


async def other_email(visit: Visit) -> Response:
    """Another address is to be confirmed, and the one that there is hears of it; an empty one
    takes the change back."""
    form = await visit.form()
    if not is_fresh(visit) or await _has_just_changed(visit):
        return await _email(visit, status=422)
    try:
        done = await visit.office.people(_other_email, visit, form.get("email", "").strip())
    except Problem:
        return await _email(visit, status=422, typed=form.get("email", ""))
    return visit.go(f"/me/you?{'letters' if done else 'often'}=1")


async def _email(visit: Visit, *, status: int = 200, typed: str = "") -> Response:
    place, about = await visit.office.people(_about, visit)
    if not about.known:
        raise NotHere
    return visit.page(
        "portal-email.html", status=status, place=place, about=about, fresh=is_fresh(visit),
        typed=typed, wrong=bool(typed), changed=await _has_just_changed(visit),
        proves=about.passkeys["proves"],
    )  # fmt: skip


async def _has_just_changed(visit: Visit) -> bool:
    """Whether another address has come to count of late: then no other one does."""

    def ask(reader: Desk) -> bool:
        row = mine(reader, visit)[0]
        return bool(reader.homes.freezes.own_reason(row.program, row.id, reader.clock()))

    return await visit.office.read(ask)


async def export(visit: Visit) -> Response:
    """Everything that is kept about the member, as a file."""
    data = await visit.office.people(_export, visit)
    return visit.file("my-data.json", data, "application/json")


async def leave(visit: Visit) -> Response:
    """What is lost when somebody leaves, and the button that does it."""
    return await _leave(visit)


async def left(visit: Visit) -> Response:
    """Nothing is known of the member any more."""
    assert visit.session is not None
    form = await visit.form()
    fresh = is_fresh(visit)
    _, account, _, _ = await visit.office.people(_losing, visit)
    frozen = await _has_just_changed(visit)
    if not fresh or frozen or not form.get("sure") or _is_shared(account):
        return await _leave(visit, status=422)
    place, events = await visit.office.people(_last, visit)
    for event in events:
        await visit.office.line.submit(place.name, [event])
    await visit.office.people(_erase, visit)
    await visit.change(sessions.end_others, visit.session)
    await visit.change(sessions.end, visit.session)
    answer = visit.page("portal-left.html", place=place)
    answer.headers["clear-site-data"] = '"cache", "storage"'
    visit.close_session(answer)
    return answer


async def _leave(visit: Visit, *, status: int = 200) -> Response:
    assert visit.session is not None
    place, account, vouchers, known = await visit.office.people(_losing, visit)
    return visit.page(
        "portal-leave.html", status=status, place=place, say=place.speaker(visit.language),
        account=account, vouchers=vouchers, known=known, tried=status != 200,
        shares=_is_shared(account), changed=await _has_just_changed(visit),
        fresh=is_fresh(visit), proves=await visit.office.people(prove_with, visit),
    )  # fmt: skip


def _is_shared(account: dict[str, Any]) -> bool:
    """Whether somebody is in a household with others; who erases themselves leaves it first."""
    return bool(account["shares"]) or len(account["members"]) > 1


async def friends(visit: Visit) -> Response:
    """The link by which a member invites, and what came of it."""
    place, code, found = await visit.office.people(_friends, visit)
    return visit.page(
        "portal-friends.html", place=place, say=place.speaker(visit.language),
        link=f"{visit.site}/p/{place.name}/join?by={code}", found=found,
    )  # fmt: skip


# ── what a keeper does ───────────────────────────────────────────────────────


def _about(reader: Desk, vault: Vault, visit: Visit) -> tuple[Place, About]:
    _, _, place = mine(reader, visit)
    member, shared = persons(reader, vault, visit)
    if member is None or member.person is None:
        return place, About(shared=shared)
    read = "given_name", "email", "consents", "passkeys"
    vault.note([member], Reader(MYSELF, "own page"), read)
    person = member.person
    history = [
        {"title": _title(each.purpose), "granted": each.granted, "wording": each.wording,
         "day": show_instant(each.at)[:10]}
        for each in reversed(person.consents)
    ]  # fmt: skip
    asks = surveys.survey(reader.books, member.row.program).live
    letters = asks and person.email and visit.office.setup.mail
    said = [
        {"field": each.field, "title": each.title, "wording": each.wording,
         "granted": consents.holds(person, each.purpose)}
        for each in (*consents.ASKED, *((consents.QUESTIONS,) if letters else ()))
    ]  # fmt: skip
    email = person.email or person.unconfirmed
    wished = reminding.wished(reader.books, member.row.account)
    reminders = [
        {"field": each.field, "title": each.title, "wording": each.wording,
         "days": wished.get(each.field, 0)}
        for each in consents.REMINDERS
        if _SECTIONS[each.field] in place.tree
    ]  # fmt: skip
    confirmed = bool(person.email)
    return place, About(
        confirmed=confirmed, name=person.name, email=email,
        waits=person.unconfirmed if confirmed else "", said=said, history=history,
        reminders=reminders if confirmed and visit.office.setup.mail else [], known=True,
        unasked=is_unasked(reader.books, member.row.account),
        passkeys=listed(reader, vault, member),
    )  # fmt: skip


def _title(purpose: str) -> str:
    if purpose == consents.TERMS:
        return "Terms"
    known = (*consents.ASKED, *consents.REMINDERS, consents.QUESTIONS)
    return next((x.title for x in known if x.purpose == purpose), purpose)


def _consent(
    reader: Desk, vault: Vault, visit: Visit, asked: consents.Asked, granted: bool
) -> None:
    member = must_be_alone(reader, vault, visit)
    person = member.person
    assert person is not None
    if consents.holds(person, asked.purpose) == granted:
        return
    now = vault.desk.clock()
    added = consents.given(asked, visit.language, now, granted=granted)
    vault.change(member, structs.replace(person, consents=(*person.consents, added)), now)
    if asked is consents.QUESTIONS:
        vault.desk.chore("wish_reminders", member.row.account, {WISH: int(granted)})


def _prove(reader: Desk, vault: Vault, visit: Visit) -> bool:
    member = must_be_alone(reader, vault, visit)
    assert member.person is not None
    program, account, spoken = member.row.program, member.row.account, visit.language.tag
    if not member.person.email:
        return ask_confirming(vault, program, account, spoken)
    about = program, sessions.SIGN_IN, b"", account, spoken, b""
    return bool(vault.desk.chore("ask_mail", *about))


def _other_email(reader: Desk, vault: Vault, visit: Visit, wanted: str) -> bool:
    member = must_be_alone(reader, vault, visit)
    person = member.person
    assert person is not None
    if not wanted or email_form(wanted) == email_form(person.email):
        changes: dict[str, object] = {"unconfirmed": ""}
    else:
        changes = {"unconfirmed": wanted, "former_email": person.email}
    membership.change(reader, vault, member, changes, member.row.version)
    if not changes["unconfirmed"]:
        return True
    program, account, spoken = member.row.program, member.row.account, visit.language.tag
    if not person.email:
        return ask_confirming(vault, program, account, spoken)
    return ask_change(vault, program, account, spoken)


def _export(reader: Desk, vault: Vault, visit: Visit) -> bytes:
    row, home, _ = mine(reader, visit)
    member = must_be_alone(reader, vault, visit)
    cards = people.cards_of(reader.books, [row.id])[row.id]
    seen = told(member, cards, "staff")
    vault.note([member], Reader(MYSELF, "export"), TOLD)
    readings = [
        {"at": show_instant(x.at), "who": x.who, "why": x.why, "fields": x.fields.split()}
        for x in people.readings_of(reader.books, member.row.id)
    ]
    found = {"member": seen.model_dump(), **portable.account_of(reader, vault, home, member)}
    return msgspec.json.format(msgspec.json.encode({**found, "readings": readings}), indent=2)


def _losing(
    reader: Desk, vault: Vault, visit: Visit
) -> tuple[Place, dict[str, Any], list[dict[str, Any]], bool]:
    row, home, place = mine(reader, visit)
    member, _ = persons(reader, vault, visit)
    now, spoken = reader.clock(), [visit.language.tag]
    vouchers = around.vouchers(home, row, now, spoken)
    return place, standing(reader.books, home, row, now), vouchers, member is not None


def _last(reader: Desk, vault: Vault, visit: Visit) -> tuple[Place, list[Event]]:
    _, home, place = mine(reader, visit)
    member = must_be_alone(reader, vault, visit)
    return place, membership.last_events(reader, home, member, SOURCE)


def _erase(reader: Desk, vault: Vault, visit: Visit) -> None:
    _, home, _ = mine(reader, visit)
    membership.erase(reader, vault, home, must_be_alone(reader, vault, visit), MYSELF)


def _friends(reader: Desk, vault: Vault, visit: Visit) -> tuple[Place, str, dict[str, Any]]:
    row, home, place = mine(reader, visit)
    if "referrals" not in place.tree:
        raise NotHere
    found = around.referrals(home, row, reader.clock(), [visit.language.tag])
    return place, inviting.code_of(vault, row.id), found
