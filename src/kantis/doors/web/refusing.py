"""Refusing: the sentence of a "no", as it was recorded, in the language of whoever reads it.

A refusal stands in the books in English: the reason, with its numbers and names, and what to
do next (``core/refusals.py``). Each shape of a reason has a line here, as the phrases of a
program have theirs in the phrasebook; a test holds the rules to it.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from kantis.core.conditions import UNMET
from kantis.core.refusals import NEXT, OTHERWISE

#: The shapes of reasons. Places: name what stands in quotation marks, n a number, q so much of
#: a unit, often how often, day a date, why what a condition says, no another refusal, x words
#: of the program.
REASONS: Final = (
    "Line {name} is negative; send what came back as a refund.",
    "There is no choice {name}.",
    "{name} is not for everybody: {why}.",
    "{name} was chosen {often} in this window.",
    "{name} cannot be chosen; it goes in steps of {n}.",
    "{name} cannot be chosen; there are {x}.",
    "There is no entitlement {name} now.",
    "The member is not entitled to {name} now: {why}.",
    "{name} was had as often as it may be for now.",
    "No points wait for {name} that a rule of 'forfeiture' is for.",
    "Nothing of {name} is forfeited, or its time is over.",
    "{name} may not spend the household's points.",
    "{name} is no member of this household.",
    "{name} is not the lead of this household.",
    "This program does not ask the lead who may spend.",
    "Members of this program do not share accounts.",
    "Nobody is named who joins.",
    "{name} is a member of this household already.",
    "The household is full: it has {n} members.",
    "{name} is the only one here.",
    "{name} came from no other account.",
    "There is no offer {name} now.",
    "The offer {name} was used {often} already.",
    "The offer {name} has ended.",
    "The offer {name} is not for everybody: {why}.",
    "The budget of the offer {name} is used up.",
    "Nothing is exchanged with {name} that way now.",
    "It goes in lots of {q}.",
    "At least {n} are exchanged at once.",
    "{n} were to be exchanged, there are {n2}.",
    "{n} were paid of {name}, on its way are {n2}.",
    "There is no plan {name} now.",
    "{name} can be had per {x}.",
    "The member has {name} already.",
    "There is one trial for each member; it can be had paid for.",
    "The fee of {name} is due first.",
    "The member does not have the plan {name}.",
    "{name} ends by itself already.",
    "The member has no plan {name} to pay for.",
    "The next term of {name} is paid already.",
    "{name} is not offered for another term.",
    "No fee was charged for a running {name}.",
    "There is no referral {name} now.",
    "This member came by an invitation before.",
    "Nobody can invite themselves.",
    "Who is a member already is no new friend.",
    "This invitation does not count: {x}.",
    "This friend was paid for before ({x}).",
    "Nothing was given for {x}.",
    "It takes {n}, there are {n2}.",
    "No rung fits: it takes {n}, there are {n2}.",
    "{n} is no rung of {name}.",
    "That is more than this purchase can take in points.",
    "{n} were asked for, there are {n2}.",
    "Points pay all or nothing: it takes {n}.",
    "Points go in steps of {n}.",
    "It takes at least {n} at once, not {n2}.",
    "This reward does not fit here: {why}.",
    "There is no reward {name} now.",
    "The reward {name} cannot be asked for.",
    "The reward {name} is sold out.",
    "This member had it {often}, which is the limit.",
    "This member has no voucher {name}.",
    "The voucher {name} is used already.",
    "The voucher {name} is expired already.",
    "The voucher {name} is reversed already.",
    "The voucher {name} is gone already.",
    "The voucher is good at {x} only.",
    "The basket is too small for this voucher.",
    "This voucher makes no code here.",
    "The program has no balance {name}.",
    "A lot that is brought holds more than nothing.",
    "There is no level {name} in {name2}.",
    "There is no plan {name}.",
    "A transfer moves more than nothing.",
    "{n} were to be moved, there are {n2}.",
    "An adjustment has an amount and says why.",
    "{n} were to be taken, there are {n2}.",
    "What waited for {name} is forfeited.",
    "Nothing waits for {name}.",
    "{name} is not the number of another account.",
    "It was merged into {x}.",
    "A household is not merged; its members leave it.",
    "An activity has no negative quantity.",
    "Members are {n} years old at least, this one is {n2}.",
    "No purchase with the receipt {name} waits for a member.",
    "The time in which this purchase could be claimed is over.",
    "What is paid out is not held.",
    "{n} were to be paid out, there are fewer.",
    "There is no reward {name} that is money off.",
    "Points that pay are more than none.",
    "All of {name} came back before.",
    "There is no line {name} in {name2}.",
    "Of line {name} {n} can come back, not {n2}.",
    "No event {name} of {name2} is known here.",
    "{name} was refused itself: {no}",
    "{name} is neither a purchase nor an activity: there is nothing to refund.",
    "A refund could come until {day}.",
    "Nothing is held for {name}; it may have run out.",
    "{name} is no redemption and no activity; a purchase is refunded.",
    "{name} was undone before.",
    "{name} has spent nothing.",
    "The voucher {name} is used or over.",
    "A part of it was given to a charity, or to the share.",
    "The money has arrived at the member.",
    "Its member shares an account already.",
    "This member shares an account, as {name}.",
    "This account was merged into {x}.",
    "Nobody has founded a household here.",
)
#: What is not meant for everybody.
MEANT: Final = "it is for members with {who}"
ONCE: Final = "once"
#: What to do next, without what two codes share.
AFTER: Final = tuple(sorted({*NEXT.values(), *OTHERWISE.values()}, key=len, reverse=True))
UNMETS: Final = tuple(UNMET.values())

_PLACES: Final = {
    "name": r"'[^']*'|\"[^\"]*\"",
    "n": r"-?\d+",
    "q": r"\d+ .+",
    "often": r"once|\d+ times",
    "day": r"\d{4}-\d\d-\d\d",
}
_PLACE: Final = re.compile(r"\{([a-z]+)(\d?)\}")


@cache
def _shapes() -> list[tuple[re.Pattern[str], str]]:
    found = []
    for shape in REASONS:
        pattern, at = "", 0
        for place in _PLACE.finditer(shape):
            inside = _PLACES.get(place[1], ".+")
            pattern += f"{re.escape(shape[at : place.start()])}(?P<{place[1]}{place[2]}>{inside})"
            at = place.end()
        found.append((re.compile(pattern + re.escape(shape[at:])), shape))
    return found


def parted(sentence: str) -> tuple[str, str]:
    """The reason of a refusal, and what to do next.

    >>> parted("The reward 'mug' is sold out. Choose another reward.")
    ("The reward 'mug' is sold out.", 'Choose another reward.')
    """
    for after in AFTER:
        if sentence.endswith(f" {after}"):
            return sentence.removesuffix(f" {after}"), after
    return sentence, ""


def read(reason: str) -> tuple[str, dict[str, str]] | None:
    """The shape of a reason, with what fills its places; nothing for one of no known shape.

    >>> read("It takes 300, there are 20.")
    ('It takes {n}, there are {n2}.', {'n': '300', 'n2': '20'})
    """
    for pattern, shape in _shapes():
        match = pattern.fullmatch(reason)
        if match:
            return shape, match.groupdict()
    return None
