"""Checkout: what a shop's page may ask by itself, with a token and from its own origin.

Guarantee: a page sees the balance of the one account that its token is for, what a basket
would earn, and sets points aside once per token, at most as many as the token allows. No key
is in the browser; a token of another origin, account or time does nothing; and whoever
repeats a request gets its first answer.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from kantis.core.calendar import show_instant
from kantis.core.events import Body, Event, Line, Purchase, Redeem, Release
from kantis.core.places import HELD
from kantis.desk.results import PARKED, Result
from kantis.desk.submit import Desk
from kantis.doors.api import answers, tokens
from kantis.doors.api.access import Caller
from kantis.doors.api.accounts import standing_of
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem
from kantis.doors.api.tokens import Token
from kantis.store.rows import KeyRow

router = APIRouter()

#: Its number grows with each change of the script: pages hold it by its hash.
SCRIPT: Final = "/v1/checkout-1.js"
_SCRIPT: Final = Path(__file__).with_name("checkout.js")
#: What secrets of tokens are derived for.
TOKENS: Final = "checkout tokens"
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_MINUTES_MAX: Final = 60
_LINES_MAX: Final = 500
_AMOUNT_MAX: Final = 1 << 53

Amount = Annotated[int, Field(ge=0, le=_AMOUNT_MAX, strict=True)]
Word = Annotated[str, Field(max_length=200)]


class TokenAsked(BaseModel, extra="forbid"):
    """Whose checkout it is, and what it may do."""

    subject: str = Field(pattern=r"^(card|account):.", max_length=200, examples=["card:web-17"])
    origin: str = Field(max_length=200, examples=["https://shop.example"])
    reward: Word = Field(default="", description="The reward that points are spent on.")
    points_max: Amount = Field(default=0, description="As many points may be set aside.")
    scopes: list[Literal["quote", "hold"]] = ["quote", "hold"]
    minutes: int = Field(default=15, ge=1, le=_MINUTES_MAX)


class Script(BaseModel):
    """Where the script is, and the hash that the browser checks it by."""

    src: str
    integrity: str


class TokenTold(BaseModel):
    """The token, until when it holds, and the id under which points are set aside."""

    token: str
    expires: str
    hold: str
    script: Script


class BasketLine(BaseModel, extra="forbid"):
    """A line of a basket, as in a purchase: amounts in the smallest coin."""

    id: Word
    product: Word = ""
    quantity: Amount = 1
    amount: Amount = 0
    category: Word = ""
    brand: Word = ""
    department: Word = ""
    discount: Amount = 0
    tax: Amount = 0


class Basket(BaseModel, extra="forbid"):
    """What is about to be bought."""

    lines: list[BasketLine] = Field(max_length=_LINES_MAX)


class CheckoutForecast(BaseModel):
    """The balances, what the basket would earn of each, and what came off it."""

    balances: dict[str, str]
    earns: dict[str, int]
    off: int


class HoldAsked(BaseModel, extra="forbid"):
    """How many points are to be set aside, and the price that they take something off."""

    points: Amount
    basket: Amount


class CheckoutHold(BaseModel):
    """What was set aside: the id that goes with the order, the points, and what they are worth."""

    hold: str
    points: int
    off: int


@router.post("/v1/checkout-tokens", summary="A token for one account at one checkout")
async def make_token(request: Request, said: TokenAsked) -> TokenTold:
    """Asked for by the shop's server; the browser has nothing else."""
    office, caller = _office(request), _caller(request)
    if said.origin not in office.setup.origins or not _ORIGIN.fullmatch(said.origin):
        raise Problem("other-origin")
    key = await _key(office, caller.key)
    if key is None:
        raise Problem("key-unknown", www_authenticate="Bearer")
    expires, id = office.desk.clock() + said.minutes * 60_000, secrets.token_urlsafe(16)
    token = Token(
        caller.key, id, said.subject, said.origin, said.reward, said.points_max,
        tuple(said.scopes), expires,
    )  # fmt: skip
    secret, *_ = await _secrets(office, key)
    return TokenTold(
        token=tokens.sign(token, secret), expires=show_instant(expires), hold=f"hold:{id}",
        script=Script(src=SCRIPT, integrity=integrity()),
    )  # fmt: skip


@router.post("/v1/checkout/quote", summary="The balance, and what a basket would earn")
async def checkout_quote(
    request: Request, said: Basket, authorization: Annotated[str, Header()] = ""
) -> CheckoutForecast:
    """Nothing is kept."""
    office = _office(request)
    token, caller = await _enter(request, authorization, "quote")
    lines = tuple(Line(**each.model_dump()) for each in said.lines)
    event = _event(caller, token, f"quote-{secrets.token_hex(8)}", Purchase(lines))
    (result,) = await office.read(Desk.quote, [event], program=caller.program)
    _refused(result)
    standing = await office.read(standing_of, caller, token.subject)
    earns: dict[str, int] = {}
    off = 0
    if result.entry is not None:
        told = answers.entry(result.entry)
        for each in told.postings:
            if each.source == "issued":
                earns[each.balance] = earns.get(each.balance, 0) + each.amount
        off = sum(each.off for each in told.effects)
    balances = {name: places["available"] for name, places in standing["balances"].items()}
    return CheckoutForecast(balances=balances, earns=earns, off=off)


@router.post("/v1/checkout/hold", summary="Set points aside for an order")
async def checkout_hold(
    request: Request, said: HoldAsked, authorization: Annotated[str, Header()] = ""
) -> CheckoutHold:
    """Once per token. They are taken when the order is paid, and come back when it is not."""
    office = _office(request)
    token, caller = await _enter(request, authorization, "hold")
    body = Redeem(token.reward, said.basket, said.points, hold=True)
    event = _event(caller, token, f"hold:{token.id}", body)
    (seen,) = await office.read(Desk.quote, [event], program=caller.program)
    if not seen.again and _held(seen) > token.points_max:
        raise Problem("over-limit")
    (result,) = await office.submit(caller, [event])
    _refused(result)
    assert result.entry is not None
    off = sum(each[2] for each in result.entry.decision.effects)
    return CheckoutHold(hold=event.id, points=_held(result), off=off)


@router.post("/v1/checkout/release", summary="Give back what was set aside")
async def checkout_release(
    request: Request, authorization: Annotated[str, Header()] = ""
) -> CheckoutHold:
    """Only what the same token has set aside."""
    office = _office(request)
    token, caller = await _enter(request, authorization, "hold")
    event = _event(caller, token, f"hold:{token.id}:release", Release(f"hold:{token.id}"))
    (result,) = await office.submit(caller, [event])
    _refused(result)
    return CheckoutHold(hold=f"hold:{token.id}", points=0, off=0)


async def script(_: Request) -> Response:
    """GET /v1/checkout-1.js: the script, which a page includes by its hash."""
    headers = {"access-control-allow-origin": "*"}
    return Response(_SCRIPT.read_bytes(), headers=headers, media_type="text/javascript")


@cache
def integrity() -> str:
    """The hash of the script, as a page writes it."""
    found = hashlib.sha384(_SCRIPT.read_bytes()).digest()
    return f"sha384-{base64.b64encode(found).decode()}"


async def _enter(request: Request, authorization: str, scope: str) -> tuple[Token, Caller]:
    """Whose checkout it is; ``Problem`` where the token, its time, origin or scope is not right."""
    office = _office(request)
    said = authorization.partition(" ")[2].strip()
    token = tokens.read(said)
    key = await _key(office, token.key) if token is not None else None
    signing = await _secrets(office, key) if key is not None else []
    if token is None or key is None or not any(tokens.signed(said, each) for each in signing):
        raise Problem("token-unknown", www_authenticate="Bearer")
    if token.expires <= office.desk.clock():
        raise Problem("token-expired", www_authenticate="Bearer")
    own = request.headers.get("origin", "") == token.origin
    if not own or token.origin not in office.setup.origins:
        raise Problem("other-origin")
    if scope not in token.scopes:
        raise Problem("not-allowed")
    return token, await office.caller_of(key)


async def _secrets(office: Office, key: KeyRow) -> list[bytes]:
    """What tokens of a key are signed with: the books alone do not tell it."""
    return (await office.seals()).signing(TOKENS, key.hash)


async def _key(office: Office, prefix: str) -> KeyRow | None:
    found = await office.read(lambda reader: reader.books.all_keys())
    return next((each for each in found if each.prefix == prefix and each.revoked is None), None)


def _event(caller: Caller, token: Token, id: str, body: Body) -> Event:
    return Event(caller.source, id, 0, token.subject, body, 0, True)


def _held(result: Result) -> int:
    """The points that a decision sets aside."""
    if result.entry is None:
        return 0
    return sum(amount for _, _, target, amount, _, _ in result.entry.decision.postings
               if target == HELD)  # fmt: skip


def _refused(result: Result) -> None:
    if result.refusal is not None:
        raise Problem("refused", f"{result.refusal.sentence} ({result.refusal.code})")
    if result.outcome == PARKED or result.entry is None:
        raise Problem("outcome-unknown", retry_after="1")


def _office(request: Request) -> Office:
    office: Office = request.scope["state"]["office"]
    return office


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["state"]["caller"]
    return caller
