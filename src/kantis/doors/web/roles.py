"""Roles: which of those who work here a page is for."""

from __future__ import annotations

from typing import Final

from kantis.desk.staff import ROLES

OWNER: Final = frozenset({"owner"})
#: Whoever pairs tills and makes keys.
RUNNING: Final = frozenset({"owner", "manager"})
#: Whoever looks after who did what.
AUDITING: Final = frozenset({"owner", "auditor"})
#: Whoever may look at a program and its members.
INSIDE: Final = frozenset({"owner", "manager", "support", "auditor"})
#: Whoever may do something for a member.
HELPING: Final = frozenset({"owner", "manager", "support"})
#: Whoever writes and publishes programs.
WRITING: Final = frozenset({"owner", "manager"})
#: Whoever sees the money between the program and others.
SETTLING: Final = frozenset({"owner", "manager", "auditor"})
#: One partner, who sees what concerns it and nothing else.
PARTNER: Final = frozenset({"partner"})
#: Whoever works here.
STAFF: Final = frozenset(ROLES)
