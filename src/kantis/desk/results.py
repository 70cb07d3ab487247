"""Results: the answer to each event, and the desk's own refusals.

A refusal by a rule of the program is final under its key and stands in the books. A
refusal of the desk is not recorded: the same key can be used again once its cause is gone.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kantis.core.decision import Entry, Refusal

DECIDED: Final = "decided"
REFUSED: Final = "refused"
PARKED: Final = "parked"
ALONE: Final = "alone"
BAD: Final = "bad"
UNKNOWN: Final = "unknown"


class Result(Struct, frozen=True, array_like=True):
    """What became of an event.

    ``outcome`` is ``decided`` or ``refused`` (final), ``alone`` (a purchase without a
    member), ``parked`` (kept until its card or its original is known), ``bad`` (set aside
    for a person), or ``unknown`` (send it again with the same key to learn more).
    ``again`` says that the event had come before, and that this is its first answer.
    """

    key: str
    outcome: str
    account: int = 0
    entry: Entry | None = None
    refusal: Refusal | None = None
    again: bool = False


#: The key that an event came with does nothing any more; a door says what to do.
NO_KEY: Final = "key-unknown"

REFUSALS: Final = {
    "id-reused": "Another event was sent with this id before. Send each event with an id of its "
    "own, and a repeated one unchanged.",
    "malformed-key": "An event has a source and an id, and a source has no slash and is not "
    "'desk'. Nothing was recorded; correct it and send it again.",
    "malformed-subject": "A subject is 'card:' or 'account:' and a number, or nothing for a "
    "purchase without a member. Nothing was recorded; correct it and send it again.",
    "malformed-body": "This event cannot be written down. Look for text that is no text, or a "
    "number that is too great. Nothing was recorded; correct it and send it again.",
    "malformed-time": "A time is counted in milliseconds since 1970. Nothing was recorded; correct "
    "it and send it again.",
    "member-missing": "This event belongs to a member. Name the card or the account.",
    "card-blocked": "This card is blocked. Give the member another one, or let staff look.",
    "card-replaced": "This card was reported lost and another one took its place. Use that one; "
    "keep this one back.",
    "card-erased": "The member who had this card has left. Enrol them anew with another card.",
    "spending-frozen": "Nothing is spent in this program for now, so that nobody spends what is "
    "not theirs; collecting goes on, and nothing is lost. Try again once the merchant ends it.",
    "account-locked": "The spending of this account is locked: somebody has said that another one "
    "is at it. Its member ends it by the letter that they have, or staff do in the console.",
    "address-changed": "The address of this member has just changed, so for three days points are "
    "spent at the counter only. Wait until then, or let staff end it in the console.",
    "unknown-card": "This card is not known here. Check the number, or enrol the member first.",
    "unknown-account": "There is no such account in this program. Check the number.",
    "unknown-original": "The event that this one refers to is not known. Check its id, or send "
    "it first.",
    "time-out-of-range": "The time is too long ago for the program, or in the future. Correct the "
    "clock of the till and send it again.",
    "unknown-program": "There is no program of that name here. Publish it first.",
}


def keyless(key: str) -> Result:
    """The answer to an event whose key was revoked; it is not recorded."""
    return Result(key, REFUSED, refusal=Refusal(NO_KEY, "The key of the caller was revoked."))


def refuse(key: str, code: str) -> Result:
    """A refusal of the desk, which leaves the key unused."""
    return Result(key, REFUSED, refusal=Refusal(code, REFUSALS[code]))
