"""Resources: which modules have look-ups and deeds; the application and the contract take both."""

from __future__ import annotations

from typing import Final

from kantis.doors.api import accounts, benefits, redemptions, statements, webhooks
from kantis.doors.api.deeds import Deed

#: Each has a ``router`` with its look-ups.
RESOURCES: Final = (accounts, statements, benefits, redemptions, webhooks)
#: All calls that make one event.
DEEDS: Final[tuple[Deed, ...]] = (*benefits.DEEDS, *redemptions.DEEDS)
