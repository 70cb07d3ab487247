"""Events: whatever happens, in one vocabulary.

An event has an identity (``source`` and ``id``, unique together), a time, a subject and
a body. A body is one of the records below; its tag is the event's type. Amounts are
minor units, times are instants (see ``calendar``).

A **tell** has happened and is always recorded. An **ask** may be refused.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, msgpack

from kantis.core.account import Account


class Line(Struct, frozen=True, array_like=True, gc=False):
    """One line of a purchase.

    ``amount`` is what the line costs: for all its items, after discounts, before tax.
    ``discount`` was taken off before, ``tax`` comes on top; both only matter to a program
    whose spend counts them. ``measure`` is a quantity in thousandths (litres, nights).
    """

    id: str
    product: str
    quantity: int = 1
    amount: int = 0
    category: str = ""
    brand: str = ""
    department: str = ""
    tags: tuple[str, ...] = ()
    discount: int = 0
    tax: int = 0
    measure: int = 0


class Purchase(Struct, frozen=True, array_like=True, tag="purchase", gc=False):
    """Somebody bought something. ``points`` is what was paid in points, per balance.

    ``group`` names the ticket, order or bill that the points wait for; ``booked`` is the
    instant of booking where that is another than the event's time. ``member`` is which of
    several members of the account bought (empty: whose card it came with, or the lead).
    """

    lines: tuple[Line, ...]
    location: str = ""
    channel: str = ""
    tender: str = ""
    receipt: str = ""
    partner: str = ""
    group: str = ""
    booked: int = 0
    points: dict[str, int] | None = None
    vouchers: tuple[str, ...] = ()
    member: str = ""


#: The reason of a refund that undoes a purchase because it is recorded anew, as it is now.
EDITED = "edited"


class Refund(Struct, frozen=True, array_like=True, tag="refund", gc=False):
    """Lines of an earlier purchase came back. No lines means all that is left of it.

    ``of`` is the id of the purchase from the same source (or from ``of_source``). Each
    line is (line id, quantity). An activity comes back as one line of its name. The reason
    ``edited`` says that nothing came back: what was bought is recorded anew.
    """

    of: str
    lines: tuple[tuple[str, int], ...] = ()
    of_source: str = ""
    reason: str = "refund"


class Activity(Struct, frozen=True, array_like=True, tag="activity", gc=False):
    """The member did something that is not a purchase: a visit, a review, a night."""

    name: str
    quantity: int = 1
    amount: int = 0
    group: str = ""
    partner: str = ""
    member: str = ""


class Redeem(Struct, frozen=True, array_like=True, tag="redeem", gc=False):
    """Points are to be spent: on a reward, or so many points of it on a basket.

    ``basket`` is the price in minor units that the reward takes something off.
    ``points`` says how many to spend where the reward leaves a choice; 0 takes the most.
    With ``hold`` they are set aside and wait for ``capture`` or ``release``.
    """

    reward: str
    basket: int = 0
    points: int = 0
    hold: bool = False
    member: str = ""
    lines: tuple[Line, ...] = ()
    location: str = ""
    channel: str = ""
    partner: str = ""


class Capture(Struct, frozen=True, array_like=True, tag="capture", gc=False):
    """A hold becomes a redemption; ``of`` is the id of the redeem event."""

    of: str


class Release(Struct, frozen=True, array_like=True, tag="release", gc=False):
    """A hold is given back."""

    of: str


class Cancel(Struct, frozen=True, array_like=True, tag="cancel", gc=False):
    """A finished redemption is undone, its points come back with their expiry; or an activity."""

    of: str
    reason: str = "cancel"


class Use(Struct, frozen=True, array_like=True, tag="use", gc=False):
    """A voucher is used up; as a ``code`` it is changed into one that a partner takes."""

    voucher: str
    basket: int = 0
    partner: str = ""
    code: bool = False


class Load(Struct, frozen=True, array_like=True, tag="load", gc=False):
    """The member takes an offer that has to be loaded before it counts."""

    offer: str


class Choose(Struct, frozen=True, array_like=True, tag="choose", gc=False):
    """The member makes a choice that the program lets them make."""

    choice: str
    value: str


class Confirm(Struct, frozen=True, array_like=True, tag="confirm", gc=False):
    """What the points of a group waited for came true."""

    group: str


class Void(Struct, frozen=True, array_like=True, tag="void", gc=False):
    """What the points of a group waited for will not come."""

    group: str


class Forfeit(Struct, frozen=True, array_like=True, tag="forfeit", gc=False):
    """What the points of a group waited for did not come in time; a rule of the program says
    until when, and for what, they can be reinstated."""

    group: str


class Reinstate(Struct, frozen=True, array_like=True, tag="reinstate", gc=False):
    """The points of a group that were forfeited are to come back, for the fee of the rule."""

    group: str


class Subscribe(Struct, frozen=True, array_like=True, tag="subscribe", gc=False):
    """The member takes a plan, another plan of the same ladder, or another period of it.

    ``per`` names the period (empty: the program's first one); ``trial`` is yes, no, or
    empty for the trial that the member may still have.
    """

    plan: str
    per: str = ""
    trial: str = ""


class Unsubscribe(Struct, frozen=True, array_like=True, tag="unsubscribe", gc=False):
    """The member wants a plan no longer."""

    plan: str


class Pay(Struct, frozen=True, array_like=True, tag="pay", gc=False):
    """The fee of a plan has come in: what is due of it, or that of its next term."""

    plan: str


class Unpaid(Struct, frozen=True, array_like=True, tag="unpaid", gc=False):
    """The fee that was charged for the term of a plan did not come in."""

    plan: str


class Enjoy(Struct, frozen=True, array_like=True, tag="enjoy", gc=False):
    """The member has a benefit that an entitlement gives; ``basket`` is what it comes with."""

    entitlement: str
    basket: int = 0
    location: str = ""
    channel: str = ""
    tender: str = ""
    partner: str = ""


class Adjust(Struct, frozen=True, array_like=True, tag="adjust", gc=False):
    """Somebody gives (above zero) or takes (below zero) by hand, with a reason."""

    balance: str
    amount: int
    reason: str
    by: str = ""


class Transfer(Struct, frozen=True, array_like=True, tag="transfer", gc=False):
    """Points leave this account for another one; ``to`` is its reference."""

    balance: str
    amount: int
    to: str


class Exchange(Struct, frozen=True, array_like=True, tag="exchange", gc=False):
    """Points become units of a partner's programme; or, ``back``, units of theirs become points.

    ``amount`` is what is given away: points of a balance, or units of theirs.
    """

    partner: str
    amount: int
    back: bool = False


class Arrived(Struct, frozen=True, array_like=True, tag="arrived", gc=False):
    """What was on its way to the member as money has arrived; or it ``bounced``."""

    balance: str
    amount: int
    bounced: bool = False


class CarriedLot(Struct, frozen=True, array_like=True):
    """A lot that is brought: amount, day of earning, day of expiry (0: by the program)."""

    balance: str
    amount: int
    earned: int = 0
    expires: int = 0
    opens: int = 0
    group: str = ""
    member: str = ""
    funder: str = ""


class CarriedTier(Struct, frozen=True, array_like=True):
    """A tier that is brought: the tier group, the level, its first day and its end."""

    group: str
    level: str
    since: int = 0
    until: int = 0


class CarriedVoucher(Struct, frozen=True, array_like=True):
    """A voucher that is brought: code, kind, worth in minor units of money, end."""

    code: str
    kind: str
    worth: int = 0
    expires: int = 0


class CarriedPlan(Struct, frozen=True, array_like=True):
    """A plan that is brought: its period, the first day of its term and the first one after
    it, the fee paid for it, whether it is a trial, and whether it goes on."""

    plan: str
    per: str = ""
    since: int = 0
    until: int = 0
    fee: int = 0
    trial: bool = False
    renews: bool = True


class Carry(Struct, frozen=True, array_like=True, tag="carry", gc=False):
    """Value and standing come into an account: an opening import, a merge, a transfer.

    ``origin`` is ``opening``; or ``transfer``, ``join`` or ``leave`` of what stands in
    transit, and ``back`` where nobody took it. Counters are (name, day, amount). ``member`` is
    who joins the account with it, ``home`` the account that they come from.
    """

    origin: str
    lots: tuple[CarriedLot, ...] = ()
    tiers: tuple[CarriedTier, ...] = ()
    counters: tuple[tuple[str, int, int], ...] = ()
    vouchers: tuple[CarriedVoucher, ...] = ()
    offers: tuple[str, ...] = ()
    plans: tuple[CarriedPlan, ...] = ()
    member: str = ""
    home: str = ""


class Join(Struct, frozen=True, array_like=True, tag="join", gc=False):
    """Somebody becomes a member of a household.

    On the household's account: a person without an account of their own, or the lead who
    founds it. ``into`` is the household's account where the event is on the person's own
    account: what is there goes along.
    """

    member: str
    into: str = ""


class Leave(Struct, frozen=True, array_like=True, tag="leave", gc=False):
    """A member leaves the household, with what is theirs, to another account (by default the
    one they came from). ``by`` is the member who says so, where that matters."""

    member: str
    to: str = ""
    by: str = ""


class Merge(Struct, frozen=True, array_like=True, tag="merge", gc=False):
    """The account belongs to somebody who has another one: what is here goes there, for good.
    ``into`` is the other account, ``card`` a card of this one, for the sentences about it."""

    into: str
    card: str = ""


class Merged(Struct, frozen=True, array_like=True, tag="merged", gc=False):
    """An account becomes a part of this one: ``state`` is all that stood on it, ``card`` a card
    that it had. Its points stand in transit until they are taken."""

    state: Account
    card: str = ""


class Permit(Struct, frozen=True, array_like=True, tag="permit", gc=False):
    """The lead of a household says whether a member may burn."""

    member: str
    burns: bool = True
    by: str = ""


class Refer(Struct, frozen=True, array_like=True, tag="refer", gc=False):
    """A new member came by the invitation of another one; ``by`` is that one's account.

    ``marks`` are words of the shop about the two, for example that they share an address.
    """

    referral: str
    by: str
    marks: tuple[str, ...] = ()


class Referred(Struct, frozen=True, array_like=True, tag="referred", gc=False):
    """To who referred: a friend has done what the referral asks for, or it is undone.

    ``since`` is the instant at which the friend came.
    """

    referral: str
    friend: str
    since: int = 0
    undone: bool = False


class Enrol(Struct, frozen=True, array_like=True, tag="enrol", gc=False):
    """A person joins; facts that rules need (a birthday, a segment) come along, without a name.

    ``welcome`` is no for a member who is brought from another product: who joined before
    gets nothing for joining, as nobody gets it twice.
    """

    facts: tuple[tuple[str, str], ...] = ()
    welcome: bool = True


class Know(Struct, frozen=True, array_like=True, tag="know", gc=False):
    """Something that rules need becomes known of the member, from the event's time on."""

    fact: str
    value: str


class Claim(Struct, frozen=True, array_like=True, tag="claim", gc=False):
    """A purchase without a member is claimed with its receipt."""

    receipt: str


class Tick(Struct, frozen=True, array_like=True, tag="tick", gc=False):
    """Time passes; nothing else. ``wake`` names the program version that woke the account."""

    wake: int = 0


Body = (
    Purchase
    | Refund
    | Activity
    | Redeem
    | Capture
    | Release
    | Cancel
    | Use
    | Load
    | Choose
    | Confirm
    | Void
    | Forfeit
    | Reinstate
    | Subscribe
    | Unsubscribe
    | Pay
    | Unpaid
    | Enjoy
    | Adjust
    | Transfer
    | Exchange
    | Arrived
    | Carry
    | Join
    | Leave
    | Merge
    | Merged
    | Permit
    | Refer
    | Referred
    | Enrol
    | Know
    | Claim
    | Tick
)

_encode = msgpack.Encoder().encode
_decode: Callable[[bytes], Body] = msgpack.Decoder(Body).decode


class Event(Struct, frozen=True, array_like=True, gc=False):
    """Something that happened, or that somebody asks for.

    ``source`` comes from the caller's credential. ``subject`` refers to an account:
    ``card:4711``, ``account:42``, or empty for a purchase without a member.
    """

    source: str
    id: str
    time: int
    subject: str
    body: Body
    received: int = 0
    ask: bool = False

    @property
    def key(self) -> str:
        """Source and id as one text: unique for ever."""
        return f"{self.source}/{self.id}"

    @property
    def type(self) -> str:
        """The tag of the body."""
        return str(type(self.body).__struct_config__.tag)


def named(event: Event, body: Body) -> str:
    """The key of the earlier event that one names: by its id from the same source, or from the
    one that it says; what the desk sends on says the whole key. Empty if it names none."""
    of, source = getattr(body, "of", ""), getattr(body, "of_source", "") or event.source
    return of if not of or (source == "desk" and "/" in of) else f"{source}/{of}"


def encode_body(body: Body) -> bytes:
    """The canonical bytes of a body; the same body always gives the same bytes."""
    return _encode(body)


def decode_body(data: bytes) -> Body:
    """The body that those bytes stand for; ``msgspec.ValidationError`` for anything else."""
    return _decode(data)
