"""Merging: two cards of one person become one, and so do two members.

Guarantee: nothing is done before what would come, and what would not, can be read: a preview
decides on copies, by the same engine. Done again after a stop anywhere, a merge ends as it
began; the cards answer to the account that lives on once everything has come there. It cannot
be undone: of points that were put together nobody can say which of them were spent.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from kantis.core.account import Account, decode_account
from kantis.core.decision import DESK
from kantis.core.events import Event, Merge, decode_body
from kantis.core.sentences import Sentence
from kantis.desk.programs import Home
from kantis.desk.submit import Desk
from kantis.desk.vault import answering
from kantis.desk.vault.membership import file_cards
from kantis.desk.vault.person import TOLD, Address
from kantis.desk.vault.vault import Member, Refusal, Vault
from kantis.engine import merging
from kantis.engine.decide import decide
from kantis.engine.explain import explain
from kantis.store import people
from kantis.store.people import MOVED

#: Who sends the events of merging.
SOURCE: Final = "vault"


class Preview(Struct, frozen=True):
    """What would come, what would stay as it is here instead, and the plans of which one has to
    be ended first; ``cards`` would answer to the account that lives on."""

    comes: list[Sentence]
    stays: list[Sentence]
    first: list[str]
    cards: list[str]


def accounts(member: Member, other: Member) -> tuple[int, int]:
    """The account that lives on, and the other one; ``Refusal`` where two members cannot become
    one. They may have the same account already."""
    if member.row.erased is not None or other.row.id == member.row.id:
        raise Refusal("merge-with-itself")
    return member.row.account, other.row.account


def merging_of(reader: Desk, home: Home, into: int, of: int) -> list[Event]:
    """What makes one account of two; none if they are one already. ``Refusal`` where somebody
    has to do something first."""
    if of == into:
        return []
    if not came(reader, into, of):
        mine, theirs = _checked(reader, home, into, of)
        if merging.obstacles(theirs, mine):
            raise Refusal("merge-two-plans")
    return [_event(reader, into, of)]


def came(reader: Desk, into: int, of: int) -> bool:
    """Whether all of an account has come into the other one."""
    row = reader.books.account(into)
    return row is not None and of in decode_account(row.snapshot).merged


def finish(
    reader: Desk, vault: Vault, home: Home, into: int, of: int, who: str,
    member: Member | None, other: Member | None,
) -> None:  # fmt: skip
    """The cards of the other account belong to this one, and whoever was the other member is
    this one: where nobody is known of this account, they are its member from now on; where
    several share it, they are one of them. ``Refusal`` where not everything has come yet."""
    now = vault.desk.clock()
    if into != of:
        if not came(reader, into, of):
            raise Refusal("merge-under-way")
        mine = people.cards_of(reader.books, [of])[of]
        file_cards(vault, [(home.number, card, into, f"{MOVED}{of}", now, who) for card in mine])
    if other is None or other.row.erased is not None:
        return
    if member is not None:
        _take_over(reader, vault, member, other, now)
    elif not people.by_account(reader.books, [into]):
        arrived = Member(other.row._replace(account=into), other.person)
        answering.move(reader.books, vault, other, arrived)
        vault.move(other, into, now)
    else:
        vault.erase(other, [], now)
        vault.desk.chore("forget_answers", other.row.id)


def _take_over(reader: Desk, vault: Vault, member: Member, other: Member, now: int) -> None:
    """What was not known is taken over, consents are put together, the other one is erased."""
    email = ""
    if member.person is not None and other.person is not None:
        known = {
            name: getattr(other.person, name)
            for name in TOLD
            if not getattr(member.person, name) and getattr(other.person, name)
        }
        email = known.pop("email", "")
        if member.person.address == Address():
            known["address"] = other.person.address
        consents = {*member.person.consents, *other.person.consents}
        known["consents"] = tuple(sorted(consents, key=lambda each: each.at))
        vault.change(member, structs.replace(member.person, **known), now)
    answering.move(reader.books, vault, other, member)
    vault.erase(other, [], now)
    (kept,) = vault.open(people.by_id(reader.books, [member.row.id]))
    if email and kept.person is not None:  # it is free once the other one is erased
        vault.change(kept, structs.replace(kept.person, email=email), now)


def preview(reader: Desk, home: Home, into: int, of: int) -> Preview:
    """What a merge would bring, worked out on copies; ``Refusal`` where it cannot be."""
    if of == into:
        raise Refusal("merge-with-itself")
    mine, theirs = _checked(reader, home, into, of)
    now = max(reader.clock(), mine.at, theirs.at)
    stays, first = merging.stays(theirs, mine), merging.obstacles(theirs, mine)
    event = structs.replace(_event(reader, into, of), time=now, received=now)
    (sent,) = decide(home.program, theirs, event)[-1].decision.follow_ups
    taken = Event(DESK, "preview", now, sent.subject, sent.body, now)
    entry = decide(home.program, mine, taken)[-1]
    return Preview(explain(home.program, entry, taken), stays, first, reader.books.tokens(of))


def _checked(reader: Desk, home: Home, into: int, of: int) -> tuple[Account, Account]:
    """Both as they stand; ``Refusal`` where one of them is not that of one person alone."""
    row, other = reader.books.account(into), reader.books.account(of)
    if row is None or other is None or {row.program, other.program} != {home.number}:
        raise Refusal("unknown-member")
    mine, theirs = decode_account(row.snapshot), decode_account(other.snapshot)
    alone = len(people.by_account(reader.books, [of])) <= 1
    if not alone or mine.away[0] or theirs.members or theirs.away[1]:
        raise Refusal("merge-shared")
    if theirs.away[0] not in ("", f"account:{into}"):
        raise Refusal("merge-shared")
    return mine, theirs


def _event(reader: Desk, into: int, of: int) -> Event:
    """The event of a merge: the same for the same two accounts, whoever asks and however often."""
    id, body = f"merge-{of}-{into}", Merge(f"account:{into}")
    cards, recorded = reader.books.tokens(of), reader.books.events([f"{SOURCE}/{id}"])
    said = decode_body(recorded[0].body) if recorded and recorded[0].body else None
    if isinstance(said, Merge):
        body = said  # its cards have moved since
    elif cards:
        body = Merge(body.into, cards[0])
    return Event(SOURCE, id, 0, f"account:{of}", body, 0, ask=True)
