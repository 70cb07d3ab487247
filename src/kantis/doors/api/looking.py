"""Looking: what all look-ups share: whose account it is, pages, languages, and entity tags.

A key sees its own program only; what is in another one is answered as if it were nowhere.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Any, Final

from fastapi import Path, Request
from pydantic import BaseModel
from starlette.responses import Response

from kantis.desk.submit import Desk
from kantis.doors.api.access import Caller
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.store.rows import AccountRow

ID_END: Final = (1 << 63) - 1

Ref = Annotated[
    str,
    Path(description="card:NUMBER or account:NUMBER; a bare number is a card.", max_length=200),
]
#: What an answer with an entity tag says beside 200, for the contract.
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "It is what If-None-Match says: nothing has changed."}
}


def office_of(request: Request) -> Office:
    """The office of the service that was asked."""
    office: Office = request.scope["state"]["office"]
    return office


def caller_of(request: Request) -> Caller:
    """Who asks."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


def subject_of(ref: str) -> str:
    """A reference as events have it: a bare number is a card.

    >>> subject_of("6407"), subject_of("account:12")
    ('card:6407', 'account:12')
    """
    return ref if ":" in ref else f"card:{ref}"


def account_of(reader: Desk, caller: Caller, ref: str) -> AccountRow:
    """The account of a reference, in the program of the caller."""
    books = reader.books
    kind, _, name = subject_of(ref).partition(":")
    number = 0
    if kind == "card" and name.isprintable():
        number = books.cards([(caller.number, name)]).get((caller.number, name), 0)
    elif kind == "account" and name.isascii() and name.isdecimal() and len(name) < 20:
        number = int(name)
    row = books.account(number) if 0 < number < ID_END else None
    if row is None or row.program != caller.number:
        raise Problem("unknown-account")
    return row


def tagged(request: Request, found: BaseModel) -> Response:
    """An answer with its entity tag; only the tag where the caller has it already."""
    data = found.model_dump_json().encode()
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    said = request.headers.get("if-none-match", "")
    had = {each.strip().removeprefix("W/") for each in said.split(",")}
    if had & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type="application/json")


def languages(said: str) -> list[str]:
    """The languages of an Accept-Language, the best first.

    >>> languages("sv;q=0.1, fi-FI, en;q=0.8")
    ['fi', 'en', 'sv']
    """
    if not said:
        return []
    wanted = []
    for position, each in enumerate(said.split(",")[:20]):
        tag, _, more = each.strip().partition(";")
        weight = more.strip().removeprefix("q=")
        try:
            wanted.append((-float(weight or 1), position, tag.partition("-")[0].lower()))
        except ValueError:
            continue
    return [tag for weight, _, tag in sorted(wanted) if tag and weight]


def wanted_of(request: Request) -> list[str]:
    """The languages that the caller of a look-up wants."""
    return languages(request.headers.get("accept-language", ""))


def cursor_of(seq: int) -> str:
    """Where the next page begins, as callers hand it back."""
    return base64.urlsafe_b64encode(f"before {seq}".encode()).decode().rstrip("=")


def seq_of(cursor: str) -> int:
    """The ``seq`` that a cursor stands for; later than all where there is none."""
    if not cursor:
        return ID_END
    try:
        said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        seq = int(said.removeprefix("before "))
    except ValueError as error:
        raise Problem("bad-cursor") from error
    if said != f"before {seq}" or not 0 < seq < ID_END:
        raise Problem("bad-cursor")
    return seq
