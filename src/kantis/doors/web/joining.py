"""Joining: the page on which somebody becomes a member, and has the card at once.

Guarantee: whether an e-mail address is a member's already is not told here. Whoever joins
gives one that counts once a letter to it was opened; who owns it already gets another letter,
with a link to the card that they have.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from msgspec import Struct
from starlette.responses import Response

from kantis.core.events import Event, Refer
from kantis.core.knobs import Node
from kantis.core.sentences import Name
from kantis.desk import mailing
from kantis.desk.results import UNKNOWN
from kantis.desk.submit import Desk
from kantis.desk.vault import membership
from kantis.desk.vault.membership import Joining, Request
from kantis.desk.vault.person import Consent, Person, Wrong, checked
from kantis.desk.vault.vault import Vault
from kantis.doors.api.problems import Problem
from kantis.doors.web import consents, inviting
from kantis.doors.web.arriving import begin
from kantis.doors.web.languages import Language
from kantis.doors.web.pages import NotHere, Visit, whole
from kantis.doors.web.places import Place, place_of

_FIELDS: Final = ("given_name", "family_name", "email", "birthday", "day", "month", "by", "form")
_NAME_MAX: Final = 100
_FORM_LETTERS: Final = 32
OFTEN: Final = "too-many-tries"
#: What an entry says that is not for everybody, or not always; it stands in the terms.
_CONDITIONS: Final = frozenset(("who", "when", "if", "where", "except"))


class Needs(Struct, frozen=True):
    """What a program has to know of who joins. ``birthday`` is nothing, a day, or a date;
    ``version`` is of the terms."""

    number: int
    birthday: str
    least_age: int
    version: int


async def ask(visit: Visit) -> Response:
    """The form of somebody who wants to join."""
    place, needs = await visit.office.read(_needs, visit.about["program"])
    form = {"by": visit.request.query_params.get("by", ""), "form": secrets.token_hex(16)}
    return _form(visit, place, needs, form)


async def joined(visit: Visit) -> Response:
    """Somebody has joined, is signed in, and sees the card."""
    form = await visit.form()
    place, needs = await visit.office.read(_needs, visit.about["program"])
    wrong = _wrong(form, needs)
    if wrong:
        return _form(visit, place, needs, form, wrong, status=422)
    person = await visit.office.people(_person, visit, form, needs)
    if isinstance(person, str):
        return _form(visit, place, needs, form, person, status=422)
    if not await visit.office.people(_may, visit):
        return _form(visit, place, needs, form, OFTEN, status=429)
    said = msgspec.json.encode({name: form.get(name, "") for name in _FIELDS}, order="sorted")
    asked = Request(consents.SOURCE, f"join-{form['form']}", said)
    joining = await visit.office.people(_joining, needs.number, asked, person)
    if joining.refused is not None:
        refusal = joining.refused.refusal
        code = refusal.code if refusal is not None else ""
        return _form(visit, place, needs, form, code, status=422)
    account = await _recorded(visit, place, needs, asked, joining)
    await _invited(visit, place, form.get("by", ""), form["form"], account)
    return await begin(visit, account, "/me?joined=1")


async def _recorded(
    visit: Visit, place: Place, needs: Needs, asked: Request, joining: Joining
) -> int:
    """The account of whoever has joined, or had by the same form."""
    if joining.event is None:
        assert joining.before is not None
        return joining.before.row.account
    (result,) = await visit.office.line.submit(place.name, [joining.event])
    if result.refusal is not None or result.outcome == UNKNOWN or not result.account:
        raise Problem("outcome-unknown" if result.outcome == UNKNOWN else "fault")
    about = needs.number, asked, joining, result.account, visit.language.tag
    await visit.office.people(_kept, *about)
    return result.account


async def _invited(visit: Visit, place: Place, code: str, form: str, account: int) -> None:
    """Tell the program by whose invitation somebody came; it says itself whether that counts."""
    if not code:
        return
    by = await visit.office.people(inviting.inviter, place.number, code)
    names = list(place.tree["referrals"].value) if "referrals" in place.tree else []
    if by and names:
        body = Refer(names[0], f"account:{by}")
        event = Event(
            consents.SOURCE, f"invited-{form}", 0, f"account:{account}", body, 0, ask=True
        )
        await visit.office.line.submit(place.name, [event])


def _form(
    visit: Visit, place: Place, needs: Needs, form: dict[str, str], wrong: str = "",
    *, status: int = 200,
) -> Response:  # fmt: skip
    return visit.page(
        "join.html", status=status, program=place, needs=needs, form=form, wrong=wrong,
        asked=consents.ASKED, brings=_brings(place, visit.language, invited=bool(form.get("by"))),
    )  # fmt: skip


def _brings(place: Place, language: Language, *, invited: bool) -> list[str]:
    """What joining brings, at once and with the first purchase, and what a friend who was invited
    gets, as the terms have it."""
    teller, speaker = place.teller(language), place.speaker(language)
    found: list[str] = []
    for section in ("earning", "rewards"):
        for name, entry in _entries(place.tree, section):
            if _says(entry, "for") == "enrol" and _says(entry, "give"):
                found.append(speaker.phrase(_says(entry, "give")))
            elif _says(entry, "issued") == "on joining":
                found.append(teller(Name(name, of=section)))
    found += _at_first(place, language)
    for name, entry in _entries(place.tree, "referrals") if invited else ():
        give = entry["give"].value if "give" in entry else ""
        points = give["friend"].value if isinstance(give, dict) and "friend" in give else give
        said = speaker.phrase(points) if isinstance(points, str) else teller(Name(name))
        spends = _says(entry, "spends").removeprefix("at least ")
        found.append(_once_spent(language, said, speaker.phrase(spends)) if spends else said)
    return found


def _at_first(place: Place, language: Language) -> list[str]:
    """The rewards that the first purchase brings, or a first sum that is spent."""
    teller, speaker = place.teller(language), place.speaker(language)
    counters, found = dict(_entries(place.tree, "counters")), []
    for name, entry in _entries(place.tree, "rewards"):
        reached = entry["reached"].value if "reached" in entry else {}
        for counter, amount in reached.items() if isinstance(reached, dict) else ():
            about, said = counters.get(counter, {}), teller(Name(name, of="rewards"))
            if _says(about, "window") != "ever":
                continue
            if _says(about, "counts") == "purchases" and str(amount.value) == "1":
                text = language.gettext("%(what)s with your first purchase")
                found.append(text % {"what": said})
            elif _says(about, "counts") in ("", "spend"):
                found.append(_once_spent(language, said, speaker.phrase(str(amount.value))))
    return found


def _once_spent(language: Language, what: str, amount: str) -> str:
    text = language.gettext("%(points)s once you have spent %(amount)s")
    return text % {"points": what, "amount": amount}


def _entries(tree: dict[str, Node], section: str) -> list[tuple[str, dict[str, Node]]]:
    """The entries of a section that hold for everybody at any time, with their names."""
    body = tree[section].value if section in tree else {}
    said = [(name, each.value) for name, each in body.items() if isinstance(each.value, dict)]
    return [(name, entry) for name, entry in said if not _CONDITIONS & entry.keys()]


def _says(entry: dict[str, Node], key: str) -> str:
    """What an entry says under a key, where that is a text."""
    value = entry[key].value if key in entry else ""
    return value if isinstance(value, str) else ""


def _wrong(form: dict[str, str], needs: Needs) -> str:
    """The field that says too little; empty where all say enough."""
    if len(form.get("form", "")) != _FORM_LETTERS or not form["form"].isalnum():
        raise Problem("not-allowed")
    if not 0 < len(form.get("given_name", "").strip()) <= _NAME_MAX:
        return "given_name"
    if len(form.get("family_name", "")) > _NAME_MAX:
        return "family_name"
    if not form.get("email", "").strip():
        return "email"
    if needs.least_age and not form.get("birthday"):
        return "birthday"
    return "" if form.get("terms") else "terms"


# ── what a keeper does ───────────────────────────────────────────────────────


def _person(
    reader: Desk, vault: Vault, visit: Visit, form: dict[str, str], needs: Needs
) -> Person | str:
    """Whoever joins, each value in its own form; or the field that cannot be."""
    now, spoken = vault.desk.clock(), visit.language
    agreed = [Consent(
        consents.TERMS, True, now, f"{needs.version}", "", consents.SOURCE
    )]  # fmt: skip
    for each in consents.ASKED:
        if form.get(each.field):
            agreed.append(consents.given(each, spoken, now, granted=True))
    person = Person(
        given_name=form["given_name"],
        family_name=form.get("family_name", ""),
        unconfirmed=form["email"],
        birthday=_birthday(form, needs),
        language=spoken.tag,
        consents=tuple(agreed),
    )
    try:
        return checked(person, membership.today(reader))
    except Wrong as error:
        return error.field


def _birthday(form: dict[str, str], needs: Needs) -> str:
    if needs.birthday == "date":
        return form.get("birthday", "")
    day, month = whole(form.get("day", "")), whole(form.get("month", ""))
    return f"{month:02}-{day:02}" if needs.birthday and day and month else ""


def _may(reader: Desk, vault: Vault, visit: Visit) -> bool:
    where = vault.secret("tries", f"join {visit.place}")
    return bool(vault.desk.chore("may_try", where, mailing.FROM_ONE_MAX))


def _joining(reader: Desk, vault: Vault, program: int, asked: Request, person: Person) -> Joining:
    home = reader.homes.numbered(program)
    return membership.joining(reader, vault, home, asked, person)


def _kept(
    reader: Desk, vault: Vault, program: int, asked: Request, joining: Joining, account: int,
    language: str,
) -> None:  # fmt: skip
    membership.keep(reader, vault, reader.homes.numbered(program), joining, asked, account)
    mailing.ask_confirming(vault, program, account, language)


def _needs(reader: Desk, name: str) -> tuple[Place, Needs]:
    number = reader.books.programs().get(name)
    if number is None:
        raise NotHere
    home = reader.homes.numbered(number)
    plan: Any = home.program.plan(reader.clock())
    least, tree = plan.head.least_age, reader.books.versions(number)[-1].tree
    birthday = ""
    if least or '"age"' in tree:
        birthday = "date"
    elif membership.needs_birthday(reader, home):
        birthday = "day"
    return place_of(home, reader.clock()), Needs(number, birthday, least, plan.version)
