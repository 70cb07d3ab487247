"""Transfers: points go from one account to another.

They leave at once, stand in transit until the other account takes them, and keep their days
of earning and their ends.
"""

from __future__ import annotations

from typing import Final

from kantis.core.events import Transfer
from kantis.doors.api.deeds import Deed

DEEDS: Final = (
    Deed(
        "transfer", "/v1/transfers", "Send points to another account", Transfer, reaches="to"
    ),
)  # fmt: skip
