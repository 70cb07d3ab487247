"""Wording: what a service says of a no, in the language that its caller wants."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from kantis.core.decision import Refusal
from kantis.core.sentences import No
from kantis.desk.results import Result
from kantis.desk.showing import Say
from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.office import Office
from kantis.doors.web.telling import is_english, teller


async def worded(office: Office, caller: Caller, result: Result, wanted: Sequence[str]) -> Result:
    """A result with its refusal in the language that is wanted; in English nothing is asked."""
    if result.refusal is None or is_english(wanted):
        return result
    say = await office.read(say_for, caller, wanted)
    code = result.refusal.code
    return structs.replace(result, refusal=Refusal(code, say(No(code, result.refusal.sentence))))


def say_for(reader: Desk, caller: Caller, wanted: Sequence[str]) -> Say:
    """Who says the sentences of a caller's program."""
    return teller(reader.homes.numbered(caller.number), reader.clock(), wanted)
