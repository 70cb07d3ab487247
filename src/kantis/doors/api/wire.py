"""Wire: events as JSON, read into the records that the engine has.

A field of an event is written once, in ``core/events.py``; here each body becomes an object
with names, and nothing that it does not know is accepted. Amounts are whole numbers of the
smallest part of their unit, times are RFC 3339 with an offset.

>>> event = read_event(b'{"id": "1", "type": "purchase", "subject": "card:7", "data": {"lines": '
...                    b'[{"id": "1", "product": "latte", "amount": 350}]}}', "till-1")
>>> event.key, event.body.lines[0].amount, event.time
('till-1/1', 350, 0)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct, field, structs

from kantis.core.events import Body, Event, encode_body

_T = TypeVar("_T")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

#: Bodies that only the desk itself makes; accounts are merged with their cards and members.
_INSIDE: Final = ("merge", "merged", "tick")


class Malformed(Exception):
    """What was sent is no event: where, and what to do."""


#: Longer words would not fit into an index of the books.
WORD_MAX: Final = 500
ID_MAX: Final = 200
Word = Annotated[str, Meta(max_length=WORD_MAX)]
Name = Annotated[str, Meta(max_length=ID_MAX)]
Subject = Annotated[str, Meta(max_length=ID_MAX, examples=["card:6407", "account:12"])]
#: As far as every reader of JSON counts exactly.
NUMBER_MAX: Final = 1 << 53
Number = Annotated[int, Meta(ge=-NUMBER_MAX, le=NUMBER_MAX)]
_LIMITED: Final[dict[Any, Any]] = {str: Word, int: Number}


def _nothing() -> msgspec.Raw:
    return msgspec.Raw(b"{}")


class Said(Struct, forbid_unknown_fields=True):
    """An event as it comes. `data` belongs to the type."""

    type: str
    id: Annotated[
        str, Meta(max_length=ID_MAX, description="Unique per source; or Idempotency-Key.")
    ] = ""
    data: msgspec.Raw = field(default_factory=_nothing)
    subject: Subject = ""
    time: Annotated[
        dt.datetime | None,
        Meta(
            description="When it happened, with an offset; default: now.",
            extra_json_schema={"format": "date-time"},
        ),
    ] = None
    ask: Annotated[bool, Meta(description="It may be refused. Without it, it has happened.")] = (
        False
    )


def _tag(body: type) -> str:
    return str(body.__struct_config__.tag)  # type: ignore[attr-defined]


BODIES: Final[dict[str, type]] = {
    _tag(body): body for body in get_args(Body) if _tag(body) not in _INSIDE
}


@cache
def named(record: type) -> type:
    """The record with its fields by name, and the records inside it likewise."""
    fields: list[Any] = []
    for each in structs.fields(record):
        kind = _named(each.type)
        fields.append((each.name, kind) if each.required else _optional(each, kind))
    made = msgspec.defstruct(record.__name__, fields, forbid_unknown_fields=True)
    made.__doc__ = record.__doc__
    return made


def _optional(each: structs.FieldInfo, kind: Any = None) -> Any:
    """A field with its default."""
    if each.default_factory is not msgspec.NODEFAULT:
        return each.name, kind or each.type, field(default_factory=each.default_factory)
    return each.name, kind or each.type, each.default


def _named(kind: Any) -> Any:
    if kind in _LIMITED:
        return _LIMITED[kind]
    if isinstance(kind, type) and issubclass(kind, Struct):
        return named(kind)
    inside = tuple(_named(each) for each in get_args(kind))
    if inside == get_args(kind):
        return kind
    origin = get_origin(kind)
    return reduce(or_, inside) if origin is UnionType else origin[inside]


@cache
def _nested(kind: type) -> tuple[tuple[int, type], ...]:
    """Which fields of a record hold several other records: (number, their kind)."""
    inside = ((n, get_args(each.type)) for n, each in enumerate(structs.fields(kind)))
    return tuple(
        (n, found[0])
        for n, found in inside
        if found and isinstance(found[0], type) and issubclass(found[0], Struct)
    )


def _plain(kind: type, value: Any) -> Any:
    """A record of the engine from the one that has its names."""
    nested = _nested(kind)
    if not nested:
        return kind(*structs.astuple(value))
    made = list(structs.astuple(value))
    for n, inside in nested:
        made[n] = tuple([_plain(inside, one) for one in made[n]])
    return kind(*made)


def asked(name: str, about: str, body: type, given: frozenset[str], *, subject: bool) -> type:
    """The record of a request that makes an event of a body.

    It has the fields of the body but those that are ``given`` otherwise, and the subject where
    the address does not name it.
    """
    kind = named(body)
    fields: list[Any] = [("subject", Subject)] if subject else []
    kept = [each for each in structs.fields(kind) if each.name not in given]
    for each in sorted(kept, key=lambda field: not field.required):
        fields.append((each.name, each.type) if each.required else _optional(each))
    made = msgspec.defstruct(name, fields, forbid_unknown_fields=True)
    made.__doc__ = f"{about}."
    return made


def body_from(kind: type, values: dict[str, Any]) -> Any:
    """The body that has these values, and its defaults for the rest."""
    nested = {structs.fields(kind)[n].name: inside for n, inside in _nested(kind)}
    return kind(**{
        name: tuple([_plain(nested[name], one) for one in value]) if name in nested else value
        for name, value in values.items()
    })  # fmt: skip


_decode_said = msgspec.json.Decoder(Said).decode


@cache
def _decoder(tag: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(named(BODIES[tag]))


def read_event(data: bytes, source: str) -> Event:
    """The event that JSON says; ``Malformed`` when it says none.

    What could not be written down is refused here: in a batch it would cost the others.
    """
    return checked(event_of(read(_decode_said, data), source))


def read(decode: Callable[[bytes], _T], data: bytes) -> _T:
    """What JSON says; ``Malformed`` where it does not say that."""
    if b"\\u0000" in data:
        raise Malformed("Text has no character 0.")
    try:
        return decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Malformed(f"{error}.") from error


def checked(event: Event) -> Event:
    """The event, which can be written down."""
    try:
        encode_body(event.body)
    except msgspec.MsgspecError as error:
        raise Malformed(f"{error}.") from error
    except OverflowError as error:
        raise Malformed("A number is too great.") from error
    return event


def event_of(said: Said, source: str) -> Event:
    """The event that was said, with the source of its caller."""
    body = BODIES.get(said.type)
    if body is None:
        known = ", ".join(sorted(BODIES))
        raise Malformed(f"No event is of type {said.type!r}. There are {known}.")
    try:
        found = _decoder(said.type).decode(said.data)
    except msgspec.MsgspecError as error:
        raise Malformed(f"In the data of the {said.type} {said.id!r}: {error}.") from error
    time = instant(said.time) if said.time is not None else 0
    return Event(source, said.id, time, said.subject, _plain(body, found), 0, said.ask)


def instant(time: dt.datetime) -> int:
    """Milliseconds since 1970; a time without its offset is refused."""
    if time.tzinfo is None:
        raise Malformed(
            f"{time.isoformat()} has no offset. Write for example 2025-03-01T09:00:00Z."
        )
    return (time - _EPOCH) // dt.timedelta(milliseconds=1)
