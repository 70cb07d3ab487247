"""offers: rules that a member has to load before they count.

Guarantee: an offer counts only for purchases after it was loaded, as many times as it was
loaded and never more often than it allows; what it gave is taken back with its purchase.
"""

from __future__ import annotations

from typing import Annotated

from kantis.core.conditions import check_who, unmet
from kantis.core.events import Load
from kantis.core.knobs import Knob
from kantis.core.limits import OFTEN, Often
from kantis.core.phrases import COINS, Quantity, how_often
from kantis.core.rule import OFF, Off, Rule
from kantis.core.turn import Refused, Turn


class OfferSection(Rule, frozen=True, kw_only=True):
    """An offer: a rule or a price, and how often a member may use it."""

    off: Annotated[Off | None, Knob(OFF, "what it takes off the price of a line")] = None
    uses: Annotated[Often, Knob(OFTEN, "how often one member may use it; 0 is no limit")] = Often()
    worth: Annotated[
        Quantity | None, Knob(COINS, "what a member would pay for one use in money")
    ] = None
    costs_us: Annotated[
        Quantity | None, Knob(COINS, "what one use costs the merchant; members are not told")
    ] = None


def load(offers: dict[str, OfferSection], turn: Turn, body: Load, *, short: bool = False) -> None:
    """The member loads an offer; loading it twice is loading it once.

    ``short``: so little is left of its budget that nobody can use it.
    """
    offer = offers.get(body.offer)
    if offer is None:
        raise Refused("unknown-offer", f"There is no offer {body.offer!r} now.")
    loaded, uses = turn.account.offers.get(body.offer, (-1, 0))
    if loaded >= 0:
        return
    check(offer, turn, body)
    if short:
        raise Refused("budget-used-up", f"The budget of the offer {body.offer!r} is used up.")
    turn.change("offer", body.offer, turn.moment, uses)


def used(offer: OfferSection, turn: Turn) -> int:
    """How often the member has used an offer, in its window."""
    if offer.uses.window.kind != "ever":
        return offer.uses.had(turn, f"offer {offer.name}")
    return turn.account.offers.get(offer.name, (-1, 0))[1]


def check(offer: OfferSection, turn: Turn, body: Load) -> None:
    """``Refused`` where the member cannot load an offer now."""
    had = used(offer, turn)
    if offer.uses.times and had >= offer.uses.times:
        raise Refused(
            "offer-used-up", f"The offer {body.offer!r} was used {how_often(had)} already."
        )
    if offer.who is not None:
        why = check_who(offer.who, turn)
        if why:
            sentence = f"The offer {body.offer!r} is not for everybody: {unmet(why, offer.who)}."
            raise Refused("offer-not-for-you", sentence)
    last = offer.when.spans[-1].last if offer.when is not None and offer.when.spans else 0
    if last and turn.day > last:
        raise Refused("offer-over", f"The offer {body.offer!r} has ended.")
