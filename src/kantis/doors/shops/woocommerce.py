"""WooCommerce: orders, as its webhooks and its REST API (v3) write them.

There is no webhook for refunds: an order that was changed has their sums, and the lines stand
at an address of their own, which is asked where the connection has a token. Until then a
refund is money without goods. Numbers of orders are the same with and without HPOS.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from collections.abc import Mapping as Headers
from typing import Any, Final

from msgspec import structs

from kantis.core.events import Line
from kantis.desk.orders import Back, Order, Report
from kantis.doors.shops.pulling import Client
from kantis.doors.shops.reading import (
    Mapping,
    Unreadable,
    decoded,
    known_money,
    moment_utc,
    reads,
)
from kantis.doors.shops.signatures import signed

_PAID: Final = "processing completed"
_CANCELLED: Final = frozenset({"cancelled", "refunded", "failed", "trash"})
_PAGE: Final = 100
_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}")
SECRETS: Final = {
    "signing": "the secret of the webhook",
    "token": "consumer key and consumer secret, as in ck_…:cs_…",
}
NEEDS: Final = ("domain",)


def greeting(headers: Headers[str, str], body: bytes) -> bool:
    """Whether it is the unsigned ping of a webhook that was just made; it says nothing."""
    return _PING.fullmatch(body) is not None and "x-wc-webhook-signature" not in headers


def verify(mapping: Mapping, secrets: list[str], headers: Headers[str, str], body: bytes,
           now_ms: int) -> bool:  # fmt: skip
    """Whether it is signed with the webhook's secret, and of this shop."""
    if not signed(secrets, body, headers.get("x-wc-webhook-signature", "")):
        return False
    source = headers.get("x-wc-webhook-source", "")
    return _host(source) == _host(mapping.get("domain"))


def _host(address: str) -> str:
    return address.lower().partition("://")[2].strip("/") or address.lower().strip("/")


def read(mapping: Mapping, headers: Headers[str, str], body: bytes) -> list[Report]:
    """The report of a delivery; none where it is about something else."""
    topic = headers.get("x-wc-webhook-topic", "")
    if topic not in ("order.created", "order.updated", "order.restored"):
        return []
    return [_told(mapping, decoded(body), 0)]


@reads
def _told(mapping: Mapping, said: dict[str, Any], pulled: int) -> Report:
    if known_money(said["currency"]) != mapping.currency:
        raise Unreadable(f"The order is in {said['currency']}, not {mapping.currency}.")
    status, reference = str(said["status"]), f"order:{said['id']}"
    extra = {str(e["key"]): str(e["value"]) for e in said.get("meta_data") or ()}
    updated = moment_utc(said["date_modified_gmt"])
    paid = said.get("date_paid_gmt")
    backs = tuple(
        Back(f"refund:{each['id']}", updated, (), abs(mapping.minor(each["total"])))
        for each in said.get("refunds") or ()
    )
    order = Order(
        version=(updated, pulled, len(backs), int(status in _CANCELLED)),
        time=moment_utc(said.get("date_created_gmt") or paid),
        updated=updated,
        paid=bool(paid) or status in mapping.words("paid", _PAID),
        cancelled=status in _CANCELLED,
        subject=mapping.subject(said.get("customer_id"), extra),
        lines=tuple(_lines(mapping, said)),
        total=mapping.minor(said["total"]),
        receipt=str(said.get("number") or ""),
        location=mapping.get("location"),
        channel=str(said.get("created_via") or ""),
        tender=str(said.get("payment_method") or ""),
        hold=extra.get("kantis_hold", ""),
    )
    return Report(reference, order, backs)


def _lines(mapping: Mapping, said: dict[str, Any]) -> Iterator[Line]:
    for item in said["line_items"]:
        total, before = mapping.minor(item["total"]), mapping.minor(item["subtotal"])
        product = item.get("sku") or item.get("variation_id") or item.get("product_id") or ""
        yield Line(
            str(item["id"]), str(product), int(item["quantity"]), total,
            discount=max(0, before - total), tax=mapping.minor(item.get("total_tax")),
        )  # fmt: skip
    if mapping.get("shipping") == "yes":
        for ship in said.get("shipping_lines") or ():
            tax = mapping.minor(ship.get("total_tax"))
            yield Line(f"shipping-{ship['id']}", "shipping", 1, mapping.minor(ship["total"]),
                       "shipping", tax=tax)  # fmt: skip


def complete(mapping: Mapping, secrets: dict[str, str], client: Client,
             report: Report) -> list[Report]:  # fmt: skip
    """The same with the lines of its refunds, which the shop has to be asked for."""
    if not report.backs or "token" not in secrets:
        return [report]
    _authorise(secrets, client)
    number = report.reference.partition(":")[2]
    said = client.get(f"{_api(mapping)}/orders/{number}/refunds", {"per_page": str(_PAGE)})
    backs = _refunds(mapping, said.data)
    return [structs.replace(report, backs=backs)]


@reads
def _refunds(mapping: Mapping, said: list[dict[str, Any]]) -> tuple[Back, ...]:
    return tuple(_back(mapping, each) for each in said)


def _back(mapping: Mapping, said: dict[str, Any]) -> Back:
    lines: dict[str, int] = {}
    goods = 0
    for item in said.get("line_items") or ():
        quantity = abs(int(item["quantity"]))
        of = next((m["value"] for m in item.get("meta_data") or ()
                   if m.get("key") == "_refunded_item_id"), item["id"])  # fmt: skip
        if quantity:
            lines[str(of)] = lines.get(str(of), 0) + quantity
            goods += abs(mapping.minor(item["total"])) + abs(mapping.minor(item.get("total_tax")))
    shipping = sum(
        abs(mapping.minor(each["total"])) + abs(mapping.minor(each.get("total_tax")))
        for each in said.get("shipping_lines") or ()
    )
    money = max(0, abs(mapping.minor(said["amount"])) - goods - shipping)
    when = moment_utc(said["date_created_gmt"])
    return Back(f"refund:{said['id']}", when, tuple(sorted(lines.items())), money, 1)


def _api(mapping: Mapping) -> str:
    return f"{mapping.get('api', mapping.get('domain')).rstrip('/')}/wp-json/wc/v3"


def _authorise(secrets: dict[str, str], client: Client) -> None:
    said = base64.b64encode(secrets["token"].encode()).decode()
    client.headers["Authorization"] = f"Basic {said}"


def pull(mapping: Mapping, secrets: dict[str, str], client: Client, since: int,
         now_ms: int) -> Iterator[Report]:  # fmt: skip
    """All orders that changed since then, page by page, each with the lines of its refunds."""
    _authorise(secrets, client)
    page = 1
    while True:
        answer = client.get(f"{_api(mapping)}/orders", {
            "modified_after": client.written(since), "dates_are_gmt": "true",
            "orderby": "modified", "order": "asc", "per_page": str(_PAGE), "page": str(page),
        })  # fmt: skip
        for each in answer.data:
            yield from complete(mapping, secrets, client, _told(mapping, each, now_ms))
        if page >= int(answer.headers.get("x-wp-totalpages", "1") or "1"):
            return
        page += 1
