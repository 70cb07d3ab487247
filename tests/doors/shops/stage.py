"""A desk with a program, connections to shops, and what these send."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import kantis.desk
from kantis.core.calendar import instant
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.core.knobs import plain
from kantis.desk import shops, text
from kantis.desk.results import Result
from kantis.desk.showing import standing
from kantis.desk.submit import Desk
from kantis.doors.shops.kinds import Kind, check
from tests.support.seals import seals_of

PAYLOADS = Path(__file__).parent / "payloads"
NOON = instant("2026-03-01T12:00:00Z")
SIGNING = "hush"

PROGRAM = """\
program: club
money: EUR
timezone: Europe/Helsinki
balances:
  points: {expires: 12 months after earning}
  stars: {expires: 6 months after the month of earning}
counters:
  spend: {counts: spend, window: calendar year}
  orders: {counts: purchases, window: rolling 12 months}
tiers:
  status:
    by: spend
    levels: {basic: from the start, silver: 40 EUR, gold: 60 EUR}
    lasts: to the end of the next calendar year
caps:
  bonus: {at most: 5 points per calendar year}
earning:
  base: {give: {basic: 1 point per 1 EUR, silver: 2 points per 1 EUR, gold: 3 points per 1 EUR}}
  extra: {give: 1 point per 10 EUR, cap: bonus}
  star: {give: 1 star per 7 EUR, available: after 14 days}
rewards:
  off: {rate: 1 EUR per 10 points, step: 10 points}
plans:
  plus: {fee: 5.00 EUR per month, trial: 30 days, renews: by paying, grace: 10 days}
"""

SETTINGS = {
    "shopify": {"domain": "club.myshopify.com"},
    "woocommerce": {"domain": "https://club.example"},
    "square": {"url": "https://kantis.example/v1/shops/square/webhook"},
    "stripe": {"plans": "price_plus=plus/month", "test": "yes"},
}


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


class Stage:
    """A desk whose clock stands still, and one connection of each kind, named like it."""

    def __init__(self, url: str, program: str = PROGRAM, **settings: dict[str, str]) -> None:
        self.now = NOON
        desk = kantis.desk.open(url, clock=lambda: self.now)
        assert isinstance(desk, Desk)
        self.desk = desk
        if "club" not in desk.books.programs():
            desk.publish("club", 0, program, plain(text.read(program)))
            for kind, usual in SETTINGS.items():
                said = usual | settings.get(kind, {})
                check(kind, {"signing": SIGNING}, said)
                about = kind, kind, "club", kind, {"signing": SIGNING}
                shops.connect(desk, seals_of(desk), *about, said)
        self.kinds = {
            kind: Kind(shops.opened(seals_of(desk), found))
            for kind in SETTINGS
            if (found := shops.find(desk.books, kind)) is not None
        }

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self.desk.close()

    def hear(self, kind: str, body: bytes, **headers: str) -> list[Result]:
        """What the webhook does, without its network: read, and hand over."""
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        reports = self.kinds[kind].read(said, body)
        return self.desk.hear(kind, shops.encode(reports)) if reports else []

    def shopify(self, topic: str, said: Any) -> list[Result]:
        return self.hear("shopify", json.dumps(said).encode(), x_shopify_topic=topic)

    def member(self, card: str, spent: int = 0) -> None:
        """Somebody who is enrolled, and has bought for so much."""
        events = [Event("till", f"enrol-{card}", NOON - 86_400_000, f"card:{card}", Enrol())]
        if spent:
            bought = Purchase((Line("1", "tea", 1, spent),))
            events.append(Event("till", f"b-{card}", NOON - 86_000_000, f"card:{card}", bought))
        assert all(each.outcome == "decided" for each in self.desk.submit(events))

    def stands(self, card: str) -> dict[str, Any]:
        """The account of a card, without what is its own."""
        books = self.desk.books
        self.desk.homes.refresh(books)
        home = self.desk.homes.find("club")
        assert home is not None
        number = books.cards([(home.number, card)])[home.number, card]
        row = books.account(number)
        assert row is not None
        found = standing(books, home, row, self.now)
        return {k: v for k, v in found.items() if k not in ("account", "cards", "holds")}

    def flags(self) -> list[str]:
        return [each.flag for each in self.desk.books.flags(1_000)]


def sign(body: bytes, secret: str = SIGNING) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


# ── the life of a Shopify order ──────────────────────────────────────────────


def shopify_life(number: int, customer: int) -> dict[str, tuple[str, Any]]:
    """Deliveries of one order, each (topic, body): paid, edited, refunded in part and in full."""
    paid = payload("shopify-order") | {"id": number}
    paid["customer"]["id"] = customer
    edited = deepcopy(paid)
    tea = deepcopy(edited["line_items"][1]) | {
        "id": 700, "sku": "TEA", "quantity": 3, "current_quantity": 3, "price": "6.10",
        "discount_allocations": [], "tax_lines": [],
    }  # fmt: skip
    tea["price_set"]["shop_money"]["amount"] = "6.10"
    edited["line_items"].append(tea)
    edited["line_items"][1]["current_quantity"] = 0  # the mug was removed
    edited["updated_at"] = "2026-03-01T12:10:00+02:00"
    part = payload("shopify-refund") | {"order_id": number, "id": number * 10 + 1}
    after = deepcopy(edited)
    after["refunds"], after["line_items"][0]["current_quantity"] = [part], 1
    after |= {"financial_status": "partially_refunded", "updated_at": "2026-03-01T12:20:01+02:00"}
    rest = deepcopy(part) | {"id": number * 10 + 2, "processed_at": "2026-03-01T12:30:00+02:00"}
    rest["refund_line_items"].append(
        deepcopy(part["refund_line_items"][0]) | {"line_item_id": 700, "quantity": 3}
    )
    rest["transactions"][0]["amount"] = "29.55"
    whole = deepcopy(after)
    whole["refunds"].append(rest)
    for line in whole["line_items"]:
        line["current_quantity"] = 0
    whole |= {
        "financial_status": "refunded", "updated_at": "2026-03-01T12:30:01+02:00",
        "cancelled_at": "2026-03-01T12:30:00+02:00",
    }  # fmt: skip
    return {
        "paid": ("orders/paid", paid),
        "edited": ("orders/updated", edited),
        "part": ("refunds/create", part),
        "after": ("orders/updated", after),
        "rest": ("refunds/create", rest),
        "whole": ("orders/cancelled", whole),
    }
