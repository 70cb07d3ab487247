"""Records: what stands in an account beside its amounts.

>>> lot = Lot(1, "points", 738976, available=20, issued=30, spent=10)
>>> lot.open
20
"""

from __future__ import annotations

from msgspec import Struct, field


class Lot(Struct, array_like=True, gc=False):
    """Points of one earning bucket that live and die together.

    ``bucket`` is the day of earning (or the first day of its month), ``expires`` the day
    from whose 00:00 they are gone (0: not fixed). Pending ones wait for their group, or for
    an instant that stands in the account's ``waiting``.
    ``issued = spent + expired + reversed + moved + available + pending + held`` always.
    """

    id: int
    balance: str
    bucket: int
    expires: int = 0
    group: str = ""
    member: str = ""
    funder: str = ""
    available: int = 0
    pending: int = 0
    held: int = 0
    issued: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    moved: int = 0

    @property
    def open(self) -> int:
        """What is still there, in any place of the member."""
        return self.available + self.pending + self.held


class Standing(Struct, array_like=True):
    """Where an account stands in a tier group.

    ``level`` counts from 0, the entry level. ``until`` is the first day on which it no
    longer holds (0: no end). ``history`` is (instant, level), oldest first.
    """

    level: int = 0
    since: int = 0
    until: int = 0
    history: list[tuple[int, int]] = field(default_factory=list)


class Voucher(Struct, array_like=True, gc=False):
    """An instrument with its own worth and end.

    ``points`` of ``balance`` stand behind it in the place *voucher*; ``worth`` is minor
    units of money. ``state`` is open, used, expired or reversed.
    """

    kind: str
    worth: int
    balance: str
    points: int
    issued: int
    expires: int
    state: str = "open"


class Hold(Struct, array_like=True):
    """Points set aside for a redemption: (lot, amount) each, until an instant; ``partner`` is
    with whom they are to be spent."""

    reward: str
    balance: str
    lots: list[tuple[int, int]]
    worth: int
    until: int
    partner: str = ""


class Member(Struct, array_like=True):
    """One of the members of an account that several share: what is personal of it.

    ``home`` is the account that they came from and go back to. Counters, tiers and cycles
    here are those that the program calls a member's own.
    """

    role: str
    joined: int
    burns: bool
    home: str
    counters: dict[str, dict[int, int]] = field(default_factory=dict)
    tiers: dict[str, Standing] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)
    issued: dict[str, dict[int, int]] = field(default_factory=dict)


class Award(Struct, array_like=True):
    """What a challenge or a referral gave, so that it is given once and can be taken back.

    ``day`` is when, or the window that it was given for; ``other`` the account on the other
    side of a referral.
    """

    day: int
    balance: str
    points: int
    lot: int
    voucher: str = ""
    other: str = ""


class Past(Struct, array_like=True):
    """An account that became a part of this one, so that its past can still be undone here.

    ``card`` is a card that it had, ``joined`` its first day; ``lots`` and ``vouchers`` say
    what each of them is called here.
    """

    card: str
    joined: int
    lots: dict[int, int]
    vouchers: dict[str, str]
