"""Claims: a purchase without a member becomes a member's, with its receipt.

Whoever holds the receipt may claim it, within the time that the program gives, once: of two
who claim at the same time one gets it.
"""

from __future__ import annotations

from typing import Final

from kantis.core.events import Claim
from kantis.doors.api.deeds import Deed

DEEDS: Final = (Deed("claim", "/v1/claims", "Claim a purchase with its receipt", Claim),)
