"""Definitions: each measure with its title, its columns, and how its figures are computed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from kantis.desk.measures import mixes

MONTH: Final = "Month"


class Definition(Struct, frozen=True):
    """A measure in words. ``draws`` are the columns that its chart shows."""

    key: str
    title: str
    how: str
    columns: tuple[str, ...]
    draws: tuple[int, ...] = ()


ENROLMENT: Final = Definition(
    "enrolment",
    "Enrolment",
    "Joined: accounts that were opened in the month. Members: all that were opened by its end;"
    " who has left since is still among them.",
    (MONTH, "Joined", "Members"),
    (1,),
)
ACTIVE: Final = Definition(
    "active",
    "Active members",
    "Active: members with at least one purchase in the month. Share: of all members at its end.",
    (MONTH, "Active", "Share of members"),
    (1,),
)
FREQUENCY: Final = Definition(
    "frequency",
    "How often members come",
    "Purchases of members in the month, divided by the members who bought in it. The months"
    " before stand beside it; without a card nobody can tell who came again.",
    (MONTH, "Active", "Purchases", "Purchases each"),
    (3,),
)
RETENTION: Final = Definition(
    "retention",
    "Who stays",
    "Of those who joined in a month, the share that bought so many months later; 0 is the month"
    " of joining. Each month stands for itself: who stayed away for one can be back in the next.",
    ("Month of joining", "Joined"),
)
ORDERS: Final = Definition(
    "orders",
    "Order value",
    "What the lines of purchases cost, before points, vouchers and member prices, divided by the"
    " number of purchases; beside it purchases without a card. Who takes a card often bought more"
    " before too, so the difference is not what the program brought.",
    (MONTH, "By members", "Average", "Without a card", "Average without a card"),
    (2, 4),
)
PRODUCTS: Final = Definition(
    "products",
    "What is bought",
    "What lines cost, before points, vouchers, member prices and returns, by the department of a"
    " line or else its category, in the months that are shown. Share: of all that members bought."
    " Before: the same share in as many months just before. The twelve with the most are named.",
    (
        "Type of product", "By members", "Share", "Share before", "Without a card",
        "Share without a card",
    ),
)  # fmt: skip
CHANNELS: Final = Definition(
    "channels",
    "Where members buy",
    "Purchases of members by the channel that the till or the shop names, in the months that are"
    " shown. Share: of all purchases of members. Before: the same share in as many months just"
    " before. Sales: what their lines cost, before returns.",
    (
        "Channel", "Purchases", "Share", "Share before", "Without a card", "Share without a card",
        "Sales", "Average",
    ),
)  # fmt: skip
POINTS: Final = Definition(
    "points",
    "%(name)s: what came and went",
    "Opening, what came and what went add up to closing, to the last point what stands in the"
    " books; points behind open vouchers are in it. Beside the sum: what became available, and"
    " what was used, which is spent or turned into vouchers.",
    (
        MONTH, "Opening", "Earned", "Brought along", "Moved", "Adjusted", "Redeemed", "Expired",
        "Taken back", "Forfeited", "Elsewhere", "Closing", "Became available", "Used",
    ),
    (2, 13),
)  # fmt: skip
REDEMPTION: Final = Definition(
    "redemption",
    "%(name)s: redemption rate",
    "Of what was earned in a month, less what was taken back, the share that members have used by"
    " now: spent, or turned into vouchers or payouts. Young months are still low. What will never"
    " be used is called breakage.",
    ("Month of earning", "Earned", "Used by now", "Rate"),
    (3,),
)
RETURN: Final = Definition(
    "return",
    "Coming back",
    "Of members who bought for the first time in a month, the share that has bought again on"
    " another day by now, and the days after which half of those had come.",
    ("Month of first purchase", "Members", "Came again", "Share", "Median days"),
    (3,),
)
VALUE: Final = Definition(
    "value",
    "Lifetime value so far",
    "All that those who joined in a month have bought so far, before returns, divided by those"
    " who joined. It is sales and not profit, and no forecast.",
    ("Month of joining", "Joined", "Sales so far", "Per member"),
    (3,),
)
ANSWERS: Final = Definition(
    "answers",
    "What members say",
    "Asked: purchases that a member was asked about in the month. Answered: answers that came in"
    " the month, also to questions of the one before. Average: the sum of their scores from 1 to 5,"
    " divided by their number. Satisfied: the share of answers with 4 or 5; not satisfied: with 1"
    " or 2. Who answers is not everybody: few answers say little.",
    (MONTH, "Asked", "Answered", "Average", "Satisfied", "Not satisfied"),
    (4, 5),
)
LEVELS: Final = Definition(
    "levels",
    "Moves between levels",
    "How often a member came to a higher or a lower level in the month.",
    (MONTH, "Up", "Down"),
    (1, 2),
)
VOUCHERS: Final = Definition(
    "vouchers",
    "Vouchers",
    "By number and by worth. Open: all that were issued by the end of the month, less those that"
    " were used, expired or taken back.",
    (
        MONTH, "Issued", "Worth issued", "Used", "Worth used", "Expired", "Worth expired", "Open",
        "Worth open",
    ),
    (2, 4, 6),
)  # fmt: skip
LIABILITY: Final = Definition(
    "liability",
    "What is owed to members",
    "At the end of the month: open points at the most that the terms of then made them worth in"
    " money, and open vouchers at their worth. Nothing is taken off for what will expire; IFRS 15"
    " lets an accountant estimate that.",
    (MONTH, "Open points", "Open vouchers", "Liability"),
    (3,),
)
COST: Final = Definition(
    "cost",
    "Does it pay?",
    "Cost of rewards: points spent at the most they are worth in money, vouchers used at their"
    " worth, and prices cut for members; where the program says what one costs, that instead; less"
    " fees that members paid. Share: cost divided by what members bought,"
    " less returns. Must be extra: the share of these sales that must have come because of the"
    " program to cover the cost, at the margin that is set here. Points of offers: what the points"
    " that offers gave are worth; they cost once they are spent, with all others, and are not"
    " counted twice.",
    (
        MONTH, "Member sales", "Points spent", "Vouchers used", "Prices cut", "Fees paid", "Cost",
        "Share of sales", "Must be extra", "Points of offers",
    ),
    (7, 8),
)  # fmt: skip
EFFECTS: Final = Definition(
    "effects",
    "What segments bring",
    "Of a segment that holds a share back, what members bought since lots were drawn, less"
    " returns: those who got what it gets beside those held back, divided by all of the group,"
    " whether they bought or not. The lot is all that sets the two apart. In 95 of 100 draws the"
    " true difference is at least and at most what stands there; where zero lies between the two,"
    " no effect can be told yet. They stand empty below 30 members in a group.",
    (
        "Segment", "Lots drawn", "Difference each", "At least", "At most", "Got it", "Bought",
        "Spent each", "Held back", "Bought without it", "Spent each without it",
    ),
)  # fmt: skip

DEFINITIONS: Final = (
    ENROLMENT, ACTIVE, RETENTION, RETURN, FREQUENCY, ORDERS, VALUE, PRODUCTS, CHANNELS, POINTS,
    REDEMPTION, LEVELS, VOUCHERS, ANSWERS, LIABILITY, COST, EFFECTS,
)  # fmt: skip

#: What stands above all charts.
HEADLINES: Final = (
    "Members", "Active members", "Came again", "Redemption rate", "What is owed to members",
    "Cost of rewards",
)  # fmt: skip


def texts() -> Iterator[str]:
    """All words of measures, for translation."""
    for each in DEFINITIONS:
        yield from (each.title, each.how, *each.columns)
    yield from (*HEADLINES, mixes.REST, mixes.UNNAMED)
