"""The menu of the console: groups of pages, each entry for the roles that its page is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kantis.doors.web.roles import (
    AUDITING,
    HELPING,
    INSIDE,
    OWNER,
    PARTNER,
    RUNNING,
    SETTLING,
    STAFF,
    WRITING,
)

OVERVIEW: Final = "Overview"
MEMBERS: Final = "Members"
PROGRAM: Final = "Program"
MONEY: Final = "Money"
STATEMENTS: Final = "Statements"
SETTING: Final = "Settings"


@dataclass(frozen=True)
class Entry:
    """A page in the menu. ``path`` goes behind the console's address of a program unless it
    begins with a double slash, and then it stands alone; ``title`` is a text of the catalogs."""

    group: str
    path: str
    title: str
    roles: frozenset[str]

    def address(self, program: str) -> str:
        """Where it leads, for a program.

        >>> Entry(MEMBERS, "/members", "Members", INSIDE).address("cafe")
        '/c/cafe/members'
        >>> Entry(SETTING, "//people", "People", OWNER).address("cafe")
        '/people'
        """
        return self.path[1:] if self.path.startswith("//") else f"/c/{program}{self.path}"


MENU: Final = (
    Entry(OVERVIEW, "", "Overview", INSIDE),
    Entry(OVERVIEW, "/measures", "Measures", INSIDE),
    Entry(MEMBERS, "/members", "Members", INSIDE),
    Entry(MEMBERS, "/flags", "Marked for a look", INSIDE),
    Entry(MEMBERS, "/adjustments", "Adjustments", INSIDE),
    Entry(MEMBERS, "/answers", "Answers", INSIDE),
    Entry(MEMBERS, "/segments", "Segments", INSIDE),
    Entry(MEMBERS, "/cards", "Cards", RUNNING),
    Entry(PROGRAM, "/program", "Program file", WRITING),
    Entry(PROGRAM, "/drafts", "Drafts", INSIDE),
    Entry(PROGRAM, "/versions", "Versions", INSIDE),
    Entry(PROGRAM, "//p/{program}", "Terms", INSIDE),
    Entry(PROGRAM, "/design", "Design of the card", WRITING),
    Entry(PROGRAM, "/rewards", "Rewards and costs", INSIDE),
    Entry(MONEY, "/budgets", "Budgets", INSIDE),
    Entry(MONEY, "/partners", "Partners", SETTLING),
    Entry(STATEMENTS, "/partners", "Statements", PARTNER),
    Entry(SETTING, "/tills", "Tills", RUNNING),
    Entry(SETTING, "/survey", "Questions", WRITING),
    Entry(SETTING, "/imports", "Imports", RUNNING),
    Entry(SETTING, "/keys", "Keys", RUNNING),
    Entry(SETTING, "/safety", "Safety", INSIDE),
    Entry(SETTING, "/audit", "Audit log", AUDITING),
    Entry(SETTING, "/mails", "Mailbox", OWNER),
    Entry(SETTING, "//people", "People", OWNER),
    Entry(SETTING, "//account", "My account", STAFF),
)
#: What somebody does, and the place of a page where it is done; the line that finds has them.
ACTIONS: Final = (
    Entry(MEMBERS, "/adjustments#give", "Give or take by hand", HELPING),
    Entry(MEMBERS, "/segments#write", "Write a segment", WRITING),
    Entry(MEMBERS, "/cards#batch", "New batch", RUNNING),
    Entry(MEMBERS, "//p/{program}/join", "Join as a member", HELPING),
    Entry(PROGRAM, "//programs/new", "A new program", WRITING),
    Entry(MONEY, "/budgets#set", "Set a budget that alarms", WRITING),
    Entry(SETTING, "/tills#pair", "Pair a till", RUNNING),
    Entry(SETTING, "/imports#bring", "Bring a file", RUNNING),
    Entry(SETTING, "/keys#make", "Make a key", RUNNING),
    Entry(SETTING, "/safety#spending", "Freeze spending", OWNER),
    Entry(SETTING, "//people#invite", "Invite somebody", OWNER),
)
#: Pages that belong to no program.
BESIDE: Final = (
    Entry(OVERVIEW, "//c", "Overview", INSIDE | PARTNER),
    Entry(SETTING, "//people", "People", OWNER),
    Entry(SETTING, "//account", "My account", STAFF),
)


@dataclass(frozen=True)
class Shown:
    """An entry or a group as the menu shows it: its title, where it leads, whether one is there."""

    title: str
    address: str
    here: bool


def menu(program: str, role: str, path: str) -> tuple[list[Shown], list[Shown]]:
    """The groups for a role, and the entries of the group that ``path`` belongs to; a group of
    one entry is shown as that entry.

    >>> groups, entries = menu("cafe", "support", "/c/cafe/measures")
    >>> [each.title for each in groups], [each.title for each in entries if each.here]
    (['Overview', 'Members', 'Program', 'Budgets', 'Settings'], ['Measures'])
    """
    own = [entry for entry in MENU if role in entry.roles]
    current = _current(own, program, path)
    groups = list(dict.fromkeys(entry.group for entry in own))
    parts = {group: [entry for entry in own if entry.group == group] for group in groups}
    top = [
        Shown(
            group if len(parts[group]) > 1 else parts[group][0].title,
            _address(parts[group][0], program),
            current is not None and current.group == group,
        )
        for group in groups
    ]
    below = [
        Shown(entry.title, _address(entry, program), entry is current)
        for entry in own
        if current is not None and entry.group == current.group
    ]
    return top, below if len(below) > 1 else []


@dataclass(frozen=True)
class Destination:
    """An entry wherever it is shown alone: its title, its group, and where it leads."""

    title: str
    group: str
    address: str


def entries(program: str, role: str, table: tuple[Entry, ...] = MENU) -> list[Destination]:
    """All entries for a role, in the order of the menu.

    >>> [each.address for each in entries("cafe", "auditor")][:2]
    ['/c/cafe', '/c/cafe/measures']
    >>> [each.address for each in entries("cafe", "support", ACTIONS)]
    ['/c/cafe/adjustments#give', '/p/cafe/join']
    """
    return [
        Destination(each.title, each.group, _address(each, program))
        for each in table
        if role in each.roles
    ]


def beside(role: str, path: str) -> list[Shown]:
    """The pages beside all programs, for a role.

    >>> [each.title for each in beside("cashier", "/account/app") if each.here]
    ['My account']
    """
    own = [entry for entry in BESIDE if role in entry.roles]
    current = _current(own, "", path)
    return [Shown(entry.title, _address(entry, ""), entry is current) for entry in own]


def _address(entry: Entry, program: str) -> str:
    return entry.address(program).replace("{program}", program)


def _current(own: list[Entry], program: str, path: str) -> Entry | None:
    """The entry that is nearest above an address."""
    over = [
        entry
        for entry in own
        if path == (at := _address(entry, program)) or (entry.path and path.startswith(at + "/"))
    ]
    return max(over, key=lambda entry: len(_address(entry, program)), default=None)


def texts() -> list[str]:
    """Every title that the menu shows."""
    every = (*MENU, *BESIDE, *ACTIONS)
    return list(dict.fromkeys(text for each in every for text in (each.group, each.title)))
