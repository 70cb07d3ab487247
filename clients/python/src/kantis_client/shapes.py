"""The records of the contract. Made from docs/openapi.json by scripts/client.py; do not edit."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class Account(TypedDict):
    """
    An account as it stands now. Amounts are decimal numbers in their own unit. `members` are
    those of a household; `shares` is the household's account that this one's member has joined.
    """

    account: int
    balances: dict[str, dict[str, str]]
    cards: list[str]
    choices: dict[str, str]
    counters: dict[str, str]
    entitlements: dict[str, Entitlement]
    facts: dict[str, str]
    holds: list[HoldTold]
    joined: str
    lots: list[Lot]
    members: dict[str, MemberTold]
    offers: list[str]
    plans: dict[str, Plan]
    program: str
    shares: str
    tiers: dict[str, Tier]
    vouchers: list[Voucher]
    waiting: list[Waiting]


class Activity(TypedDict):
    """The member did something that is not a purchase: a visit, a review, a night."""

    amount: NotRequired[int]
    group: NotRequired[str]
    member: NotRequired[str]
    name: str
    partner: NotRequired[str]
    quantity: NotRequired[int]


class ActivityEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Activity]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['activity']


class AddMemberRequest(TypedDict):
    """Somebody without an account becomes a member of a household."""

    member: str


class AddressSaid(TypedDict):
    """A postal address."""

    city: NotRequired[str]
    country: NotRequired[str]
    postal_code: NotRequired[str]
    region: NotRequired[str]
    street: NotRequired[str]


class Adjust(TypedDict):
    """Somebody gives (above zero) or takes (below zero) by hand, with a reason."""

    amount: int
    balance: str
    by: NotRequired[str]
    reason: str


class AdjustEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Adjust]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['adjust']


class AdjustmentSaid(TypedDict):
    """An adjustment. The amount is in the smallest unit of the balance; below zero it takes."""

    amount: int
    balance: str
    id: NotRequired[str]
    reason: str
    subject: str


class AdjustmentTold(TypedDict):
    """An adjustment: who asked for what, who answered, and what became of its event."""

    account: int | None
    amount: int
    at: str
    balance: str
    decided_at: str | None
    decided_by: str | None
    event: str
    note: str | None
    number: int
    outcome: str
    reason: str
    seq: int | None
    source: str
    state: str
    subject: str


class Adjustments(TypedDict):
    """Adjustments, newest first; ``next`` is the cursor of the page after this one."""

    adjustments: list[AdjustmentTold]
    next: str | None


class Answer(TypedDict):
    """What became of an event."""

    account: NotRequired[int]
    again: NotRequired[bool]
    entry: NotRequired[Entry]
    event: NotRequired[str]
    forecast: NotRequired[Forecast]
    outcome: Literal['decided', 'refused', 'parked', 'alone', 'bad', 'unknown']
    recorded: NotRequired[bool]
    refusal: NotRequired[Refusal]


class AnswerSaid(TypedDict):
    """What a second person says to it."""

    note: NotRequired[str]


class Arrived(TypedDict):
    """What was on its way to the member as money has arrived; or it ``bounced``."""

    amount: int
    balance: str
    bounced: NotRequired[bool]


class ArrivedEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Arrived]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['arrived']


class AttemptTold(TypedDict):
    """One call: its status (0: no answer), how long it took, and how the answer begins."""

    answer: str
    ms: int
    outcome: str
    status: int
    time: str


class AuditLine(TypedDict):
    """What somebody did, and by which key."""

    about: str
    at: str
    deed: str
    details: dict[str, Any]
    key: str
    name: str
    number: int
    program: str


class AuditPage(TypedDict):
    """AuditPage, newest first; ``next`` is the cursor of the page after this one."""

    lines: list[AuditLine]
    next: str | None


class Basket(TypedDict):
    """What is about to be bought."""

    lines: list[BasketLine]


class BasketLine(TypedDict):
    """A line of a basket, as in a purchase: amounts in the smallest coin."""

    amount: NotRequired[int]
    brand: NotRequired[str]
    category: NotRequired[str]
    department: NotRequired[str]
    discount: NotRequired[int]
    id: str
    product: NotRequired[str]
    quantity: NotRequired[int]
    tax: NotRequired[int]


class Came(TypedDict):
    """By whose invitation the member came; `done` when they have done what it asks for."""

    by: str
    done: bool
    referral: str
    spent: str


class Cancel(TypedDict):
    """A finished redemption is undone, its points come back with their expiry; or an activity."""

    of: str
    reason: NotRequired[str]


class CancelEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Cancel]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['cancel']


class Capture(TypedDict):
    """A hold becomes a redemption; ``of`` is the id of the redeem event."""

    of: str


class CaptureEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Capture]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['capture']


class CaptureRequest(TypedDict):
    """Spend what is held."""



class CardNamed(TypedDict):
    """A card."""

    card: str


class CardTold(TypedDict):
    """A card and its state: in use, blocked, replaced or erased."""

    card: str
    state: str


class CarriedLot(TypedDict):
    """A lot that is brought: amount, day of earning, day of expiry (0: by the program)."""

    amount: int
    balance: str
    earned: NotRequired[int]
    expires: NotRequired[int]
    funder: NotRequired[str]
    group: NotRequired[str]
    member: NotRequired[str]
    opens: NotRequired[int]


class CarriedPlan(TypedDict):
    """
    A plan that is brought: its period, the first day of its term and the first one after it,
    the fee paid for it, whether it is a trial, and whether it goes on.
    """

    fee: NotRequired[int]
    per: NotRequired[str]
    plan: str
    renews: NotRequired[bool]
    since: NotRequired[int]
    trial: NotRequired[bool]
    until: NotRequired[int]


class CarriedTier(TypedDict):
    """A tier that is brought: the tier group, the level, its first day and its end."""

    group: str
    level: str
    since: NotRequired[int]
    until: NotRequired[int]


class CarriedVoucher(TypedDict):
    """A voucher that is brought: code, kind, worth in minor units of money, end."""

    code: str
    expires: NotRequired[int]
    kind: str
    worth: NotRequired[int]


class Carry(TypedDict):
    """
    Value and standing come into an account: an opening import, a merge, a transfer. ``origin``
    is ``opening``; or ``transfer``, ``join`` or ``leave`` of what stands in transit, and
    ``back`` where nobody took it. Counters are (name, day, amount). ``member`` is who joins the
    account with it, ``home`` the account that they come from.
    """

    counters: NotRequired[list[list[Any]]]
    home: NotRequired[str]
    lots: NotRequired[list[CarriedLot]]
    member: NotRequired[str]
    offers: NotRequired[list[str]]
    origin: str
    plans: NotRequired[list[CarriedPlan]]
    tiers: NotRequired[list[CarriedTier]]
    vouchers: NotRequired[list[CarriedVoucher]]


class CarryEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Carry]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['carry']


class ChangeTold(TypedDict):
    """What two versions say of the same thing; null where one does not say it."""

    after: Any
    before: Any
    path: str


class Changes(TypedDict):
    """What is to be known of a person instead; what is left out stays, empty takes it away."""

    address: NotRequired[AddressSaid]
    birthday: NotRequired[str]
    email: NotRequired[str]
    family_name: NotRequired[str]
    given_name: NotRequired[str]
    language: NotRequired[str]
    notes: NotRequired[str]
    phone: NotRequired[str]


class CheckoutForecast(TypedDict):
    """The balances, what the basket would earn of each, and what came off it."""

    balances: dict[str, str]
    earns: dict[str, int]
    off: int


class CheckoutHold(TypedDict):
    """What was set aside: the id that goes with the order, the points, and what they are worth."""

    hold: str
    off: int
    points: int


class Choose(TypedDict):
    """The member makes a choice that the program lets them make."""

    choice: str
    value: str


class ChooseEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Choose]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['choose']


class Claim(TypedDict):
    """A purchase without a member is claimed with its receipt."""

    receipt: str


class ClaimEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Claim]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['claim']


class ClaimRequest(TypedDict):
    """Claim a purchase with its receipt."""

    receipt: str
    subject: str


class CodeSaid(TypedDict):
    """The code that the member has typed."""

    code: str


class Confirm(TypedDict):
    """What the points of a group waited for came true."""

    group: str


class ConfirmEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Confirm]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['confirm']


class ConsentSaid(TypedDict):
    """What a person agrees to or takes back, and the text that they were shown."""

    granted: bool
    purpose: str
    version: NotRequired[str]
    wording: NotRequired[str]


class ConsentTold(TypedDict):
    """What a person agreed to or took back, when, and the text that they were shown."""

    at: str
    granted: bool
    purpose: str
    source: str
    version: str
    wording: str


class Consents(TypedDict):
    """Everything that a person agreed to and took back, oldest first."""

    consents: list[ConsentTold]


class DeliveryPage(TypedDict):
    """Deliveries, newest first; ``next`` is the cursor of the page after this one."""

    deliveries: list[DeliveryTold]
    next: str | None


class DeliveryTold(TypedDict):
    """A message for a webhook. ``next`` is when it is tried again."""

    account: int
    attempts: list[AttemptTold]
    made: str
    message: str
    next: str | None
    state: str
    tries: int
    type: str


class DifferenceTold(TypedDict):
    """What changes from one version to another, and the same as a difference of lines."""

    changes: list[ChangeTold]
    earlier: int
    later: int
    lines: str
    program: str


class DraftSaid(TypedDict):
    """A program file. Times are on the program's clock, as in 2027-01-01 or 2027-01-01 06:00."""

    since: NotRequired[str]
    source: str


class DraftTold(TypedDict):
    """
    What waits for signatures: a ``version``, or another ``demand``. ``since`` is null for at
    once; ``digest`` is the SHA-256 of what is signed; ``overtaken`` when something else was
    published after it was put up.
    """

    at: str
    by: str
    digest: str
    draft: int
    kind: str
    missing: int
    overtaken: bool
    signatures: list[SignatureTold]
    since: str | None


class Drafts(TypedDict):
    """What is demanded for a program, and what waits, the newest first."""

    demanded: int
    drafts: list[DraftTold]
    program: str
    roles: list[str]


class Effect(TypedDict):
    """What a price rule took off a line, in minor units of money."""

    line: str
    off: int
    rule: str


class EffectsTold(TypedDict):
    """
    What a version would change for the accounts there are. ``begins`` is when anything differs
    first, ``failed`` are accounts that the new terms cannot be applied to.
    """

    accounts: int
    begins: str | None
    failed: list[int]
    moments: list[MomentTold]
    since: str
    touched: int
    until: str
    version: int


class Enjoy(TypedDict):
    """The member has a benefit that an entitlement gives; ``basket`` is what it comes with."""

    basket: NotRequired[int]
    channel: NotRequired[str]
    entitlement: str
    location: NotRequired[str]
    partner: NotRequired[str]
    tender: NotRequired[str]


class EnjoyEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Enjoy]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['enjoy']


class EnjoyRequest(TypedDict):
    """Record that a member had what they are entitled to."""

    basket: NotRequired[int]
    channel: NotRequired[str]
    location: NotRequired[str]
    partner: NotRequired[str]
    tender: NotRequired[str]


class Enrol(TypedDict):
    """
    A person joins; facts that rules need (a birthday, a segment) come along, without a name.
    ``welcome`` is no for a member who is brought from another product: who joined before gets
    nothing for joining, as nobody gets it twice.
    """

    facts: NotRequired[list[list[Any]]]
    welcome: NotRequired[bool]


class EnrolEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Enrol]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['enrol']


class Entitlement(TypedDict):
    """What the member may have now."""

    good_for: str
    until: str


class EntitlementTold(TypedDict):
    """What the member may have now, to which day, and how often still."""

    entitlement: str
    good_for: str
    left: int | None
    title: str
    until: str


class Entitlements(TypedDict):
    """Entitlements in the order of the program."""

    entitlements: list[EntitlementTold]


class Entry(TypedDict):
    """What a decision did, with the names of its places and rules."""

    at: str
    effects: NotRequired[list[Effect]]
    fees: NotRequired[list[Fee]]
    flags: NotRequired[list[str]]
    postings: list[Posting]
    rules: list[Fired]
    seq: int
    version: int


class EntryPage(TypedDict):
    """Entries, newest first; ``next`` is the cursor of the page after this one."""

    entries: list[EntryTold]
    next: str | None


class EntryTold(TypedDict):
    """
    What an event did to the account, in sentences. ``time`` is the program's local time. The
    sentences are in the best of the languages of Accept-Language that there is (en, fi, et,
    vi), and in English where there is none.
    """

    event: str
    sentences: list[str]
    seq: int
    time: str
    type: str
    version: int


class Exchange(TypedDict):
    """
    Points become units of a partner's programme; or, ``back``, units of theirs become points.
    ``amount`` is what is given away: points of a balance, or units of theirs.
    """

    amount: int
    back: NotRequired[bool]
    partner: str


class ExchangeEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Exchange]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['exchange']


class Export(TypedDict):
    """Everything that is kept about a member."""

    account: dict[str, Any]
    answers: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    events: list[dict[str, Any]]
    member: MemberSeen
    readings: list[ReadingTold]


class FaultFound(TypedDict):
    """What is wrong with a file, where (counted from 1; 0: no place), and what to do."""

    code: str
    column: int
    line: int
    message: str
    path: str


class FaultTold(TypedDict):
    """What is wrong with a program file, where (counted from 1), and what to do."""

    code: str
    column: NotRequired[int]
    line: NotRequired[int]
    message: str
    path: NotRequired[str]


class Fee(TypedDict):
    """Money that the member owes the merchant, in minor units; below zero it is given back."""

    amount: int
    of: str
    why: str


class Fired(TypedDict):
    """
    What a rule did: its amount, worked out on a base. Of what partners and charities owe or are
    owed the base is a word that says what it is for.
    """

    amount: int
    balance: str
    base: int | str
    rule: str


class Forecast(TypedDict):
    """What a purchase would do. Each rule of the program gives, or is silent and says why."""

    gives: list[Gives]
    offers: list[WouldGive]
    pays: list[Pays]
    silent: list[Silent]
    tiers: list[Level]


class Forfeit(TypedDict):
    """
    What the points of a group waited for did not come in time; a rule of the program says until
    when, and for what, they can be reinstated.
    """

    group: str


class ForfeitEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Forfeit]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['forfeit']


class Found(TypedDict):
    """Members that were found, at most 50."""

    members: list[MemberSeen]


class FoundHouseholdRequest(TypedDict):
    """An account becomes a household, with its lead."""

    member: str
    subject: str


class Friend(TypedDict):
    """A friend who has done it all, and what this member got for it."""

    day: str
    friend: str
    points: str
    referral: str


class Gives(TypedDict):
    """What a rule would give, worked out on a base."""

    amount: int
    balance: str
    base: int
    rule: str


class HoldAsked(TypedDict):
    """How many points are to be set aside, and the price that they take something off."""

    basket: int
    points: int


class HoldRequest(TypedDict):
    """Set points aside for a reward."""

    basket: NotRequired[int]
    channel: NotRequired[str]
    lines: NotRequired[list[Line]]
    location: NotRequired[str]
    member: NotRequired[str]
    partner: NotRequired[str]
    points: NotRequired[int]
    reward: str
    subject: str


class HoldTold(TypedDict):
    """Points that are set aside; `key` is source and id of the hold."""

    balance: str
    key: str
    points: str
    reward: str
    until: str
    worth: str


class ImportTold(TypedDict):
    """An import: its state, how far it is, and what became of it."""

    brought: str
    changed: str
    done: int
    kind: str
    name: str
    number: int
    source: str
    state: str
    summary: dict[str, Any] | None
    total: int
    trouble: str


class ImportsTold(TypedDict):
    """The newest imports of a program."""

    imports: list[ImportTold]


class Join(TypedDict):
    """
    Somebody becomes a member of a household. On the household's account: a person without an
    account of their own, or the lead who founds it. ``into`` is the household's account where
    the event is on the person's own account: what is there goes along.
    """

    into: NotRequired[str]
    member: str


class JoinEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Join]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['join']


class JoinRequest(TypedDict):
    """The member of an account joins a household."""

    into: NotRequired[str]
    member: str


class Joined(TypedDict):
    """A member who has joined; `again` says that the same request had come before."""

    account: int
    again: NotRequired[bool]
    cards: list[CardTold]
    changed: str
    erased: str | None
    id: str
    joined: str
    person: PersonTold | None
    version: int


class Joins(TypedDict):
    """Somebody who joins. Without a card a number is made."""

    address: NotRequired[AddressSaid]
    birthday: NotRequired[str]
    card: NotRequired[str]
    consents: NotRequired[list[ConsentSaid]]
    email: NotRequired[str]
    facts: NotRequired[dict[str, str]]
    family_name: NotRequired[str]
    given_name: NotRequired[str]
    language: NotRequired[str]
    notes: NotRequired[str]
    phone: NotRequired[str]


class KeyMade(TypedDict):
    """A key with its secret, which is nowhere else."""

    key: str
    prefix: str
    program: str
    scope: str
    source: str


class KeySaid(TypedDict):
    """A key to be made. An owner's key without a program is for all of them."""

    limits: NotRequired[LimitsSaid]
    location: NotRequired[str]
    name: str
    program: NotRequired[str]
    scope: str
    source: str


class KeyTold(TypedDict):
    """A key without its secret."""

    created: str
    limits: dict[str, int]
    location: str
    name: str
    prefix: str
    program: str
    revoked: str | None
    scope: str
    source: str
    used: str | None
    used_from: str


class Keys(TypedDict):
    """Keys, oldest first."""

    keys: list[KeyTold]


class Know(TypedDict):
    """Something that rules need becomes known of the member, from the event's time on."""

    fact: str
    value: str


class KnowEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Know]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['know']


class Leave(TypedDict):
    """
    A member leaves the household, with what is theirs, to another account (by default the one
    they came from). ``by`` is the member who says so, where that matters.
    """

    by: NotRequired[str]
    member: str
    to: NotRequired[str]


class LeaveEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Leave]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['leave']


class LeaveRequest(TypedDict):
    """A member leaves, with what is theirs."""

    by: NotRequired[str]
    to: NotRequired[str]


class Level(TypedDict):
    """
    Where the member would stand after it; `way` is what the next level still takes: any one of
    the lists, of that all.
    """

    group: str
    level: str
    next: NotRequired[str]
    way: NotRequired[list[list[Missing]]]


class LevelTold(TypedDict):
    """A level that another one takes the place of, for so many accounts."""

    accounts: int
    after: str
    before: str
    group: str
    up: bool


class LimitsSaid(TypedDict):
    """What the key may do at most; 0 is no limit. Amounts are in the smallest unit."""

    goodwill: NotRequired[int]
    largest: NotRequired[int]
    per_minute: NotRequired[int]


class Line(TypedDict):
    """
    One line of a purchase. ``amount`` is what the line costs: for all its items, after
    discounts, before tax. ``discount`` was taken off before, ``tax`` comes on top; both only
    matter to a program whose spend counts them. ``measure`` is a quantity in thousandths
    (litres, nights).
    """

    amount: NotRequired[int]
    brand: NotRequired[str]
    category: NotRequired[str]
    department: NotRequired[str]
    discount: NotRequired[int]
    id: str
    measure: NotRequired[int]
    product: str
    quantity: NotRequired[int]
    tags: NotRequired[list[str]]
    tax: NotRequired[int]


class Load(TypedDict):
    """The member takes an offer that has to be loaded before it counts."""

    offer: str


class LoadEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Load]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['load']


class LoadOfferRequest(TypedDict):
    """Load an offer."""



class Look(TypedDict):
    """Whom to find: one of these."""

    card: NotRequired[str]
    email: NotRequired[str]
    name: NotRequired[str]
    phone: NotRequired[str]
    receipt: NotRequired[str]


class Lot(TypedDict):
    """Points that were earned together and end together. Days are the program's own."""

    amount: str
    balance: str
    earned: str
    group: str
    until: str


class MemberSeen(TypedDict):
    """A member. `person` is null where the caller may see none of it, or it was erased."""

    account: int
    cards: list[CardTold]
    changed: str
    erased: str | None
    id: str
    joined: str
    person: PersonTold | None
    version: int


class MemberTold(TypedDict):
    """One of the members of a household; `home` is the account that they came from."""

    burns: bool
    home: str
    joined: str
    role: str


class MergePreview(TypedDict):
    """What a merge would bring, in sentences. It cannot be undone."""

    cards: list[str]
    comes: list[str]
    first: list[str]
    stays: list[str]


class MergeSaid(TypedDict):
    """The member who is the same person, and whose account becomes a part of this one."""

    other: str


class Missing(TypedDict):
    """How much a counter still needs."""

    counter: str
    missing: int


class MomentTold(TypedDict):
    """How accounts differ at an instant from what they would have without the new version."""

    at: str
    balances: dict[str, SumsTold]
    levels: list[LevelTold]


class Movement(TypedDict):
    """What an entry changed in the places of each balance, and what there was after it."""

    after: dict[str, dict[str, str]]
    changes: dict[str, dict[str, str]]
    event: str
    sentences: list[str]
    seq: int
    time: str
    type: str
    version: int


class NewCard(TypedDict):
    """Another card. Without a number one is made; it can take the place of a lost one."""

    card: NotRequired[str]
    replaces: NotRequired[str]


class Offer(TypedDict):
    """An offer that is meant for the member; `state` is open, loaded, coming or used up."""

    left: int | None
    loaded: str
    offer: str
    says: str
    since: str
    state: str
    title: str
    until: str
    used: int


class Offers(TypedDict):
    """Offers in the order of the program."""

    offers: list[Offer]


class Pay(TypedDict):
    """The fee of a plan has come in: what is due of it, or that of its next term."""

    plan: str


class PayEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Pay]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['pay']


class Pays(TypedDict):
    """The most that points could pay on these lines, with what the reward allows of it."""

    balance: str
    code: NotRequired[str]
    points: NotRequired[int]
    reward: str
    title: str
    why: NotRequired[str]
    worth: NotRequired[int]


class Permit(TypedDict):
    """The lead of a household says whether a member may burn."""

    burns: NotRequired[bool]
    by: NotRequired[str]
    member: str


class PermitEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Permit]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['permit']


class PermitRequest(TypedDict):
    """The lead says whether a member may spend."""

    burns: NotRequired[bool]
    by: NotRequired[str]


class PersonTold(TypedDict):
    """Personal data; `short_name` is all that a till is shown."""

    address: NotRequired[AddressSaid | None]
    birthday: NotRequired[str | None]
    consents: NotRequired[list[ConsentTold] | None]
    email: NotRequired[str | None]
    family_name: NotRequired[str | None]
    former_email: NotRequired[str | None]
    given_name: NotRequired[str | None]
    language: NotRequired[str | None]
    notes: NotRequired[str | None]
    phone: NotRequired[str | None]
    short_name: str
    unconfirmed: NotRequired[str | None]


class Plan(TypedDict):
    """A membership, and whether it renews by itself."""

    per: str
    renews: bool
    state: str
    until: str


class Position(TypedDict):
    """What a partner owes (receivable), is owed (payable), or a charity was given; in money."""

    amount: str
    name: str
    position: str


class Positions(TypedDict):
    """Where partners and charities stood at an instant."""

    at: str
    positions: list[Position]
    program: str


#: An amount of a balance that moves from one place to another.
Posting = TypedDict('Posting', {'amount': 'int', 'balance': 'str', 'from': "Literal['available', 'pending', 'held', 'owed', 'voucher', 'payout', 'issued', 'redeemed', 'expired', 'reversed', 'forfeited', 'in transit', 'adjusted', 'carried', 'share capital', 'charity payable', 'partner receivable', 'partner payable', 'stock', 'budget']", 'reason': 'str', 'to': "Literal['available', 'pending', 'held', 'owed', 'voucher', 'payout', 'issued', 'redeemed', 'expired', 'reversed', 'forfeited', 'in transit', 'adjusted', 'carried', 'share capital', 'charity payable', 'partner receivable', 'partner payable', 'stock', 'budget']"})


class Problem(TypedDict):
    """RFC 9457. `detail` says what is wrong and what to do next."""

    account: NotRequired[int]
    code: str
    detail: str
    event: NotRequired[str]
    faults: NotRequired[list[FaultTold]]
    instance: str
    recorded: NotRequired[bool]
    status: int
    title: str
    type: str


class ProgramTold(TypedDict):
    """A program and its versions."""

    program: str
    versions: list[VersionTold]


class Programs(TypedDict):
    """The programs that the key may see."""

    programs: list[ProgramTold]


class ProofAsked(TypedDict):
    """A letter is on its way, if the member has a confirmed address."""

    asked: bool


class Proved(TypedDict):
    """Until when the member may spend as much as they like with this shop."""

    until: str


class PublishedTold(TypedDict):
    """The newest version; ``published`` is false when it says what was there before."""

    program: str
    published: bool
    since: str | None
    version: int


class Purchase(TypedDict):
    """
    Somebody bought something. ``points`` is what was paid in points, per balance. ``group``
    names the ticket, order or bill that the points wait for; ``booked`` is the instant of
    booking where that is another than the event's time. ``member`` is which of several members
    of the account bought (empty: whose card it came with, or the lead).
    """

    booked: NotRequired[int]
    channel: NotRequired[str]
    group: NotRequired[str]
    lines: list[Line]
    location: NotRequired[str]
    member: NotRequired[str]
    partner: NotRequired[str]
    points: NotRequired[dict[str, int] | None]
    receipt: NotRequired[str]
    tender: NotRequired[str]
    vouchers: NotRequired[list[str]]


class PurchaseEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Purchase]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['purchase']


class ReadingTold(TypedDict):
    """Who read which personal data, when, and what for."""

    at: str
    fields: list[str]
    who: str
    why: str


class Redeem(TypedDict):
    """
    Points are to be spent: on a reward, or so many points of it on a basket. ``basket`` is the
    price in minor units that the reward takes something off. ``points`` says how many to spend
    where the reward leaves a choice; 0 takes the most. With ``hold`` they are set aside and
    wait for ``capture`` or ``release``.
    """

    basket: NotRequired[int]
    channel: NotRequired[str]
    hold: NotRequired[bool]
    lines: NotRequired[list[Line]]
    location: NotRequired[str]
    member: NotRequired[str]
    partner: NotRequired[str]
    points: NotRequired[int]
    reward: str


class RedeemEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Redeem]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['redeem']


class Redemption(TypedDict):
    """
    Points that were set aside, and what became of them. `points` and `worth` are whole numbers
    of the smallest part of their unit; `worth` is what comes off the price. What is held and
    not captured `until` then comes back by itself.
    """

    account: int
    again: NotRequired[bool]
    balance: NotRequired[str]
    entry: NotRequired[Entry]
    id: str
    points: NotRequired[int]
    reward: NotRequired[str]
    state: Literal['held', 'captured', 'released', 'cancelled', 'refused', 'waiting']
    until: NotRequired[str]
    vouchers: NotRequired[list[str]]
    worth: NotRequired[int]


class RedemptionTold(TypedDict):
    """A redemption as it stands now; `refusal` is the code of why it was refused."""

    account: int
    balance: str
    id: str
    points: int
    refusal: str
    reward: str
    state: str
    until: str
    vouchers: list[str]
    worth: int


class Refer(TypedDict):
    """
    A new member came by the invitation of another one; ``by`` is that one's account. ``marks``
    are words of the shop about the two, for example that they share an address.
    """

    by: str
    marks: NotRequired[list[str]]
    referral: str


class ReferEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Refer]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['refer']


class ReferRequest(TypedDict):
    """A new member came by an invitation."""

    by: str
    marks: NotRequired[list[str]]
    referral: str
    subject: str


class ReferralTold(TypedDict):
    """What a referral asks of the friend, and what both get."""

    balance: str
    friend_gets: str
    referral: str
    referrer_gets: str
    spends: str
    stages: list[str]
    title: str


class Referrals(TypedDict):
    """A member's invitations, in both directions, and those that the program has now."""

    came: list[Came]
    friends: list[Friend]
    referrals: list[ReferralTold]


class Referred(TypedDict):
    """
    To who referred: a friend has done what the referral asks for, or it is undone. ``since`` is
    the instant at which the friend came.
    """

    friend: str
    referral: str
    since: NotRequired[int]
    undone: NotRequired[bool]


class ReferredEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Referred]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['referred']


class Refund(TypedDict):
    """
    Lines of an earlier purchase came back. No lines means all that is left of it. ``of`` is the
    id of the purchase from the same source (or from ``of_source``). Each line is (line id,
    quantity). An activity comes back as one line of its name. The reason ``edited`` says that
    nothing came back: what was bought is recorded anew.
    """

    lines: NotRequired[list[list[Any]]]
    of: str
    of_source: NotRequired[str]
    reason: NotRequired[str]


class RefundEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Refund]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['refund']


class Refusal(TypedDict):
    """Why not: a code for programs, and what to do next for people."""

    code: str
    message: str


class Reinstate(TypedDict):
    """The points of a group that were forfeited are to come back, for the fee of the rule."""

    group: str


class ReinstateEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Reinstate]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['reinstate']


class Release(TypedDict):
    """A hold is given back."""

    of: str


class ReleaseEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Release]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['release']


class ReleaseRequest(TypedDict):
    """Give back what is held."""



class ReplySaid(TypedDict):
    """A reply to a member. ``seen`` is when the reply was written that this one changes."""

    seen: NotRequired[str]
    text: str


class Reward(TypedDict):
    """
    A reward, seen from the account; amounts are decimal numbers. `can`: it can be had now, for
    `points`. Otherwise `missing` says how many points there are too few, and `code` and `why`
    why not. `comes` is how: on request, by itself, on the birthday, on joining. `left` is how
    often still, `stock` how many there are for all. Titles, `gives` and `why` are in the best
    language of Accept-Language that there is.
    """

    balance: str
    can: bool
    code: str
    comes: str
    gives: str
    left: int | None
    missing: str
    points: str
    reward: str
    stock: int | None
    title: str
    why: str
    worth: str


class Rewards(TypedDict):
    """What can be had comes first, then by how much is missing."""

    rewards: list[Reward]


class Script(TypedDict):
    """Where the script is, and the hash that the browser checks it by."""

    integrity: str
    src: str


class Secret(TypedDict):
    """A new secret, which is not shown again; the former one signs beside it until then."""

    former_secret_until: str | None
    secret: str


class SettlementLine(TypedDict):
    """
    A kind of thing in a period. ``exact`` is to a millionth of the smallest coin, ``amount``
    its part of the total in coins.
    """

    amount: str
    balance: str
    exact: str
    kind: str
    points: str


class SettlementStatement(TypedDict):
    """A position of a partner (receivable, payable) or a charity (given) over a period."""

    after: str
    before: str
    lines: list[SettlementLine]
    name: str
    position: str
    total: str


class Settlements(TypedDict):
    """The statements of a period, and what is wrong with the books about it."""

    problems: list[str]
    program: str
    statements: list[SettlementStatement]


class ShopNew(TypedDict):
    """A connection to make. ``secrets`` are never shown again."""

    kind: str
    name: str
    secrets: dict[str, str]
    settings: NotRequired[dict[str, str]]


class ShopTold(TypedDict):
    """A connection, how many orders it told of, and how many of them wait for more."""

    created: str
    kind: str
    name: str
    settings: dict[str, str]
    source: str
    told: int
    waiting: int
    webhook: str


class Shops(TypedDict):
    """The connections of the program."""

    shops: list[ShopTold]


class SignatureTold(TypedDict):
    """Who signed, as what, when, and with which remark."""

    at: str
    name: str
    remark: str
    role: str


class Silent(TypedDict):
    """A rule that would give nothing: a code, and why in words."""

    code: str
    rule: str
    why: str


class Staged(TypedDict):
    """How many messages will be sent."""

    staged: int


class StatementTold(TypedDict):
    """
    Opening and movements add up to closing, over all pages, in each place of each balance.
    `first` and `last` are the days of the statement; movements come in the order in which they
    happened, and `next` is the cursor of the page after this one.
    """

    closing: dict[str, dict[str, str]]
    first: str
    last: str
    movements: list[Movement]
    next: str | None
    opening: dict[str, dict[str, str]]


class Step(TypedDict):
    """What a counter has, of what a level takes."""

    counter: str
    has: str
    missing: str
    takes: str


class Subscribe(TypedDict):
    """
    The member takes a plan, another plan of the same ladder, or another period of it. ``per``
    names the period (empty: the program's first one); ``trial`` is yes, no, or empty for the
    trial that the member may still have.
    """

    per: NotRequired[str]
    plan: str
    trial: NotRequired[str]


class SubscribeEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Subscribe]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['subscribe']


class SumsTold(TypedDict):
    """How many accounts have less and more of a balance, and in all how much, in its own unit."""

    gain: str
    gaining: int
    losing: int
    loss: str


class SurveyAnswer(TypedDict):
    """What a member said about a purchase. ``text`` and ``reply`` are for staff only."""

    account: int
    answered: str
    event: str
    location: str
    member: str
    number: int
    replied: str | None
    replied_by: str | None
    reply: str | None
    score: int
    text: str | None


class SurveyAnswers(TypedDict):
    """Answers, newest first; ``next`` is the cursor of the page after this one."""

    answers: list[SurveyAnswer]
    next: str | None


class Tier(TypedDict):
    """
    A level, and the last day that it is sure for, or `never`. `next` is the level above, and
    `way` what it takes: any one of the lists, of that all steps. `keep` is what would keep the
    present level for longer, where that can be done now.
    """

    keep: list[list[Step]]
    level: str
    next: str
    until: str
    way: list[list[Step]]


class TokenAsked(TypedDict):
    """Whose checkout it is, and what it may do."""

    minutes: NotRequired[int]
    origin: str
    points_max: NotRequired[int]
    reward: NotRequired[str]
    scopes: NotRequired[list[Literal['quote', 'hold']]]
    subject: str


class TokenTold(TypedDict):
    """The token, until when it holds, and the id under which points are set aside."""

    expires: str
    hold: str
    script: Script
    token: str


class Transfer(TypedDict):
    """Points leave this account for another one; ``to`` is its reference."""

    amount: int
    balance: str
    to: str


class TransferEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Transfer]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['transfer']


class TransferRequest(TypedDict):
    """Send points to another account."""

    amount: int
    balance: str
    subject: str
    to: str


class Unpaid(TypedDict):
    """The fee that was charged for the term of a plan did not come in."""

    plan: str


class UnpaidEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Unpaid]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['unpaid']


class Unsubscribe(TypedDict):
    """The member wants a plan no longer."""

    plan: str


class UnsubscribeEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Unsubscribe]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['unsubscribe']


class Use(TypedDict):
    """A voucher is used up; as a ``code`` it is changed into one that a partner takes."""

    basket: NotRequired[int]
    code: NotRequired[bool]
    partner: NotRequired[str]
    voucher: str


class UseEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Use]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['use']


class UseVoucherRequest(TypedDict):
    """Use a voucher up."""

    basket: NotRequired[int]
    code: NotRequired[bool]
    partner: NotRequired[str]


class Validated(TypedDict):
    """Whether a file can be published, what is wrong with it, and what it would change."""

    effects: EffectsTold | None
    faults: list[FaultFound]
    ok: bool
    warnings: dict[str, str]


class Validation(TypedDict):
    """A program file to be looked at."""

    compare: NotRequired[bool]
    since: NotRequired[str]
    source: str
    until: NotRequired[str]


class VersionSource(TypedDict):
    """A version with its file, as it was published."""

    program: str
    published: str
    since: str | None
    source: str
    version: int


class VersionTold(TypedDict):
    """A published version of a program; ``since`` is null where it has held always."""

    published: str
    since: str | None
    version: int


class Void(TypedDict):
    """What the points of a group waited for will not come."""

    group: str


class VoidEvent(TypedDict):
    """An event as it comes. `data` belongs to the type."""

    ask: NotRequired[bool]
    data: NotRequired[Void]
    id: NotRequired[str]
    subject: NotRequired[str]
    time: NotRequired[str | None]
    type: Literal['void']


class Voucher(TypedDict):
    """A voucher that can be used."""

    code: str
    kind: str
    until: str
    worth: str


class VoucherTold(TypedDict):
    """A voucher; `state` is open, used, expired or reversed."""

    at: list[str]
    code: str
    good_for: str
    issued: str
    kind: str
    least_basket: str
    state: str
    title: str
    until: str
    worth: str


class Vouchers(TypedDict):
    """Vouchers, the first to end first."""

    vouchers: list[VoucherTold]


class Waiting(TypedDict):
    """Pending points: the instant at which they open, or the group that they wait for."""

    amount: str
    balance: str
    group: str
    opens: str


class Webhook(TypedDict):
    """A webhook without its secret. ``reason`` says why it is disabled."""

    created: str
    failing_since: str | None
    former_secret_until: str | None
    id: str
    name: str
    reason: str
    state: str
    types: list[str]
    url: str


class WebhookList(TypedDict):
    """The webhooks of the program."""

    webhooks: list[Webhook]


class WebhookMade(TypedDict):
    """A webhook with its secret, which is not shown again."""

    created: str
    failing_since: str | None
    former_secret_until: str | None
    id: str
    name: str
    reason: str
    secret: str
    state: str
    types: list[str]
    url: str


class WouldGive(TypedDict):
    """What an offer would give, or take off in minor units, if it were loaded now."""

    amount: NotRequired[int]
    balance: NotRequired[str]
    off: NotRequired[int]
    offer: str
    title: str


#: Whatever can be sent as an event.
Event: TypeAlias = 'ActivityEvent | AdjustEvent | ArrivedEvent | CancelEvent | CaptureEvent | CarryEvent | ChooseEvent | ClaimEvent | ConfirmEvent | EnjoyEvent | EnrolEvent | ExchangeEvent | ForfeitEvent | JoinEvent | KnowEvent | LeaveEvent | LoadEvent | PayEvent | PermitEvent | PurchaseEvent | RedeemEvent | ReferEvent | ReferredEvent | RefundEvent | ReinstateEvent | ReleaseEvent | SubscribeEvent | TransferEvent | UnpaidEvent | UnsubscribeEvent | UseEvent | VoidEvent'
