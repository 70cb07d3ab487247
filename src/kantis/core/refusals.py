"""Refusals: what to do next after each "no" of a rule.

Guarantee: every code that a feature or the engine refuses with stands here once, with a
sentence for whoever stands at the till. The reason, with its numbers, is said by the rule
itself; what to do next is the same for all of a code, and is added to it.

A refusal by a rule is final under the id of its event: whatever is tried next is another
event.

>>> told("sold-out", "The reward 'mug' is sold out.")
"The reward 'mug' is sold out. Choose another reward."
"""

from __future__ import annotations

from typing import Final

#: What to do next, by the code of the refusal.
NEXT: Final = {
    "all-or-nothing": "Pay the whole basket with points, or none of it.",
    "arrived-already": "What is to be taken back is an adjustment with its reason.",
    "basket-too-small": "Use it with a larger basket.",
    "below-minimum": "Redeem when there are enough.",
    "budget-used-up": "Load another offer.",
    "cancelled-already": "There is nothing left to undo.",
    "choice-not-for-you": "It can be chosen by those whom it is for.",
    "chosen-already": "Choose again in the next window.",
    "claim-too-late": "Show the card before paying next time.",
    "comes-by-itself": "Wait for its day or its level; it costs no points.",
    "given-already": "What is to be taken back is an adjustment with its reason.",
    "group-forfeited": "Reinstate it while that can be.",
    "had-already": "Choose another one, or come back when it can be had again.",
    "household-full": "Let somebody leave first, or found another household.",
    "in-a-household": "Ask on the account of the household.",
    "invitation-filtered": "It counts for nothing; both may still be members.",
    "last-member": "What is there is theirs already.",
    "may-not-burn": "Let the lead spend them.",
    "member-already": "Name another member, or let them leave first.",
    "member-missing": "Name a member; the number of a card will do.",
    "merge-household": "Let its members leave first, or merge an account of one member.",
    "merged-account": "Ask on the account that it is a part of.",
    "merged-already": "There is nothing to do.",
    "negative-amount": "Correct the amount, and send it as a new event.",
    "no-household": "Let its lead join first.",
    "no-households": "Name an account of a program that has households.",
    "no-next-term": "Choose another plan.",
    "no-such-plan": "Check which plans the member has.",
    "no-code": "Use it as it is, or name the partner.",
    "no-exchange": "Check the partner and its dates.",
    "no-hold": "Ask for it once it is meant.",
    "not-a-lot": "Name a multiple of that.",
    "not-a-purchase": "Name a purchase; what spent points is undone by a cancel.",
    "not-a-redemption": "Name the event that spent the points.",
    "not-a-rung": "Name the points of one of its rungs.",
    "not-a-step": "Name a multiple of that.",
    "not-enough": "Name fewer points, or wait until there are enough.",
    "not-new": "Send the invitation on the day on which the friend joins.",
    "nothing-forfeited": "Check its name; it may have come back before.",
    "not-on-its-way": "Check the amount; it may have arrived before.",
    "nothing-to-cancel": "There is nothing to undo.",
    "nothing-to-forfeit": "Check its name; it may have been confirmed, or void, before.",
    "nothing-to-permit": "Any member may spend, or the lead alone.",
    "nothing-to-undo": "There is nothing to take back.",
    "nowhere-to-go": "Say to which account they go.",
    "offer-not-for-you": "Load another offer.",
    "offer-over": "Load another offer.",
    "offer-used-up": "Load another offer.",
    "only-the-lead": "Let the lead say it.",
    "own-merge": "Name the other account.",
    "own-referral": "Name the account of another member.",
    "paid-already": "There is nothing to pay.",
    "plan-unpaid": "Pay what is due, then change over.",
    "reason-missing": "Give both, in a new event.",
    "referred-already": "The first invitation counts.",
    "refund-too-large": "Send a refund of no more than that.",
    "refund-too-late": "What is still to be given or taken is an adjustment with its reason.",
    "refunded-already": "Check which purchase it belongs to.",
    "refused-original": "There is nothing to take back.",
    "sold-out": "Choose another reward.",
    "subscribed-already": "There is nothing to do.",
    "too-much": "Name fewer points.",
    "too-young": "Join on the birthday, or correct the date of birth.",
    "trial-used": "Subscribe without a trial.",
    "unknown-balance": "Name a balance of the program.",
    "unknown-choice": "Name a choice of the program.",
    "unknown-entitlement": "Check its name and its dates.",
    "unknown-group": "Check its name; it may have been confirmed, or void, before.",
    "unknown-hold": "Redeem anew.",
    "unknown-level": "Name a level of the program.",
    "unknown-line": "Name a line of the purchase by its id.",
    "unknown-member": "Let them join first.",
    "unknown-offer": "Check its name and its dates.",
    "unknown-option": "Name one of those.",
    "unknown-original": "Check its id, or send it first.",
    "unknown-period": "Name one of those.",
    "unknown-plan": "Check its name and its dates.",
    "unknown-receipt": "Check its number; somebody may have claimed it before.",
    "unknown-referral": "Check its name and its dates.",
    "unknown-reward": "Check its name and its dates.",
    "unknown-voucher": "Check its code.",
    "voucher-elsewhere": "Use it there, and name the partner.",
    "voucher-gone": "Use another voucher; what it cost is given back by hand.",
}

#: What a reward or an entitlement asks for and does not get has the code ``reward-`` or
#: ``not-entitled-`` and the reason.
OTHERWISE: Final = {
    "not-entitled-": "Give it when that is so.",
    "reward-": "Choose another reward, or come back when that is so.",
}


def told(code: str, reason: str) -> str:
    """The sentence of a refusal: the reason, and what to do next."""
    following = NEXT.get(code) or next(
        (text for start, text in OTHERWISE.items() if code.startswith(start)), ""
    )
    return f"{reason} {following}".rstrip()
