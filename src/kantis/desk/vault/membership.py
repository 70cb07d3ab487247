"""Membership: people join, change what is known of them, get cards, and leave.

Guarantee: joining sent again under the same id gives the same member; an e-mail address that
is somebody's gives no second one, and nothing is recorded of who tried. What the program
needs to know of a person reaches the books, and nothing else. Who leaves has nothing held and
owes nothing: their last events say so, each with its entry.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Mapping

from msgspec import Struct, structs

from kantis.core.account import Account, decode_account
from kantis.core.events import Adjust, Body, Enrol, Event, Know, Release
from kantis.core.places import AVAILABLE, OWED
from kantis.desk import freezing
from kantis.desk.audit import By
from kantis.desk.freezing import ADDRESS, LOCK
from kantis.desk.mailing import warn
from kantis.desk.programs import Home
from kantis.desk.results import Result
from kantis.desk.submit import Desk
from kantis.desk.vault import cards
from kantis.desk.vault.person import Person, checked, email_form
from kantis.desk.vault.vault import Member, Refusal, Vault
from kantis.engine.decide import advance
from kantis.store import people, printing
from kantis.store.people import ADDED, ERASED, REPLACED, Slip
from kantis.store.rows import Row

REASON = "the member has left"
#: Who locks and opens an account by a letter, for the audit log.
MEMBER = By("member")


class Joining(Struct):
    """Somebody who joins: the event that says so, or who came before under the same id."""

    event: Event | None = None
    person: Person = Person()
    before: Member | None = None
    refused: Result | None = None


class Request(Struct, frozen=True):
    """What was asked under an id: ``said`` are the bytes of the request."""

    source: str
    id: str
    said: bytes

    @property
    def key(self) -> str:
        """The key of the event that enrols."""
        return f"{self.source}/{self.id}"


# ── joining ──────────────────────────────────────────────────────────────────


def joining(
    reader: Desk,
    vault: Vault,
    home: Home,
    request: Request,
    person: Person,
    card: str = "",
    facts: Mapping[str, str] | None = None,
) -> Joining:
    """What has to happen for somebody to join; ``Refusal`` where they cannot.

    The event is to be submitted; then ``keep`` keeps the person.
    """
    books = reader.books
    before = people.by_event(books, request.key)
    if before is not None:
        (member,) = vault.open([before])
        if member.person is None:
            raise Refusal("member-erased")
        if before.program != home.number or not vault.said_before(member, request.said):
            raise Refusal("other-body")
        return Joining(person=member.person, before=member)
    person = checked(person, today(reader))
    if person.email and vault.by_email(books, home.number, person.email):
        raise Refusal("email-taken")
    recorded = books.events([request.key])
    if recorded:
        if recorded[0].type != "enrol" or recorded[0].program != home.number:
            raise Refusal("other-body")
        subject = recorded[0].subject
    else:
        subject = f"card:{_card(reader, vault, home, request.key, card)}"
    needed = dict(facts or {})
    if person.birthday and needs_birthday(reader, home):
        needed["birthday"] = person.birthday
    event = _event(request.source, request.id, subject, Enrol(tuple(sorted(needed.items()))))
    if not recorded:
        (result,) = reader.quote([event], program=home.name)
        if result.refusal is not None:
            return Joining(refused=result)
    return Joining(event, person)


def keep(
    reader: Desk, vault: Vault, home: Home, joined: Joining, request: Request, account: int
) -> tuple[str, bool]:
    """Keep who has joined: the id, and whether the same request was faster."""
    now = vault.desk.clock()
    person, said = joined.person, request.said
    try:
        return vault.enrol(home.number, account, request.key, person, said, now), False
    except Refusal:
        row = people.by_event(reader.books, request.key)
        if row is None:
            raise
        return row.id, True


def today(reader: Desk) -> dt.date:
    """The day by the clock of the desk, in UTC."""
    return dt.datetime.fromtimestamp(reader.clock() / 1000, dt.UTC).date()


def needs_birthday(reader: Desk, home: Home) -> bool:
    """Whether the program has a rule that asks for a birthday, or for an age."""
    tree = reader.books.versions(home.number)[-1].tree
    return "birthday" in tree or "least age" in tree


def _card(reader: Desk, vault: Vault, home: Home, about: str, card: str) -> str:
    """A card that somebody brings and that is nobody's, or a new number."""
    books, program = reader.books, home.number
    if not card:
        return new_number(reader, vault, home, about)
    if not cards.acceptable(card):
        raise Refusal("bad-card")
    if (program, card) in reader.homes.stops.cards:
        raise Refusal("card-stopped")
    if vault.by_card(books, program, card):
        raise Refusal("card-taken")
    return card


def new_number(
    reader: Desk, vault: Vault, home: Home, about: str, mine: Container[str] = ()
) -> str:
    """A card number that is nobody's, or the member's already; the same for the same request."""
    program = home.number

    def known(card: str) -> bool:
        if card in mine:
            return False
        printed = printing.printed(reader.books, program, [card])
        return bool(printed or reader.books.cards([(program, card)]))

    return cards.free(program, lambda n: vault.secret("cards", f"{about} {n}"), known)


def _event(source: str, id: str, subject: str, body: Body) -> Event:
    return Event(source, id, 0, subject, body, 0, ask=True)


def confirm(reader: Desk, vault: Vault, account: int, mark: str) -> int:
    """The e-mail address of a mark, that a member gave, is theirs; the account of whoever has
    it then: another one, where somebody was faster. 0 where the member has taken it back, or
    given another one since: the link was sent to an address that is not theirs any more."""
    opens = 0
    for member in vault.open(people.by_account(reader.books, [account])):
        person = member.person
        if person is None:
            continue
        if person.email and vault.mark_of_email(person.email) == mark:
            opens = account
        if not person.unconfirmed or vault.mark_of_email(person.unconfirmed) != mark:
            continue
        opens = account
        own = structs.replace(person, email=person.unconfirmed, unconfirmed="")
        if person.email:
            if _has_just_changed(reader, member):
                return 0
            own = structs.replace(own, former_email=person.email)
            freezing.freeze_account(vault.desk, account, ADDRESS, MEMBER)
        try:
            vault.change(member, own, vault.desk.clock())
        except Refusal:
            owners = vault.by_email(reader.books, member.row.program, own.email)
            return owners[0].row.account if owners else account
    return opens


# ── changes ──────────────────────────────────────────────────────────────────


def change(
    reader: Desk, vault: Vault, member: Member, changes: Mapping[str, object], version: int
) -> Person:
    """Change what is known of a member; what is known now."""
    if member.person is None:
        raise Refusal("member-erased")
    if version != member.row.version:
        raise Refusal("stale")
    before = member.person
    person = checked(structs.replace(before, **changes), today(reader))
    other = bool(before.email) and email_form(person.email) != email_form(before.email)
    phone = bool(before.phone) and person.phone != before.phone
    if other:
        if _has_just_changed(reader, member):
            raise Refusal("changed-of-late")
        person = structs.replace(person, former_email=before.email)
    if other or phone:  # before it counts, so that nothing leaves in between
        freezing.freeze_account(vault.desk, member.row.account, ADDRESS, MEMBER)
    vault.change(member, person, vault.desk.clock())
    if other or (phone and before.email):
        about = member.row.program, member.row.account, before.language
        warn(vault, *about, phone=not other)
    return person


def _has_just_changed(reader: Desk, member: Member) -> bool:
    """Whether another address has come to count of late: then it only changes back."""
    row = member.row
    return bool(freezing.standing(reader.books, row.program, row.account, reader.clock()))


def lock(reader: Desk, vault: Vault, account: int) -> None:
    """The owner of the address that a member had says that it was not them: nothing is spent,
    everybody is signed out, and an address that waits to be confirmed counts no more."""
    freezing.freeze_account(vault.desk, account, LOCK, MEMBER)
    for member in vault.open(people.by_account(reader.books, [account])):
        if member.person is not None and member.person.unconfirmed:
            own = structs.replace(member.person, unconfirmed="")
            vault.change(member, own, vault.desk.clock())


def unlock(reader: Desk, vault: Vault, account: int, mark: str) -> int:
    """The owner of the address of a mark has opened a letter to it: it counts again, and points
    are spent. The account; 0 where it is not the address that the member had."""
    for member in vault.open(people.by_account(reader.books, [account])):
        person = member.person
        if person is None:
            continue
        email = next(
            (
                x
                for x in (person.email, person.former_email)
                if x and vault.mark_of_email(x) == mark
            ),
            "",
        )
        if not email:
            continue
        own = structs.replace(person, email=email, unconfirmed="", former_email="")
        try:
            vault.change(member, own, vault.desk.clock())
        except Refusal:
            return 0
        freezing.free_account(vault.desk, account, MEMBER)
        return account
    return 0


def birthday_told(
    reader: Desk, home: Home, member: Member, person: Person, source: str
) -> list[Event]:
    """What tells the program of another birthday, where it has to know."""
    before = member.person.birthday if member.person else ""
    if person.birthday == before or not needs_birthday(reader, home):
        return []
    id = f"birthday-{member.row.id}-{member.row.version + 1}"
    body = Know("birthday", person.birthday)
    return [Event(source, id, 0, f"account:{member.row.account}", body)]


# ── cards ────────────────────────────────────────────────────────────────────


def add_card(
    reader: Desk,
    vault: Vault,
    home: Home,
    member: Member,
    who: str,
    *,
    card: str = "",
    about: str = "",
    replaces: str = "",
) -> str:
    """Give a member another card, perhaps in the place of a lost one; its number.

    Asked again, nothing changes: the same request gives the same card.
    """
    account, program = member.row.account, home.number
    if member.row.erased is not None:
        raise Refusal("member-erased")
    mine = people.cards_of(reader.books, [account])[account]
    if replaces and replaces not in mine:
        raise Refusal("no-such-card")
    number = card or new_number(reader, vault, home, about, mine)
    if number in mine:
        if mine[number]:
            raise Refusal("card-stopped")
    elif not cards.acceptable(number):
        raise Refusal("bad-card")
    now, rows = vault.desk.clock(), []
    if number not in mine:
        rows.append((program, number, account, ADDED, now, who))
    if replaces and mine[replaces] != REPLACED:
        rows.append((program, replaces, account, REPLACED, now, who))
    file_cards(vault, rows)
    return number


def stop_card(reader: Desk, vault: Vault, home: Home, member: Member, card: str, who: str) -> None:
    """Block a card of a member; one that is stopped stays as it is."""
    account = member.row.account
    mine = people.cards_of(reader.books, [account])[account]
    if card not in mine:
        raise Refusal("no-such-card")
    if not mine[card]:
        row = (home.number, card, account, people.BLOCKED, vault.desk.clock(), who)
        file_cards(vault, [row])


def file_cards(vault: Vault, rows: list[Row]) -> None:
    """Write down what happens to cards; ``Refusal`` where it cannot."""
    if rows:
        (outcome,) = vault.file(Slip(cards=rows))
        if outcome:
            raise Refusal(outcome)


# ── leaving ──────────────────────────────────────────────────────────────────


def last_events(reader: Desk, home: Home, member: Member, source: str) -> list[Event]:
    """What happens before a member is erased: holds are released, debts are written off, and
    points that nobody can spend any more are taken, unless somebody shares the account."""
    row = reader.books.account(member.row.account)
    shared = people.by_account(reader.books, [member.row.account])
    if row is None or any(each.id != member.row.id for each in shared):
        return []
    state: Account = decode_account(row.snapshot)
    if len(state.members) > 1:
        return []  # what is there is the household's too
    if state.joined:
        advance(home.program, state, max(reader.clock(), state.at))
    subject, events = f"account:{row.id}", []
    left = {name: purse[AVAILABLE] + purse[OWED] for name, purse in state.purse.items()}
    for key, hold in state.holds.items():
        holder, _, id = key.partition("/")  # a hold is released by the source that made it
        events.append(_last(member, holder, subject, Release(id), id))
        left[hold.balance] += sum(amount for _, amount in hold.lots)
    for name, amount in left.items():
        if amount:
            events.append(_last(member, source, subject, Adjust(name, -amount, REASON), name))
    return events


def _last(member: Member, source: str, subject: str, body: Body, about: str) -> Event:
    return Event(source, f"left-{member.row.id}-{about}", 0, subject, body)


def erase(reader: Desk, vault: Vault, home: Home, member: Member, who: str) -> None:
    """Erase a member, after the last events: the key, the data, the hashes; stop the cards."""
    account, now = member.row.account, vault.desk.clock()
    rows: list[Row] = []
    others = people.by_account(reader.books, [account])
    if not any(each.id != member.row.id for each in others):
        mine = people.cards_of(reader.books, [account])[account]
        rows = [
            (home.number, card, account, ERASED, now, who)
            for card, state in mine.items()
            if state != ERASED
        ]
    vault.desk.chore("stop_reminders", account)
    vault.erase(member, rows, now)
    vault.desk.chore("forget_answers", member.row.id)


def found(reader: Desk, vault: Vault, program: int, by: Mapping[str, str]) -> list[Member]:
    """Members by one of email, phone, card, receipt or name."""
    ((what, value),) = by.items()
    looks = {
        "email": vault.by_email,
        "phone": vault.by_phone,
        "card": vault.by_card,
        "receipt": vault.by_receipt,
        "name": vault.by_name,
    }
    return looks[what](reader.books, program, value)


def cards_told(reader: Desk, members: Iterable[Member]) -> dict[int, dict[str, str]]:
    """The cards of members' accounts, each with its state."""
    return people.cards_of(reader.books, sorted({each.row.account for each in members}))
