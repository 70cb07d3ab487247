"""Square: payments, what they were for, and refunds.

What is booked is the payment, without its tip. Its lines are those of its order where the
connection has a token and the order has this one payment; otherwise it is one line. Refunds
are of money: they lower the price, and one of everything returns all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Headers
from typing import Any, Final

from msgspec import structs

from kantis.core.events import Line
from kantis.desk.orders import Back, Order, Report
from kantis.desk.shops import LOOK
from kantis.doors.shops.pulling import Client
from kantis.doors.shops.reading import Mapping, Unreadable, decoded, moment, reads
from kantis.doors.shops.signatures import signed

_PAID: Final = "COMPLETED"
_CANCELLED: Final = frozenset({"CANCELED", "FAILED"})
_API: Final = "https://connect.squareup.com"
_VERSION: Final = "2025-10-16"
SECRETS: Final = {"signing": "the signature key of the webhook", "token": "an access token"}
NEEDS: Final = ("url",)


def verify(mapping: Mapping, secrets: list[str], headers: Headers[str, str], body: bytes,
           now_ms: int) -> bool:  # fmt: skip
    """Whether it is signed for this address with the webhook's key."""
    said = headers.get("x-square-hmacsha256-signature", "")
    return signed(secrets, mapping.get("url").encode() + body, said)


def read(mapping: Mapping, headers: Headers[str, str], body: bytes) -> list[Report]:
    """The report of a delivery; none where it is about something else."""
    return _notified(mapping, decoded(body))


@reads
def _notified(mapping: Mapping, said: dict[str, Any]) -> list[Report]:
    merchant = mapping.get("merchant")
    if merchant and said["merchant_id"] != merchant:
        raise Unreadable("It is about another merchant.")
    kind = said["type"]
    if kind in ("payment.created", "payment.updated"):
        return [_payment(mapping, said["data"]["object"]["payment"], 0)]
    if kind in ("refund.created", "refund.updated"):
        return _refund(mapping, said["data"]["object"]["refund"])
    if kind in ("order.created", "order.updated"):
        inside = said["data"]["object"]
        name = kind.replace(".", "_")
        return [Report(f"{LOOK}{inside[name]['order_id']}")]
    return []


@reads
def _payment(mapping: Mapping, said: dict[str, Any], pulled: int) -> Report:
    updated, status = moment(said["updated_at"]), str(said["status"])
    amount = _money(mapping, said["amount_money"])
    extra = {"reference_id": str(said.get("reference_id") or ""), "note": str(said.get("note", ""))}
    order = Order(
        version=(updated, pulled, int(said.get("version") or 0), 0),
        time=moment(said["created_at"]),
        updated=updated,
        paid=status in mapping.words("paid", _PAID),
        cancelled=status in _CANCELLED,
        subject=mapping.subject(said.get("customer_id"), extra),
        lines=(Line("payment", "payment", 1, amount),),
        total=amount,
        receipt=str(said.get("receipt_number") or ""),
        location=mapping.get("location", str(said.get("location_id") or "")),
        channel=str((said.get("application_details") or {}).get("square_product") or ""),
        tender=str(said.get("source_type") or "").lower(),
    )
    return Report(f"payment:{said['id']}", order)


@reads
def _refund(mapping: Mapping, said: dict[str, Any]) -> list[Report]:
    if said["status"] != "COMPLETED":
        return []
    back = Back(f"refund:{said['id']}", moment(said["created_at"]), (),
                _money(mapping, said["amount_money"]))  # fmt: skip
    return [Report(f"payment:{said['payment_id']}", backs=(back,))]


def _money(mapping: Mapping, said: dict[str, Any]) -> int:
    """Square counts in the smallest coin already."""
    if said["currency"] != mapping.currency:
        raise Unreadable(f"It is in {said['currency']}, not {mapping.currency}.")
    amount = said["amount"]
    if not isinstance(amount, int):
        raise Unreadable(f"{amount!r} is no amount.")
    return amount


def complete(mapping: Mapping, secrets: dict[str, str], client: Client,
             report: Report) -> list[Report]:  # fmt: skip
    """With the lines of the payment's order, which Square has to be asked for."""
    number = report.reference.partition(":")[2]
    if "token" not in secrets:
        return [] if report.reference.startswith(LOOK) else [report]
    _authorise(secrets, client)
    if report.reference.startswith(LOOK):
        return list(_ordered(mapping, client, number, 0))
    if report.order is None:
        return [report]
    said = client.get(f"{_api(mapping)}/v2/payments/{number}").data
    order = _order_of(said)
    return [report] if not order else [_lined(mapping, report, _asked(mapping, client, order))]


@reads
def _asked(mapping: Mapping, client: Client, number: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"{_api(mapping)}/v2/orders/{number}").data["order"]
    return found


def _order_of(said: Any) -> str:
    payment = said.get("payment") if isinstance(said, dict) else None
    return str((payment or {}).get("order_id") or "")


def _ordered(mapping: Mapping, client: Client, number: str, pulled: int) -> Iterator[Report]:
    """The payments of an order, with its lines."""
    order = _asked(mapping, client, number)
    for tender in order.get("tenders") or ():
        id = tender.get("payment_id") or tender.get("id")
        said = client.get(f"{_api(mapping)}/v2/payments/{id}").data
        yield _lined(mapping, _payment(mapping, said["payment"], pulled), order)


@reads
def _lined(mapping: Mapping, report: Report, said: dict[str, Any]) -> Report:
    """The payment with the lines of its order, if they are what it paid."""
    order = report.order
    assert order is not None
    tips = _money(mapping, said.get("total_tip_money") or _none(mapping))
    paid = _money(mapping, said["total_money"]) - tips
    if len(said.get("tenders") or ()) != 1 or paid != order.total or not said.get("line_items"):
        return report
    lines = tuple(_line(mapping, each) for each in said["line_items"])
    version = (*order.version[:3], int(said.get("version") or 0))
    return structs.replace(report, order=structs.replace(order, lines=lines, version=version))


def _line(mapping: Mapping, said: dict[str, Any]) -> Line:
    tax = _money(mapping, said.get("total_tax_money") or _none(mapping))
    off = _money(mapping, said.get("total_discount_money") or _none(mapping))
    amount = _money(mapping, said["total_money"]) - tax
    quantity = str(said["quantity"])
    product = said.get("catalog_object_id") or said.get("name") or ""
    kind = "gift-card" if said.get("item_type") == "GIFT_CARD" else ""
    return Line(str(said["uid"]), str(product), int(quantity) if quantity.isdecimal() else 1,
                amount, category=kind, discount=off, tax=tax)  # fmt: skip


def _none(mapping: Mapping) -> dict[str, Any]:
    return {"amount": 0, "currency": mapping.currency}


def _api(mapping: Mapping) -> str:
    return mapping.get("api", _API).rstrip("/")


def _authorise(secrets: dict[str, str], client: Client) -> None:
    client.headers["Authorization"] = f"Bearer {secrets['token']}"
    client.headers["Square-Version"] = _VERSION


def pull(mapping: Mapping, secrets: dict[str, str], client: Client, since: int,
         now_ms: int) -> Iterator[Report]:  # fmt: skip
    """All payments and refunds that changed since then, page by page."""
    _authorise(secrets, client)
    for said in _pages(mapping, client, "payments", since):
        report = _payment(mapping, said, now_ms)
        number = str(said.get("order_id") or "")
        yield _lined(mapping, report, _asked(mapping, client, number)) if number else report
    for said in _pages(mapping, client, "refunds", since):
        yield from _refund(mapping, said)


def _pages(mapping: Mapping, client: Client, name: str, since: int) -> Iterator[dict[str, Any]]:
    params = {
        "updated_at_begin_time": client.written(since), "sort_field": "UPDATED_AT",
        "sort_order": "ASC", "limit": "100",
    }  # fmt: skip
    while True:
        said = client.get(f"{_api(mapping)}/v2/{name}", params).data
        yield from said.get(name) or ()
        if not said.get("cursor"):
            return
        params |= {"cursor": str(said["cursor"])}
