"""Resources: which modules have look-ups and deeds; the application and the contract take both."""

from __future__ import annotations

from typing import Final

from kantis.doors.api import (
    accounts,
    adjustments,
    benefits,
    cards,
    checkout,
    claims,
    drafts,
    exports,
    households,
    imports,
    members,
    merges,
    owners,
    programs,
    proofs,
    redemptions,
    referrals,
    settling,
    shops,
    statements,
    surveys,
    transfers,
    webhooks,
)
from kantis.doors.api.deeds import Deed

#: Each has a ``router`` with its look-ups.
RESOURCES: Final = (
    accounts, statements, benefits, referrals, redemptions, members, cards, merges, programs,
    drafts, adjustments, surveys, settling, exports, imports, owners, shops, checkout, webhooks,
    proofs,
)  # fmt: skip
#: All calls that make one event.
DEEDS: Final[tuple[Deed, ...]] = (
    *benefits.DEEDS,
    *redemptions.DEEDS,
    *claims.DEEDS,
    *transfers.DEEDS,
    *households.DEEDS,
    *referrals.DEEDS,
)
