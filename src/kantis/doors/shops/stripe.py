"""Stripe: subscriptions, as paid membership.

``plans`` says which price is which plan: ``price_1=plus/month, price_2=plus/year``. Where the
program's plan renews by paying, each invoice of a following term pays for one; where it renews
by itself (``renews``: ``itself``), only an invoice that failed is told, and that it was paid
after all. Both ways of writing a subscription's invoice are read, that of before 2025-03-31
and that of after.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Headers
from typing import Any, Final

from kantis.desk.subscriptions import Invoice, Notice, Subscription
from kantis.doors.shops.pulling import Client
from kantis.doors.shops.reading import Mapping, Unreadable, decoded, reads
from kantis.doors.shops.signatures import stripe_signed

_API: Final = "https://api.stripe.com"
_RUNS: Final = frozenset({"trialing", "active", "past_due"})
_STATES: Final = (
    "incomplete", "trialing", "active", "past_due", "unpaid", "paused", "incomplete_expired",
    "canceled",
)  # fmt: skip
_TOPICS: Final = {
    "customer.subscription.created": 0,
    "customer.subscription.updated": 1,
    "customer.subscription.paused": 1,
    "customer.subscription.resumed": 1,
    "customer.subscription.deleted": 2,
}
SECRETS: Final = {"signing": "the signing secret of the endpoint", "token": "a restricted key"}
NEEDS: Final = ("plans",)


def verify(mapping: Mapping, secrets: list[str], headers: Headers[str, str], body: bytes,
           now_ms: int) -> bool:  # fmt: skip
    """Whether it is signed with the endpoint's secret, at most five minutes ago."""
    return stripe_signed(secrets, body, headers.get("stripe-signature", ""), now_ms // 1000)


def read(mapping: Mapping, headers: Headers[str, str], body: bytes) -> list[Notice]:
    """The notice of a delivery; none where it is about something else."""
    return _notified(mapping, decoded(body))


@reads
def _notified(mapping: Mapping, said: dict[str, Any]) -> list[Notice]:
    kind, inside, made = said["type"], said["data"]["object"], int(said["created"])
    if not said.get("livemode", True) and mapping.get("test") != "yes":
        return []
    if kind in _TOPICS:
        return [_subscription(mapping, inside, made, (0, _TOPICS[kind]))]
    if kind in ("invoice.paid", "invoice.payment_failed"):
        return _invoice(inside)
    return []


@reads
def _subscription(
    mapping: Mapping, said: dict[str, Any], made: int, rank: tuple[int, int]
) -> Notice:
    status = str(said["status"])
    price = said["items"]["data"][0]["price"]
    known = dict(each.split("=", 1) for each in sorted(mapping.words("plans", "")))
    named = known.get(str(price["id"])) or known.get(str(price.get("lookup_key")))
    if named is None:
        raise Unreadable(f"No plan is named for the price {price['id']}.")
    plan, _, per = named.partition("/")
    extra = {str(name): str(value) for name, value in (said.get("metadata") or {}).items()}
    subscription = Subscription(
        version=(made, *rank, _STATES.index(status)),
        time=int(said.get("start_date") or said["created"]) * 1000,
        updated=made * 1000,
        subject=mapping.subject(said["customer"], extra),
        plan=plan,
        per=per,
        runs=status in _RUNS,
        ends=bool(said.get("cancel_at_period_end") or said.get("cancel_at")),
        trial=bool(said.get("trial_end")) and said.get("trial_start") == said.get("start_date"),
        by_itself=mapping.get("renews") == "itself",
    )
    return Notice(f"subscription:{said['id']}", subscription)


def _invoice(said: dict[str, Any]) -> list[Notice]:
    if said.get("billing_reason") != "subscription_cycle":
        return []
    details = (said.get("parent") or {}).get("subscription_details") or {}
    number = details.get("subscription") or said.get("subscription")
    if not number:
        return []
    paid = said["status"] == "paid"
    failed = int(said.get("attempt_count") or 0) - paid
    when = (said.get("status_transitions") or {}).get("paid_at") or said["created"]
    invoice = Invoice(f"invoice:{said['id']}", int(when) * 1000, paid, max(0, failed))
    return [Notice(f"subscription:{number}", invoices=(invoice,))]


def pull(mapping: Mapping, secrets: dict[str, str], client: Client, since: int,
         now_ms: int) -> Iterator[Notice]:  # fmt: skip
    """All subscriptions, and the invoices made since then, page by page."""
    client.headers["Authorization"] = f"Bearer {secrets['token']}"
    for said in _pages(mapping, client, "subscriptions", {"status": "all"}):
        yield _subscription(mapping, said, now_ms // 1000, (1, 0))
    for said in _pages(mapping, client, "invoices", {"created[gte]": str(since // 1000)}):
        if said.get("status") == "paid" or said.get("attempted"):
            yield from _read_invoice(mapping, said)


@reads
def _read_invoice(mapping: Mapping, said: dict[str, Any]) -> list[Notice]:
    return _invoice(said)


def _pages(
    mapping: Mapping, client: Client, name: str, params: dict[str, str]
) -> Iterator[dict[str, Any]]:
    params = {"limit": "100"} | params
    while True:
        said = client.get(f"{mapping.get('api', _API).rstrip('/')}/v1/{name}", params).data
        yield from said["data"]
        if not said.get("has_more"):
            return
        params |= {"starting_after": str(said["data"][-1]["id"])}
