"""Places: the chart, where value can be.

Every posting moves an amount of one balance from one place to another. The first
places belong to an account and stand in its purse; the others are the sides of the
system, whose balance is a sum over postings and never a row that everybody locks.

>>> [place.name for place in CHART if place.member]
['available', 'pending', 'held', 'owed', 'voucher', 'payout']
>>> CHART[OWED].floor is None, CHART[AVAILABLE].floor
(True, 0)
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Place(Struct, frozen=True):
    """A row of the chart: who has it, how far it may go, and what it means to be there."""

    number: int
    name: str
    member: bool
    floor: int | None
    meaning: str


AVAILABLE: Final = 0
PENDING: Final = 1
HELD: Final = 2
OWED: Final = 3
VOUCHER: Final = 4
PAYOUT: Final = 5
MEMBER_PLACES: Final = 6
ISSUED: Final = 6
REDEEMED: Final = 7
EXPIRED: Final = 8
REVERSED: Final = 9
FORFEITED: Final = 10
TRANSIT: Final = 11
ADJUSTED: Final = 12
CARRIED: Final = 13
SHARE_CAPITAL: Final = 14
CHARITY: Final = 15
PARTNER_RECEIVABLE: Final = 16
PARTNER_PAYABLE: Final = 17
STOCK: Final = 18
BUDGET: Final = 19

CHART: Final = (
    Place(AVAILABLE, "available", True, 0, "the member can spend it now"),
    Place(PENDING, "pending", True, 0, "earned, not yet available"),
    Place(HELD, "held", True, 0, "set aside for a redemption that is not finished"),
    Place(OWED, "owed", True, None, "what the member owes, as a number at or below zero"),
    Place(VOUCHER, "voucher", True, 0, "turned into vouchers that are not used yet"),
    Place(PAYOUT, "payout", True, 0, "on its way to the member as money"),
    Place(ISSUED, "issued", False, None, "where earned value comes from"),
    Place(REDEEMED, "redeemed", False, None, "spent by members"),
    Place(EXPIRED, "expired", False, None, "lost to time"),
    Place(REVERSED, "reversed", False, None, "taken back because its cause was undone"),
    Place(FORFEITED, "forfeited", False, None, "lost to a rule, can be reinstated until a date"),
    Place(TRANSIT, "in transit", False, None, "left one account, not yet taken by the other"),
    Place(ADJUSTED, "adjusted", False, None, "given or taken by hand, with a reason"),
    Place(CARRIED, "carried", False, None, "brought from another product"),
    Place(SHARE_CAPITAL, "share capital", False, None, "paid into the member's share"),
    Place(CHARITY, "charity payable", False, None, "owed to a charity"),
    Place(PARTNER_RECEIVABLE, "partner receivable", False, None, "to be paid by a partner"),
    Place(PARTNER_PAYABLE, "partner payable", False, None, "to be paid to a partner"),
    Place(STOCK, "stock", False, None, "units of a limited reward"),
    Place(BUDGET, "budget", False, None, "money set aside for an offer"),
)
