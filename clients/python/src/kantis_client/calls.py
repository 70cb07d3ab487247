"""The routes of the contract as methods. Made from docs/openapi.json by scripts/client.py; do not edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, cast
from urllib.parse import quote

from kantis_client.shapes import (
    Account,
    AddMemberRequest,
    AdjustmentSaid,
    AdjustmentTold,
    Adjustments,
    Answer,
    AnswerSaid,
    AuditPage,
    Basket,
    Cancel,
    CardNamed,
    Changes,
    CheckoutForecast,
    CheckoutHold,
    Claim,
    ClaimRequest,
    CodeSaid,
    ConsentSaid,
    Consents,
    DeliveryPage,
    DifferenceTold,
    DraftSaid,
    DraftTold,
    Drafts,
    EnjoyRequest,
    Entitlements,
    EntryPage,
    Event,
    Export,
    Found,
    FoundHouseholdRequest,
    HoldAsked,
    HoldRequest,
    ImportTold,
    ImportsTold,
    JoinRequest,
    Joined,
    Joins,
    KeyMade,
    KeySaid,
    Keys,
    LeaveRequest,
    Load,
    Look,
    MemberSeen,
    MergePreview,
    MergeSaid,
    NewCard,
    Offers,
    PermitRequest,
    Positions,
    ProgramTold,
    Programs,
    ProofAsked,
    Proved,
    PublishedTold,
    Redemption,
    RedemptionTold,
    ReferRequest,
    Referrals,
    ReplySaid,
    Rewards,
    Secret,
    Settlements,
    ShopNew,
    ShopTold,
    Shops,
    Staged,
    StatementTold,
    SurveyAnswer,
    SurveyAnswers,
    TokenAsked,
    TokenTold,
    TransferRequest,
    Use,
    UseVoucherRequest,
    Validated,
    Validation,
    VersionSource,
    Vouchers,
    Webhook,
    WebhookList,
    WebhookMade,
)
from kantis_client.transport import Transport


def _quoted(part: object) -> str:
    """A part of a path; a card can have any character."""
    return quote(str(part), safe="")


class Kantis(Transport):
    """A Kantis service, as one key sees it."""

    def open_first_link(self, token: str) -> dict[str, Any]:
        """The first owner's key, once."""
        return cast('dict[str, Any]', self._call('POST', f"/first/{_quoted(token)}"))

    def healthz(self) -> Any:
        """Whether the process is up."""
        return self._call('GET', "/healthz")

    def metrics(self) -> str:
        """Figures for Prometheus."""
        return cast('str', self._call('GET', "/metrics", text=True))

    def openapi(self) -> Any:
        """This contract."""
        return self._call('GET', "/openapi.json")

    def readyz(self) -> Any:
        """Whether it takes events."""
        return self._call('GET', "/readyz")

    def account(self, ref: str) -> Account:
        """
        An account as it stands now. Balances per place, lots, tiers, counters, vouchers, plans,
        entitlements and offers.
        """
        return cast('Account', self._call('GET', f"/v1/accounts/{_quoted(ref)}"))

    def entitlements(self, ref: str) -> Entitlements:
        """
        What a member may have now. Delivery, prices, access, support: what plan, level or
        segment entitle to.
        """
        return cast('Entitlements', self._call('GET', f"/v1/accounts/{_quoted(ref)}/entitlements"))

    def enjoy(self, ref: str, entitlement: str, said: EnjoyRequest, *, idempotency_key: str) -> Answer:
        """Record that a member had what they are entitled to."""
        return cast('Answer', self._call('POST', f"/v1/accounts/{_quoted(ref)}/entitlements/{_quoted(entitlement)}/enjoy", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def entries(self, ref: str, *, limit: int | None = None, cursor: str | None = None) -> EntryPage:
        """What happened to an account, and why. Entries with their explanations, newest first."""
        return cast('EntryPage', self._call('GET', f"/v1/accounts/{_quoted(ref)}/entries", query={'limit': limit, 'cursor': cursor}))

    def join(self, ref: str, said: JoinRequest, *, idempotency_key: str) -> Answer:
        """The member of an account joins a household."""
        return cast('Answer', self._call('POST', f"/v1/accounts/{_quoted(ref)}/join", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def offers(self, ref: str) -> Offers:
        """
        The offers that are meant for a member. Offers that can be loaded, are loaded, are used
        up or are to come.
        """
        return cast('Offers', self._call('GET', f"/v1/accounts/{_quoted(ref)}/offers"))

    def load_offer(self, ref: str, offer: str, *, idempotency_key: str) -> Answer:
        """Load an offer."""
        return cast('Answer', self._call('POST', f"/v1/accounts/{_quoted(ref)}/offers/{_quoted(offer)}/load", headers={'Idempotency-Key': idempotency_key}, keyed=True))

    def ask(self, ref: str) -> ProofAsked:
        """Send the member a code. To their confirmed e-mail address, in their language."""
        return cast('ProofAsked', self._call('POST', f"/v1/accounts/{_quoted(ref)}/proofs"))

    def confirm(self, ref: str, said: CodeSaid) -> Proved:
        """
        Take the code that the member typed. For a quarter of an hour from now on what this key
        asks to spend is decided.
        """
        return cast('Proved', self._call('POST', f"/v1/accounts/{_quoted(ref)}/proofs/confirm", body=said))

    def referrals(self, ref: str) -> Referrals:
        """
        Who invited whom, and what it brings. By whom the member came, and which friends they
        have brought.
        """
        return cast('Referrals', self._call('GET', f"/v1/accounts/{_quoted(ref)}/referrals"))

    def rewards(self, ref: str, *, basket: int | None = None) -> Rewards:
        """
        What points can be spent on, and how far it is to the rest. All rewards of the program,
        asked as a redemption would be.
        """
        return cast('Rewards', self._call('GET', f"/v1/accounts/{_quoted(ref)}/rewards", query={'basket': basket}))

    def statement(self, ref: str, *, from_: str | None | None = None, to: str | None | None = None, limit: int | None = None, cursor: str | None = None) -> StatementTold:
        """
        Opening, movements with their reasons, closing. A statement from a day to a day, both
        inside; days are the program's own.
        """
        return cast('StatementTold', self._call('GET', f"/v1/accounts/{_quoted(ref)}/statements", query={'from': from_, 'to': to, 'limit': limit, 'cursor': cursor}))

    def vouchers(self, ref: str, *, closed: bool | None = None) -> Vouchers:
        """The vouchers of an account. Vouchers with what they are good for and until when."""
        return cast('Vouchers', self._call('GET', f"/v1/accounts/{_quoted(ref)}/vouchers", query={'closed': closed}))

    def use_voucher(self, ref: str, code: str, said: UseVoucherRequest, *, idempotency_key: str) -> Answer:
        """Use a voucher up."""
        return cast('Answer', self._call('POST', f"/v1/accounts/{_quoted(ref)}/vouchers/{_quoted(code)}/use", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def adjustments(self, *, limit: int | None = None, cursor: str | None = None, state: str | None = None) -> Adjustments:
        """Adjustments, and which of them wait. Newest first. A till sees its own."""
        return cast('Adjustments', self._call('GET', "/v1/adjustments", query={'limit': limit, 'cursor': cursor, 'state': state}))

    def adjust(self, said: AdjustmentSaid, *, idempotency_key: str | None = None) -> AdjustmentTold:
        """
        Give or take by hand; above a limit it waits. Made at once within the limits of the key
        (200), or proposed to a second person (202).
        """
        return cast('AdjustmentTold', self._call('POST', "/v1/adjustments", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def adjustment(self, number: int) -> AdjustmentTold:
        """One adjustment. Who asked for what, who answered, and what became of it."""
        return cast('AdjustmentTold', self._call('GET', f"/v1/adjustments/{_quoted(number)}"))

    def approve(self, number: int, said: AnswerSaid) -> AdjustmentTold:
        """
        Approve what somebody else has proposed. The adjustment is made now. Whoever proposed it
        cannot approve it.
        """
        return cast('AdjustmentTold', self._call('POST', f"/v1/adjustments/{_quoted(number)}/approve", body=said))

    def decline(self, number: int, said: AnswerSaid) -> AdjustmentTold:
        """Decline what somebody else has proposed. The adjustment is not made, for ever."""
        return cast('AdjustmentTold', self._call('POST', f"/v1/adjustments/{_quoted(number)}/decline", body=said))

    def audit_log(self, *, limit: int | None = None, cursor: str | None = None, deed: str | None = None, key: str | None = None) -> AuditPage:
        """
        Who did what by hand, and by which key. Newest first. A line is never changed and never
        taken away.
        """
        return cast('AuditPage', self._call('GET', "/v1/audit", query={'limit': limit, 'cursor': cursor, 'deed': deed, 'key': key}))

    def v1_checkout_1(self) -> Any:
        """The script for a shop's checkout."""
        return self._call('GET', "/v1/checkout-1.js")

    def make_token(self, said: TokenAsked) -> TokenTold:
        """
        A token for one account at one checkout. Asked for by the shop's server; the browser has
        nothing else.
        """
        return cast('TokenTold', self._call('POST', "/v1/checkout-tokens", body=said))

    def checkout_hold(self, said: HoldAsked, *, authorization: str | None = None) -> CheckoutHold:
        """
        Set points aside for an order. Once per token. They are taken when the order is paid,
        and come back when it is not.
        """
        return cast('CheckoutHold', self._call('POST', "/v1/checkout/hold", headers={'authorization': authorization}, body=said))

    def checkout_quote(self, said: Basket, *, authorization: str | None = None) -> CheckoutForecast:
        """The balance, and what a basket would earn. Nothing is kept."""
        return cast('CheckoutForecast', self._call('POST', "/v1/checkout/quote", headers={'authorization': authorization}, body=said))

    def checkout_release(self, *, authorization: str | None = None) -> CheckoutHold:
        """Give back what was set aside. Only what the same token has set aside."""
        return cast('CheckoutHold', self._call('POST', "/v1/checkout/release", headers={'authorization': authorization}))

    def claim(self, said: ClaimRequest, *, idempotency_key: str) -> Answer:
        """Claim a purchase with its receipt."""
        return cast('Answer', self._call('POST', "/v1/claims", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def send(self, said: Event | Sequence[Event], *, idempotency_key: str | None = None) -> Answer | list[Answer]:
        """Record events, and decide them."""
        return cast('Answer | list[Answer]', self._call('POST', "/v1/events", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def export_table(self, what: str, *, format: str | None = None, after: int | None = None, upto: int | None = None) -> Iterator[str]:
        """
        A whole table, as a stream. Of one instant. A stream that broke goes on with the last
        number that came as ``after``.
        """
        return self._lines(f"/v1/exports/{_quoted(what)}", query={'format': format, 'after': after, 'upto': upto})

    def found_household(self, said: FoundHouseholdRequest, *, idempotency_key: str) -> Answer:
        """An account becomes a household, with its lead."""
        return cast('Answer', self._call('POST', "/v1/households", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def add_member(self, ref: str, said: AddMemberRequest, *, idempotency_key: str) -> Answer:
        """Somebody without an account becomes a member of a household."""
        return cast('Answer', self._call('POST', f"/v1/households/{_quoted(ref)}/members", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def leave(self, ref: str, member: str, said: LeaveRequest, *, idempotency_key: str) -> Answer:
        """A member leaves, with what is theirs."""
        return cast('Answer', self._call('POST', f"/v1/households/{_quoted(ref)}/members/{_quoted(member)}/leave", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def permit(self, ref: str, member: str, said: PermitRequest, *, idempotency_key: str) -> Answer:
        """The lead says whether a member may spend."""
        return cast('Answer', self._call('POST', f"/v1/households/{_quoted(ref)}/members/{_quoted(member)}/permit", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def list_imports(self) -> ImportsTold:
        """The newest imports. Whoever brought them, in the console too."""
        return cast('ImportsTold', self._call('GET', "/v1/imports"))

    def bring_import(self, file: tuple[str, bytes], *, do: str | None = None, kind: str | None = None, mapping: str | None = None) -> ImportTold:
        """
        Bring a file, and try or take it. A dry run first, if nothing else is said. What came
        before has no second effect.
        """
        return cast('ImportTold', self._call('POST', "/v1/imports", file=file, form={'do': do, 'kind': kind, 'mapping': mapping}))

    def look_at_import(self, number: int) -> ImportTold:
        """
        How an import stands. Its state is one of new, checking, checked, being taken, taken,
        failed, dropped.
        """
        return cast('ImportTold', self._call('GET', f"/v1/imports/{_quoted(number)}"))

    def bad_rows(self, number: int) -> str:
        """
        The bad rows of an import, as CSV. Kept for a week; only the first line where every row
        was taken.
        """
        return cast('str', self._call('GET', f"/v1/imports/{_quoted(number)}/bad-rows", text=True))

    def take_import(self, number: int) -> ImportTold:
        """Take a file that was tried. Also once more, where it failed."""
        return cast('ImportTold', self._call('POST', f"/v1/imports/{_quoted(number)}/take"))

    def list_keys(self) -> Keys:
        """The keys, without their secrets. Revoked ones too, oldest first."""
        return cast('Keys', self._call('GET', "/v1/keys"))

    def make_key(self, said: KeySaid) -> KeyMade:
        """
        Make a key; it is shown once. The answer is the only place where the key stands. If it
        is lost, revoke it by its prefix.
        """
        return cast('KeyMade', self._call('POST', "/v1/keys", body=said))

    def revoke_key(self, prefix: str) -> None:
        """Revoke a key, from the next request on. For ever; a key is not given back."""
        self._call('DELETE', f"/v1/keys/{_quoted(prefix)}")

    def enrol_member(self, said: Joins, *, idempotency_key: str | None = None) -> Joined:
        """
        Somebody joins. Personal data go to the vault; the account and its card are made by an
        event.
        """
        return cast('Joined', self._call('POST', "/v1/members", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def search(self, said: Look) -> Found:
        """
        Find members. By e-mail, phone, card, receipt, or the start of a name; a body, so that
        nothing personal stands in a log on the way.
        """
        return cast('Found', self._call('POST', "/v1/members/search", body=said))

    def erase(self, member: str) -> MemberSeen:
        """
        Erase a member. Holds are released, debts and points written off; then the key is
        destroyed. What is left says who it was to nobody. Sent again, nothing changes.
        """
        return cast('MemberSeen', self._call('DELETE', f"/v1/members/{_quoted(member)}"))

    def look(self, member: str) -> MemberSeen:
        """A member. The member with the cards, and as much of the person as the caller may see."""
        return cast('MemberSeen', self._call('GET', f"/v1/members/{_quoted(member)}"))

    def change(self, member: str, said: Changes, *, if_match: str | None = None) -> MemberSeen:
        """
        Change what is known of a member. Fields that are left out stay. It needs the ETag of
        what was read.
        """
        return cast('MemberSeen', self._call('PATCH', f"/v1/members/{_quoted(member)}", headers={'If-Match': if_match}, body=said))

    def add(self, member: str, said: NewCard, *, idempotency_key: str | None = None) -> MemberSeen:
        """
        Give a member another card. Points stay with the account. A card that is replaced is
        refused from now on.
        """
        return cast('MemberSeen', self._call('POST', f"/v1/members/{_quoted(member)}/cards", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def block(self, member: str, said: CardNamed) -> MemberSeen:
        """
        Block a card of a member. From the next event on it is refused; what had happened with
        it is recorded and flagged.
        """
        return cast('MemberSeen', self._call('POST', f"/v1/members/{_quoted(member)}/cards/block", body=said))

    def consents(self, member: str) -> Consents:
        """
        What a member agreed to, and took back. All of it, oldest first, with the wording that
        was shown.
        """
        return cast('Consents', self._call('GET', f"/v1/members/{_quoted(member)}/consents"))

    def consent(self, member: str, said: ConsentSaid) -> Consents:
        """
        A member agrees, or takes it back. What was said last of a purpose holds. Said again
        with the same text, nothing is added.
        """
        return cast('Consents', self._call('POST', f"/v1/members/{_quoted(member)}/consents", body=said))

    def export(self, member: str) -> Export:
        """
        Everything that is kept about a member. Personal data, consents, cards, the account, its
        events and entries with their explanations, and who has read the personal data.
        """
        return cast('Export', self._call('GET', f"/v1/members/{_quoted(member)}/export"))

    def preview(self, member: str, *, other: str) -> MergePreview:
        """
        See what a merge would bring. What would come over, what would not, and what has to be
        done first; nothing changes.
        """
        return cast('MergePreview', self._call('GET', f"/v1/members/{_quoted(member)}/merge", query={'other': other}))

    def merge(self, member: str, said: MergeSaid) -> MemberSeen:
        """
        Make one member of two. Everything on the other account comes to this one, the other
        cards answer to it, and the other member is erased. It cannot be undone; look first.
        Sent again, nothing changes.
        """
        return cast('MemberSeen', self._call('POST', f"/v1/members/{_quoted(member)}/merge", body=said))

    def stand(self) -> Positions:
        """Where partners and charities stand now. The sum of everything that was booked until now."""
        return cast('Positions', self._call('GET', "/v1/positions"))

    def programs(self) -> Programs:
        """
        The programs of the key, with their versions. Which versions were published, and from
        when each holds.
        """
        return cast('Programs', self._call('GET', "/v1/programs"))

    def program(self, name: str) -> ProgramTold:
        """
        One program, with its ETag. Its versions. The ETag is what publishing asks for as
        If-Match.
        """
        return cast('ProgramTold', self._call('GET', f"/v1/programs/{_quoted(name)}"))

    def difference(self, name: str, *, later: int | None = None, earlier: int | None = None) -> DifferenceTold:
        """The difference between two versions. What changes, thing by thing and as lines."""
        return cast('DifferenceTold', self._call('GET', f"/v1/programs/{_quoted(name)}/difference", query={'later': later, 'earlier': earlier}))

    def drafts(self, name: str) -> Drafts:
        """
        Drafts that wait for signatures. How many signatures a version needs, of which roles,
        and which drafts have how many.
        """
        return cast('Drafts', self._call('GET', f"/v1/programs/{_quoted(name)}/drafts"))

    def put_up(self, name: str, said: DraftSaid) -> DraftTold:
        """
        Put a version up for signatures. The same again is the same draft. Another byte, day or
        version before it is another one.
        """
        return cast('DraftTold', self._call('POST', f"/v1/programs/{_quoted(name)}/drafts", body=said))

    def drop(self, name: str, number: int) -> Drafts:
        """
        Take a draft back. It waits no longer. The same again changes nothing; what was
        published stays.
        """
        return cast('Drafts', self._call('DELETE', f"/v1/programs/{_quoted(name)}/drafts/{_quoted(number)}"))

    def validate(self, name: str, said: Validation) -> Validated:
        """
        Look at a program file before publishing. Its faults with line, column and suggestion;
        warnings; who would gain and who would lose.
        """
        return cast('Validated', self._call('POST', f"/v1/programs/{_quoted(name)}/validate", body=said))

    def publish(self, name: str, said: DraftSaid, *, if_match: str | None = None, if_none_match: str | None = None) -> PublishedTold:
        """
        Publish a version, now or from a later time on. Publish after the version that was seen
        last. The same file again changes nothing.
        """
        return cast('PublishedTold', self._call('POST', f"/v1/programs/{_quoted(name)}/versions", headers={'if-match': if_match, 'if-none-match': if_none_match}, body=said))

    def cancel(self, name: str, number: int) -> ProgramTold:
        """
        Cancel a version that has not begun. It is as if it had never been published; what is
        left of the versions. The same again changes nothing.
        """
        return cast('ProgramTold', self._call('DELETE', f"/v1/programs/{_quoted(name)}/versions/{_quoted(number)}"))

    def version(self, name: str, number: int) -> VersionSource:
        """A version with its file. The file as it was published."""
        return cast('VersionSource', self._call('GET', f"/v1/programs/{_quoted(name)}/versions/{_quoted(number)}"))

    def quote(self, said: Event | Sequence[Event], *, idempotency_key: str | None = None) -> Answer | list[Answer]:
        """What events would do now; nothing is kept."""
        return cast('Answer | list[Answer]', self._call('POST', "/v1/quotes", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def hold(self, said: HoldRequest, *, idempotency_key: str) -> Redemption:
        """Set points aside for a reward."""
        return cast('Redemption', self._call('POST', "/v1/redemptions", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def redemption(self, id: str) -> RedemptionTold:
        """A redemption as it stands now. What was set aside, until when, and what became of it."""
        return cast('RedemptionTold', self._call('GET', f"/v1/redemptions/{_quoted(id)}"))

    def capture(self, id: str, *, idempotency_key: str) -> Redemption:
        """Spend what is held."""
        return cast('Redemption', self._call('POST', f"/v1/redemptions/{_quoted(id)}/capture", headers={'Idempotency-Key': idempotency_key}, keyed=True))

    def release(self, id: str, *, idempotency_key: str) -> Redemption:
        """Give back what is held."""
        return cast('Redemption', self._call('POST', f"/v1/redemptions/{_quoted(id)}/release", headers={'Idempotency-Key': idempotency_key}, keyed=True))

    def refer(self, said: ReferRequest, *, idempotency_key: str) -> Answer:
        """A new member came by an invitation."""
        return cast('Answer', self._call('POST', "/v1/referrals", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def settlements(self, *, from_: str, to: str) -> Settlements:
        """
        What partners and charities owe and are owed for a period. By when it was booked.
        Statements that follow each other add up to that of all.
        """
        return cast('Settlements', self._call('GET', "/v1/settlements", query={'from': from_, 'to': to}))

    def list_shops(self) -> Shops:
        """The connections to shops. Without their secrets."""
        return cast('Shops', self._call('GET', "/v1/shops"))

    def add_shop(self, said: ShopNew) -> ShopTold:
        """
        Connect a shop. Its events come from the source of the key that makes it. It only
        listens: a token, and an address of the shop's API, are given on the command line.
        """
        return cast('ShopTold', self._call('POST', "/v1/shops", body=said))

    def remove_shop(self, connection: str) -> None:
        """Disconnect a shop. Its secrets are forgotten; what it told stays."""
        self._call('DELETE', f"/v1/shops/{_quoted(connection)}")

    def webhook(self, connection: str, said: Any) -> dict[str, Any]:
        """
        What a shop sends, with its signature. In the shop's own form and signed as the shop
        signs; docs/shops.md has it.
        """
        return cast('dict[str, Any]', self._call('POST', f"/v1/shops/{_quoted(connection)}/webhook", body=said))

    def survey_answers(self, *, limit: int | None = None, cursor: str | None = None, score: int | None = None, location: str | None = None, unreplied: bool | None = None) -> SurveyAnswers:
        """What members say about purchases. Newest first."""
        return cast('SurveyAnswers', self._call('GET', "/v1/survey-answers", query={'limit': limit, 'cursor': cursor, 'score': score, 'location': location, 'unreplied': unreplied}))

    def survey_reply(self, number: int, said: ReplySaid) -> SurveyAnswer:
        """
        Reply to a member. The member sees it on the card, and hears of it by mail where they
        agreed to that.
        """
        return cast('SurveyAnswer', self._call('POST', f"/v1/survey-answers/{_quoted(number)}/reply", body=said))

    def transfer(self, said: TransferRequest, *, idempotency_key: str) -> Answer:
        """Send points to another account."""
        return cast('Answer', self._call('POST', "/v1/transfers", headers={'Idempotency-Key': idempotency_key}, body=said, keyed=True))

    def list_webhooks(self) -> WebhookList:
        """The webhooks of the program. All of them, oldest first."""
        return cast('WebhookList', self._call('GET', "/v1/webhooks"))

    def make_webhook(self, said: dict[str, Any]) -> WebhookMade:
        """Make a webhook; its secret is shown once. It is told what happens from now on."""
        return cast('WebhookMade', self._call('POST', "/v1/webhooks", body=said))

    def drop_webhook(self, webhook: str) -> None:
        """Take a webhook away. What is on its way to it is forgotten."""
        self._call('DELETE', f"/v1/webhooks/{_quoted(webhook)}")

    def one_webhook(self, webhook: str) -> Webhook:
        """A webhook. How it stands, and whether it is called."""
        return cast('Webhook', self._call('GET', f"/v1/webhooks/{_quoted(webhook)}"))

    def change_webhook(self, webhook: str, said: dict[str, Any]) -> Webhook:
        """
        Change a webhook, pause it, or let it be called again. One that is called again is told
        what came meanwhile.
        """
        return cast('Webhook', self._call('PATCH', f"/v1/webhooks/{_quoted(webhook)}", body=said))

    def list_deliveries(self, webhook: str, *, state: Literal['', 'waiting', 'delivered', 'dead'] | None = None, limit: int | None = None, cursor: str | None = None) -> DeliveryPage:
        """
        What became of each message. Deliveries with their attempts, newest first. They are kept
        for 30 days.
        """
        return cast('DeliveryPage', self._call('GET', f"/v1/webhooks/{_quoted(webhook)}/deliveries", query={'state': state, 'limit': limit, 'cursor': cursor}))

    def resend_one(self, webhook: str, message: str) -> Staged:
        """
        Send one message again. Whatever became of it before. It has the same id and body, and a
        new signature.
        """
        return cast('Staged', self._call('POST', f"/v1/webhooks/{_quoted(webhook)}/deliveries/{_quoted(message)}/resend"))

    def resend_many(self, webhook: str, said: dict[str, Any]) -> Staged:
        """
        Send the messages of a time again. Those that are dead, or in another state; of any with
        an empty one.
        """
        return cast('Staged', self._call('POST', f"/v1/webhooks/{_quoted(webhook)}/resend", body=said))

    def rotate_secret(self, webhook: str) -> Secret:
        """
        Make a new secret; it is shown once. Both secrets sign for a day, so that the receiver
        can change over.
        """
        return cast('Secret', self._call('POST', f"/v1/webhooks/{_quoted(webhook)}/secret"))

    def send_test(self, webhook: str) -> Staged:
        """
        Send a test message. A message of type `webhook.test`, whatever types the webhook asks
        for.
        """
        return cast('Staged', self._call('POST', f"/v1/webhooks/{_quoted(webhook)}/test"))
