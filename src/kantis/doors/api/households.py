"""Households: members share an account, join it, leave it, and may spend or not.

Who is a member, with which role, is shown by the account itself.
"""

from __future__ import annotations

from typing import Final

from kantis.core.events import Join, Leave, Permit
from kantis.doors.api.deeds import Deed

_MEMBERS: Final = "/v1/households/{ref}/members"
DEEDS: Final = (
    Deed(
        "found_household", "/v1/households", "An account becomes a household, with its lead",
        Join, fixed={"into": ""},
    ),
    Deed(
        "add_member", _MEMBERS, "Somebody without an account becomes a member of a household",
        Join, fixed={"into": ""},
    ),
    Deed(
        "join", "/v1/accounts/{ref}/join", "The member of an account joins a household",
        Join, reaches="into",
    ),
    Deed(
        "leave", f"{_MEMBERS}/{{member}}/leave", "A member leaves, with what is theirs",
        Leave, at={"member": "member"}, reaches="to",
    ),
    Deed(
        "permit", f"{_MEMBERS}/{{member}}/permit", "The lead says whether a member may spend",
        Permit, at={"member": "member"},
    ),
)  # fmt: skip
