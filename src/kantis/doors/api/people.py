"""People: the records of the routes on members, and what each scope is shown of a person.

A till learns who stands before it: a given name and an initial. A shop and staff see all that
there is, an auditor sees none of it. What is shown here is what is written down as read.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from kantis.core.calendar import show_instant
from kantis.desk.vault.person import TOLD, Address, Consent, Person
from kantis.desk.vault.vault import Member
from kantis.doors.api.access import AUDITOR, SHOP, STAFF, TILL

Text = Annotated[str, Field(max_length=200)]
Notes = Annotated[str, Field(max_length=2_000)]
Wording = Annotated[str, Field(max_length=10_000)]
Card = Annotated[str, Field(max_length=64, description="The number of a card, without 'card:'.")]

#: What a scope is shown of a person.
SHOWN: Final[dict[str, tuple[str, ...]]] = {
    TILL: ("short_name",),
    SHOP: TOLD,
    STAFF: TOLD,
    AUDITOR: (),
}
#: By what a scope may look members up.
LOOKS: Final[dict[str, tuple[str, ...]]] = {
    TILL: ("card", "phone"),
    SHOP: ("card", "phone", "email", "receipt"),
    STAFF: ("card", "phone", "email", "receipt", "name"),
}


class Strict(BaseModel):
    """A body in which nothing unknown is accepted."""

    model_config = ConfigDict(extra="forbid")


class AddressSaid(Strict):
    """A postal address."""

    street: Text = ""
    postal_code: Text = ""
    city: Text = ""
    region: Text = ""
    country: Text = ""


class ConsentSaid(Strict):
    """What a person agrees to or takes back, and the text that they were shown."""

    purpose: Annotated[str, Field(min_length=1, max_length=100, examples=["news by e-mail"])]
    granted: bool
    version: Annotated[str, Field(max_length=100, description="Of the text.")] = ""
    wording: Annotated[Wording, Field(description="The text itself.")] = ""


class PersonSaid(Strict):
    """Personal data. What is not known is left out."""

    given_name: Text = ""
    family_name: Text = ""
    email: Text = ""
    phone: Annotated[Text, Field(description="With its country, as in +358 40 123 4567.")] = ""
    birthday: Annotated[Text, Field(description="1990-05-17, or 05-17 without the year.")] = ""
    language: Annotated[Text, Field(examples=["fi"])] = ""
    address: AddressSaid = AddressSaid()
    notes: Notes = ""


class Joins(PersonSaid):
    """Somebody who joins. Without a card a number is made."""

    card: Card = ""
    facts: Annotated[
        dict[Text, Text],
        Field(max_length=50, description="What rules of the program need to know; no names."),
    ] = {}
    consents: Annotated[list[ConsentSaid], Field(max_length=50)] = []


class Changes(PersonSaid):
    """What is to be known of a person instead; what is left out stays, empty takes it away."""


class Look(Strict):
    """Whom to find: one of these."""

    email: Text = ""
    phone: Text = ""
    card: Card = ""
    receipt: Annotated[Text, Field(description="Of a purchase, or the id of one.")] = ""
    name: Annotated[Text, Field(description="The starts of words of the name.")] = ""

    @model_validator(mode="after")
    def one(self) -> Look:
        """One thing is looked up."""
        if len(self.by) != 1:
            raise ValueError("Name one of email, phone, card, receipt or name")
        return self

    @property
    def by(self) -> dict[str, str]:
        """What is looked up."""
        return {name: value for name, value in self.model_dump().items() if value}


class NewCard(Strict):
    """Another card. Without a number one is made; it can take the place of a lost one."""

    card: Card = ""
    replaces: Annotated[Card, Field(description="The card that was lost; it stops.")] = ""


class CardNamed(Strict):
    """A card."""

    card: Annotated[str, Field(min_length=1, max_length=64)]


class MergeSaid(Strict):
    """The member who is the same person, and whose account becomes a part of this one."""

    other: Annotated[str, Field(min_length=1, max_length=40, description="The id.")]


class CardTold(BaseModel):
    """A card and its state: in use, blocked, replaced or erased."""

    card: str
    state: str


class ConsentTold(BaseModel):
    """What a person agreed to or took back, when, and the text that they were shown."""

    purpose: str
    granted: bool
    at: str
    version: str
    wording: str
    source: str


class PersonTold(BaseModel):
    """Personal data; `short_name` is all that a till is shown."""

    short_name: str
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    phone: str | None = None
    birthday: str | None = None
    language: str | None = None
    address: AddressSaid | None = None
    notes: str | None = None
    consents: list[ConsentTold] | None = None
    unconfirmed: str | None = None
    former_email: str | None = None


class MemberSeen(BaseModel):
    """A member. `person` is null where the caller may see none of it, or it was erased."""

    id: str
    account: int
    cards: list[CardTold]
    joined: str
    changed: str
    version: int
    erased: str | None
    person: PersonTold | None


class Joined(MemberSeen):
    """A member who has joined; `again` says that the same request had come before."""

    again: bool = False


class Found(BaseModel):
    """Members that were found, at most 50."""

    members: list[MemberSeen]


class Consents(BaseModel):
    """Everything that a person agreed to and took back, oldest first."""

    consents: list[ConsentTold]


class ReadingTold(BaseModel):
    """Who read which personal data, when, and what for."""

    at: str
    who: str
    why: str
    fields: list[str]


class Export(BaseModel):
    """Everything that is kept about a member."""

    member: MemberSeen
    account: dict[str, Any]
    entries: list[dict[str, Any]]
    events: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    readings: list[ReadingTold]


def person_of(said: PersonSaid, at: int, source: str) -> Person:
    """The personal data of somebody who joins."""
    consents = said.consents if isinstance(said, Joins) else []
    plain = said.model_dump(include=set(PersonSaid.model_fields) - {"address"})
    return Person(
        **plain,
        address=Address(**said.address.model_dump()),
        consents=tuple(consent_of(each, at, source) for each in consents),
    )


def consent_of(said: ConsentSaid, at: int, source: str) -> Consent:
    """A consent as it is kept."""
    return Consent(said.purpose, said.granted, at, said.version, said.wording, source)


def changes_of(said: Changes) -> dict[str, Any]:
    """The fields that were named, as a person has them."""
    found: dict[str, Any] = said.model_dump(exclude_unset=True, exclude={"address"})
    if "address" in said.model_fields_set:
        found["address"] = Address(**said.address.model_dump())
    return found


def told(member: Member, cards: dict[str, str], scope: str) -> MemberSeen:
    """A member as a scope may see them."""
    row, person = member.row, member.person
    shown = person_told(person, SHOWN[scope]) if person is not None and SHOWN[scope] else None
    return MemberSeen(
        id=row.id,
        account=row.account,
        cards=[CardTold(card=card, state=state or "in use") for card, state in cards.items()],
        joined=show_instant(row.joined),
        changed=show_instant(row.changed),
        version=row.version,
        erased=show_instant(row.erased) if row.erased is not None else None,
        person=shown,
    )


def person_told(person: Person, fields: tuple[str, ...]) -> PersonTold:
    """Some fields of a person."""
    values: dict[str, Any] = {name: getattr(person, name) for name in fields if name in TOLD}
    if "address" in values:
        values["address"] = AddressSaid(
            **{name: getattr(person.address, name) for name in Address.__struct_fields__}
        )
    if "consents" in values:
        values["consents"] = consents_told(person)
    return PersonTold(short_name=person.short_name, **values)


def consents_told(person: Person) -> list[ConsentTold]:
    """The consents of a person, oldest first."""
    return [
        ConsentTold(
            purpose=each.purpose,
            granted=each.granted,
            at=show_instant(each.at),
            version=each.version,
            wording=each.wording,
            source=each.source,
        )
        for each in person.consents
    ]
