"""Wire: events and answers as JSON, made from the records that the engine has.

A field of an event is written once, in ``core/events.py``; here each body becomes an object
with names, and nothing that it does not know is accepted. Amounts are whole numbers of the
smallest part of their unit, times are RFC 3339 with an offset.

>>> event = read_event(b'{"id": "1", "type": "purchase", "subject": "card:7", "data": {"lines": '
...                    b'[{"id": "1", "amount": 350}]}}', "till-1")
>>> event.key, event.body.lines[0].amount, event.time
('till-1/1', 350, 0)
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct, field, structs

from kantis.core.decision import Entry
from kantis.core.events import Body, Event
from kantis.core.places import CHART
from kantis.desk.results import Result

_MINUTE: Final = dt.timedelta(minutes=1)

#: Bodies that only the desk itself makes.
_INSIDE: Final = ("tick",)


class Malformed(Exception):
    """What was sent is no event: where, and what to do."""


class Said(Struct, forbid_unknown_fields=True):
    """An event as it comes. ``data`` belongs to the type."""

    id: str
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    subject: str = ""
    time: dt.datetime | None = None
    ask: bool = False


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
        if each.required:
            fields.append((each.name, kind))
        elif each.default_factory is not msgspec.NODEFAULT:
            fields.append((each.name, kind, field(default_factory=each.default_factory)))
        else:
            fields.append((each.name, kind, each.default))
    made = msgspec.defstruct(record.__name__, fields, forbid_unknown_fields=True)
    made.__doc__ = record.__doc__
    return made


def _named(kind: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return named(kind)
    arguments = get_args(kind)
    if not arguments:
        return kind
    inside = tuple(_named(each) for each in arguments)
    if inside == arguments:
        return kind
    origin = getattr(kind, "__origin__", None)
    assert origin is tuple, kind
    return tuple[inside]  # type: ignore[valid-type]


def _plain(kind: type, value: Any) -> Any:
    """A record of the engine from the one that has its names."""
    made = {}
    for each in structs.fields(kind):
        found = getattr(value, each.name)
        if isinstance(found, tuple) and found and isinstance(found[0], Struct):
            inside = get_args(each.type)[0]
            found = tuple(_plain(inside, one) for one in found)
        made[each.name] = found
    return kind(**made)


_decode_said = msgspec.json.Decoder(Said).decode


@cache
def _decoder(tag: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(named(BODIES[tag]))


def read_event(data: bytes, source: str) -> Event:
    """The event that JSON says; ``Malformed`` when it says none."""
    try:
        return event_of(_decode_said(data), source)
    except msgspec.MsgspecError as error:
        raise Malformed(str(error)) from error


def event_of(said: Said, source: str) -> Event:
    """The event that was said, with the source of its caller."""
    body = BODIES.get(said.type)
    if body is None:
        known = ", ".join(sorted(BODIES))
        raise Malformed(f"No event is of type {said.type!r}. There are {known}.")
    try:
        found = _decoder(said.type).decode(said.data)
    except msgspec.MsgspecError as error:
        raise Malformed(f"{error} (in data of the {said.type} {said.id!r})") from error
    time = instant(said.time) if said.time is not None else 0
    return Event(source, said.id, time, said.subject, _plain(body, found), 0, said.ask)


def instant(time: dt.datetime) -> int:
    """Milliseconds since 1970; a time without its offset is refused."""
    if time.tzinfo is None:
        raise Malformed(
            f"{time.isoformat()} has no offset. Write for example 2025-03-01T09:00:00Z."
        )
    return (time - events_epoch) // dt.timedelta(milliseconds=1)


events_epoch: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def shown(moment: int) -> str:
    """An instant as RFC 3339."""
    return (events_epoch + dt.timedelta(milliseconds=moment)).isoformat().replace("+00:00", "Z")


def answer(result: Result) -> dict[str, Any]:
    """The answer to an event, for people's programs."""
    found: dict[str, Any] = {"event": result.key, "outcome": result.outcome}
    if result.account:
        found["account"] = result.account
    if result.again:
        found["again"] = True
    if result.refusal is not None:
        found["refusal"] = {"code": result.refusal.code, "message": result.refusal.sentence}
    elif result.entry is not None:
        found["entry"] = entry(result.entry)
    return found


def entry(made: Entry) -> dict[str, Any]:
    """What a decision did, with the names of its places and rules."""
    decision = made.decision
    found: dict[str, Any] = {
        "seq": made.seq,
        "at": shown(made.at),
        "version": made.version,
        "postings": [
            {
                "balance": balance,
                "from": CHART[source].name,
                "to": CHART[target].name,
                "amount": amount,
                "reason": reason,
            }
            for balance, source, target, amount, _, reason in decision.postings
        ],
        "rules": [
            {"rule": fact[0], "balance": fact[1], "base": fact[2], "amount": fact[3]}
            for fact in decision.fired
        ],
    }
    if decision.effects:
        found["effects"] = [
            {"line": line, "rule": rule, "off": amount} for line, rule, amount in decision.effects
        ]
    if decision.flags:
        found["flags"] = list(decision.flags)
    return found
