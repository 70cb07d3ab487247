"""Kinds: the connectors by name, and what each of them does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Headers
from types import ModuleType
from typing import Any, Final

from kantis.core.knobs import Fault, ProgramError
from kantis.desk.shops import KINDS, Connection, Report
from kantis.doors.shops import shopify, square, stripe, woocommerce
from kantis.doors.shops.pulling import Client
from kantis.doors.shops.reading import Mapping

_MODULES: Final[dict[str, ModuleType]] = {
    "shopify": shopify,
    "woocommerce": woocommerce,
    "square": square,
    "stripe": stripe,
}
assert set(_MODULES) == set(KINDS)

#: The settings that every connection can have, and what each says.
SETTINGS: Final = {
    "card": "where the card is: customer, or field:NAME for a field that has its number",
    "prefix": "what stands before a customer's number to make a card; usual: the name and a dash",
    "currency": "the money that the program counts in; usual: that of the program",
    "paid": "the states of an order that count as paid",
    "location": "the location of all orders; usual: the shop's own",
    "shipping": "yes: shipping is a line of the category shipping",
    "test": "yes: test orders count",
    "oldest": "Shopify: how many minutes old a delivery may be; usual: 2880",
    "domain": "Shopify: shop.myshopify.com; WooCommerce: https://shop.example",
    "url": "Square: the address of the webhook, as Square has it",
    "merchant": "Square: the merchant's id",
    "plans": "Stripe: price_1=plus/month price_2=plus/year",
    "renews": "Stripe: paying, or itself, as the program's plan does",
    "api": "another address of the shop's API, for a sandbox",
    "api version": "Shopify: the version of the Admin API",
}


class Kind:
    """The connector of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._module: Any = _MODULES[connection.kind]
        self.connection = connection
        self.mapping = Mapping(connection.name, connection.settings)

    @property
    def signing(self) -> list[str]:
        """The secrets that hold; two while one is being changed."""
        return self.connection.secrets["signing"].split()

    def greeting(self, headers: Headers[str, str], body: bytes) -> bool:
        """Whether it says nothing and wants nothing but a yes."""
        found: Callable[..., bool] | None = getattr(self._module, "greeting", None)
        return found is not None and found(headers, body)

    def verify(self, headers: Headers[str, str], body: bytes, now_ms: int) -> bool:
        """Whether the shop has sent it."""
        return bool(self._module.verify(self.mapping, self.signing, headers, body, now_ms))

    def read(self, headers: Headers[str, str], body: bytes) -> list[Report]:
        """What it says; ``Unreadable``."""
        found: list[Report] = self._module.read(self.mapping, headers, body)
        return found

    def complete(self, client: Client, report: Report) -> list[Report]:
        """The same with what the shop has to be asked for; ``Silent``."""
        found: Callable[..., list[Report]] | None = getattr(self._module, "complete", None)
        if found is None:
            return [report]
        return found(self.mapping, self.connection.secrets, client, report)

    @property
    def asks(self) -> bool:
        """Whether deliveries are completed by asking the shop."""
        return hasattr(self._module, "complete")

    def pull(self, client: Client, since: int, now_ms: int) -> Iterator[Report]:
        """All that has changed since an instant."""
        found: Iterator[Report] = self._module.pull(
            self.mapping, self.connection.secrets, client, since, now_ms
        )
        return found


def check(kind: str, secrets: dict[str, str], settings: dict[str, str]) -> None:
    """``ProgramError`` when a connection of that kind lacks something, or has too much."""
    module: Any = _MODULES.get(kind)
    if module is None:
        return  # the desk says which kinds there are
    faults = []
    if not secrets.get("signing", "").split():
        faults.append(Fault("secret-missing", f"Say the secret: {module.SECRETS['signing']}."))
    for name in module.NEEDS:
        if not settings.get(name):
            message = f"A connection to {kind} needs the setting {name!r}: {SETTINGS[name]}."
            faults.append(Fault("setting-missing", message))
    for name in settings:
        if name not in SETTINGS:
            known = ", ".join(SETTINGS)
            faults.append(Fault("unknown-setting", f"No setting is {name!r}. There are {known}."))
    for name in secrets:
        if name not in module.SECRETS:
            faults.append(Fault("unknown-secret", f"{kind} has no secret {name!r}."))
    if faults:
        raise ProgramError(faults)
