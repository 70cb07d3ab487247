"""Redemptions: what was set aside for a reward, and what became of it, from the books."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core.decision import Decision, Refusal
from kantis.core.events import Redeem
from kantis.desk.programs import Home
from kantis.desk.recorded import entry_of, event_of
from kantis.desk.showing import now_of
from kantis.store import people
from kantis.store.books import Books
from kantis.store.schema import DECIDED

HELD: Final = "held"
CAPTURED: Final = "captured"
RELEASED: Final = "released"
CANCELLED: Final = "cancelled"
REFUSED: Final = "refused"
WAITING: Final = "waiting"
STATES: Final = (HELD, CAPTURED, RELEASED, CANCELLED, REFUSED, WAITING)


class Redemption(Struct):
    """A redemption as it stands. ``points`` and ``worth`` count the smallest part of their unit;
    ``until`` is the instant at which a hold ends by itself (0: it was none)."""

    state: str
    account: int = 0
    reward: str = ""
    balance: str = ""
    points: int = 0
    worth: int = 0
    until: int = 0
    vouchers: list[str] = []
    refusal: Refusal | None = None


def set_aside(did: Decision) -> Redemption:
    """What a decision has set aside, or spent at once."""
    found = Redemption(CAPTURED, vouchers=vouchers_of(did))
    for change in did.changes:
        if change[0] == "hold":
            _, _, reward, balance, lots, worth, until, _ = change
            points = sum(amount for _, amount in lots)
            return Redemption(HELD, 0, reward, balance, points, worth, until)
    for reward, balance, _, points, _, worth in did.fired:
        found.reward, found.balance, found.points, found.worth = reward, balance, points, worth
    return found


def vouchers_of(did: Decision) -> list[str]:
    """The codes of the vouchers that a decision has issued."""
    return [change[1] for change in did.changes if change[0] == "voucher"]


def redemption(books: Books, home: Home, key: str, now: int) -> Redemption | None:
    """The redemption that an event of this key has made; ``None`` where there is none."""
    row = next(iter(books.events([key])), None)
    if row is None or row.program != home.number or row.type != "redeem":
        return None
    body = event_of(row).body if row.body else None
    reward = body.reward if isinstance(body, Redeem) else ""
    if row.state != DECIDED or row.account is None or row.seq is None:
        return Redemption(WAITING, row.account or 0, reward)
    (recorded,) = books.entries([(row.account, row.seq)])
    did = entry_of(*recorded).decision
    if did.refusal is not None:
        return Redemption(REFUSED, row.account, reward, refusal=did.refusal)
    found = set_aside(did)
    found.account = row.account
    places = people.became(books, row.account)
    done = [entry_of(*each) for each in books.undoing([(each, key) for each in places])]
    for each in done:
        found.vouchers += vouchers_of(each.decision)
    kinds = {event.type for event in books.events(each.event for each in done)}
    if "cancel" in kinds:
        found.state = CANCELLED
    elif "capture" in kinds:
        found.state = CAPTURED
    elif found.state == HELD and (
        "release" in kinds or not _still(books, home, places[-1], key, now)
    ):
        found.state = RELEASED
    return found


def _still(books: Books, home: Home, account: int, key: str, now: int) -> bool:
    """Whether the account, or what it became a part of, still has the hold."""
    row = books.account(account)
    assert row is not None
    return key in now_of(home, row, now).holds
