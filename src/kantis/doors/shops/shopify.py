"""Shopify: orders and refunds, as its webhooks and its Admin REST API write them.

What of a line was bought is what it has now and what came back of it: an item that an edit
removed was never bought. A gift card that is bought has the category ``gift-card``; one that
pays is the tender where nothing else pays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Headers
from typing import Any, Final

from kantis.core.amounts import divide
from kantis.core.events import Line
from kantis.desk.orders import Back, Order, Report
from kantis.doors.shops.pulling import Client
from kantis.doors.shops.reading import Mapping, Unreadable, decoded, moment, reads
from kantis.doors.shops.signatures import signed

_PAID: Final = "paid partially_refunded refunded"
_VERSION: Final = "2025-10"
_PAGE: Final = 100
#: Shopify repeats a delivery for four hours with its first time; headers are not signed.
_OLDEST_MINUTES: Final = "2880"
SECRETS: Final = {"signing": "the client secret of the app", "token": "an Admin API access token"}
NEEDS: Final = ("domain",)


def verify(mapping: Mapping, secrets: list[str], headers: Headers[str, str], body: bytes,
           now_ms: int) -> bool:  # fmt: skip
    """Whether it is signed with the shop's secret, of this shop, and not too old."""
    if not signed(secrets, body, headers.get("x-shopify-hmac-sha256", "")):
        return False
    if headers.get("x-shopify-shop-domain", "").lower() != mapping.get("domain").lower():
        return False
    made = headers.get("x-shopify-triggered-at", "")
    if not made:
        return True
    try:
        age_ms = now_ms - moment(made)
    except ValueError:
        return False
    return age_ms <= int(mapping.get("oldest", _OLDEST_MINUTES)) * 60_000


def read(mapping: Mapping, headers: Headers[str, str], body: bytes) -> list[Report]:
    """The reports of a delivery; none where it is about something else."""
    topic = headers.get("x-shopify-topic", "")
    if topic == "refunds/create":
        return [_refunded(mapping, decoded(body))]
    if topic.startswith("orders/") and topic not in ("orders/delete", "orders/edited"):
        return list(_told(mapping, decoded(body), 0))
    return []


@reads
def _refunded(mapping: Mapping, said: dict[str, Any]) -> Report:
    return Report(f"order:{said['order_id']}", backs=(_back(mapping, said),))


@reads
def _told(mapping: Mapping, said: dict[str, Any], pulled: int) -> list[Report]:
    if said.get("test") and mapping.get("test") != "yes":
        return []
    extra = {str(e["name"]): str(e["value"]) for e in said.get("note_attributes") or ()}
    customer = said.get("customer") or {}
    backs = tuple(_back(mapping, each) for each in said.get("refunds") or ())
    _check_money(mapping, said)
    lines = tuple(_lines(mapping, said))
    updated, status = moment(said["updated_at"]), str(said.get("financial_status"))
    gateways = [str(each) for each in said.get("payment_gateway_names") or ()]
    order = Order(
        version=(updated, pulled, len(said.get("refunds") or ()), len(said["line_items"])),
        time=moment(said.get("processed_at") or said["created_at"]),
        updated=updated,
        paid=status in mapping.words("paid", _PAID),
        cancelled=bool(said.get("cancelled_at")),
        subject=mapping.subject(customer.get("id"), extra),
        lines=lines,
        total=sum(line.amount + line.tax for line in lines),
        receipt=str(said.get("name") or ""),
        location=mapping.get("location", str(said.get("location_id") or "")),
        channel=str(said.get("source_name") or ""),
        tender=next((each for each in gateways if each != "gift_card"), "".join(gateways[:1])),
        hold=extra.get("kantis_hold", ""),
    )
    return [Report(f"order:{said['id']}", order, backs)]


def _check_money(mapping: Mapping, said: dict[str, Any]) -> None:
    there = {str(said.get("currency")), str(said.get("presentment_currency"))}
    if mapping.currency not in there:
        raise Unreadable(f"The order is in {' and '.join(sorted(there))}, not {mapping.currency}.")


def _amount(mapping: Mapping, said: dict[str, Any], name: str) -> int:
    """An amount in the program's money: of the shop or of the customer, whichever it is."""
    both = said.get(f"{name}_set") or {}
    for which in ("shop_money", "presentment_money"):
        one = both.get(which) or {}
        if one.get("currency_code") == mapping.currency:
            return mapping.minor(one["amount"])
    if both:
        raise Unreadable(f"{name} is not in {mapping.currency}.")
    return mapping.minor(said.get(name))


def _lines(mapping: Mapping, said: dict[str, Any]) -> Iterator[Line]:
    returned: dict[str, int] = {}
    for refund in said.get("refunds") or ():
        for each in refund.get("refund_line_items") or ():
            id = str(each["line_item_id"])
            returned[id] = returned.get(id, 0) + int(each["quantity"])
    for item in said["line_items"]:
        id, ordered = str(item["id"]), int(item["quantity"])
        now = item.get("current_quantity")
        bought = ordered if now is None else min(ordered, int(now) + returned.get(id, 0))
        if bought > 0:
            yield _line(mapping, item, id, ordered, bought, bool(said.get("taxes_included")))
    if mapping.get("shipping") == "yes":
        for ship in said.get("shipping_lines") or ():
            price = _amount(mapping, ship, "price")
            off = price - _amount(mapping, ship, "discounted_price")
            off = off if ship.get("discounted_price") is not None else 0
            tax = sum(_amount(mapping, each, "price") for each in ship.get("tax_lines") or ())
            amount = price - off - (tax if said.get("taxes_included") else 0)
            yield Line(f"shipping-{ship['id']}", "shipping", 1, amount, "shipping",
                       discount=off, tax=tax)  # fmt: skip


def _line(
    mapping: Mapping, item: dict[str, Any], id: str, ordered: int, bought: int, included: bool
) -> Line:
    def part(amount: int) -> int:
        return divide(amount * bought, ordered, "half up")

    off = part(sum(_amount(mapping, e, "amount") for e in item.get("discount_allocations") or ()))
    tax = part(sum(_amount(mapping, e, "price") for e in item.get("tax_lines") or ()))
    amount = _amount(mapping, item, "price") * bought - off - (tax if included else 0)
    product = item.get("sku") or item.get("product_id") or item.get("title") or ""
    category = "gift-card" if item.get("gift_card") else ""
    brand = str(item.get("vendor") or "")
    return Line(
        id, str(product), bought, amount, category=category, brand=brand, discount=off, tax=tax
    )


def _back(mapping: Mapping, said: dict[str, Any]) -> Back:
    """A refund: what goods came back, and money beyond their price."""
    lines: dict[str, int] = {}
    goods = 0
    for each in said.get("refund_line_items") or ():
        id = str(each["line_item_id"])
        lines[id] = lines.get(id, 0) + int(each["quantity"])
        goods += _amount(mapping, each, "subtotal") + _amount(mapping, each, "total_tax")
    sent = sum(
        _amount(mapping, each, "amount")
        for each in said.get("transactions") or ()
        if each.get("kind") == "refund" and each.get("status") == "success"
        and (each.get("amount_set") or each.get("currency", mapping.currency) == mapping.currency)
    )  # fmt: skip
    shipping = sum(
        abs(_amount(mapping, each, "amount")) + abs(_amount(mapping, each, "tax_amount"))
        for each in said.get("order_adjustments") or ()
        if each.get("kind") == "shipping_refund"
    )
    money = max(0, sent - goods - shipping)
    when = moment(said.get("processed_at") or said["created_at"])
    return Back(f"refund:{said['id']}", when, tuple(sorted(lines.items())), money)


def pull(mapping: Mapping, secrets: dict[str, str], client: Client, since: int,
         now_ms: int) -> Iterator[Report]:  # fmt: skip
    """All orders that changed since then, page by page."""
    base = mapping.get("api", f"https://{mapping.get('domain')}")
    client.headers["X-Shopify-Access-Token"] = secrets["token"]
    url = f"{base}/admin/api/{mapping.get('api version', _VERSION)}/orders.json"
    params: dict[str, str] = {
        "status": "any", "limit": str(_PAGE), "order": "updated_at asc",
        "updated_at_min": client.written(since),
    }  # fmt: skip
    while url:
        answer = client.get(url, params)
        for each in _orders(mapping, answer.data):
            yield from _told(mapping, each, now_ms)
        url, params = answer.next, {}


@reads
def _orders(mapping: Mapping, said: dict[str, Any]) -> Iterable[dict[str, Any]]:
    return list(said["orders"])
