"""What a program would have cost and brought, worked out by hand on a few purchases."""

import pytest

from kantis.core.calendar import DAY_MS, instant
from kantis.core.events import Event, Line, Purchase
from kantis.desk import library, text
from kantis.desk.fit import Fit, Trial, best, look_back
from kantis.engine.program import Program, Version, assemble

START = instant("2025-01-01T10:00:00Z")


def program(name: str) -> Program:
    return assemble([Version(1, 0, text.read(library.template(name)))])


def bought(number: int, day: int, card: str, amount: int, quantity: int = 1) -> Event:
    body = Purchase((Line("1", "latte", quantity, amount),))
    subject = f"card:{card}" if card else ""
    return Event("file", f"{number}", START + day * DAY_MS, subject, body)


def visits(card: str, days: list[int], amount: int = 2500) -> list[Event]:
    return [bought(hash((card, day)) & 0xFFFF, day, card, amount) for day in days]


def played(name: str, events: list[Event]) -> Fit:
    ordered = sorted(events, key=lambda event: event.time)
    return Trial(program(name), look_back(ordered).item).play(ordered)


def test_visits_are_counted_per_customer_and_year() -> None:
    events = [*visits("1", [0, 90, 180, 270]), *visits("2", [10, 364]), bought(1, 20, "", 900)]
    past = look_back(sorted(events, key=lambda event: event.time))
    assert (past.customers, past.purchases, past.without_card, past.days) == (2, 7, 1, 365)
    assert past.visits == 30  # six visits of two customers: 3.0 a year
    assert past.often == 1
    assert not past.worth_it
    assert past.sales == 6 * 2500 + 900
    assert past.item == 2271


def test_the_tenth_stamp_is_an_average_item_with_the_next_visit() -> None:
    fit = played("stamp-card", visits("1", list(range(0, 90, 10))))
    assert (fit.reached, fit.visits_to_first, fit.days_to_first) == (1, 9, 80)
    assert fit.cost == 2500
    assert fit.rate == 111
    assert fit.open == 250  # a stamp of the next card


def test_a_voucher_that_nobody_comes_to_use_costs_nothing() -> None:
    fit = played("stamp-card", visits("1", [*range(0, 80, 10), 300]))
    assert (fit.reached, fit.cost, fit.open) == (0, 0, 250)


def test_points_are_redeemed_as_soon_as_they_can_be() -> None:
    fit = played("points", visits("1", [0, 10, 20, 30]))  # 25 + 25 + 25 + 25, then 100
    assert (fit.reached, fit.visits_to_first, fit.days_to_first) == (1, 4, 30)
    assert fit.cost == 500
    assert fit.open == 125  # the 25 points of the last visit


def test_a_plan_is_taken_by_those_who_get_more_than_its_fees() -> None:
    often, seldom = visits("1", list(range(0, 61, 5))), visits("2", [3])
    fit = played("paid-membership", [*often, *seldom])
    # 13 visits: 5 % of 25 euros each, 3 euros for 100 points twice, two treats, a year's fee
    treats, fee, points = 2 * 2500, 2400, 2 * 300
    assert (fit.members, fit.reached, fit.reach) == (2, 1, 500)
    assert (fit.visits_to_first, fit.days_to_first) == (1, 0)
    assert fit.cost == 13 * 125 + points + treats - fee


def own(rewards: str) -> Program:
    return assemble(
        [
            Version(
                1,
                0,
                text.read(
                    "program: own\nmoney: EUR\ntimezone: UTC\nbalances: {points: {}}\n"
                    f"earning: {{all: {{give: 1 point}}}}\nrewards: {{r: {rewards}}}\n"
                ),
            )
        ]
    )


def test_a_thing_is_worth_an_average_item() -> None:
    events = visits("1", [0, 1, 2])
    fit = Trial(own("{cost: 2 points, gives: a mug}"), 2500).play(events)
    assert (fit.reached, fit.visits_to_first, fit.cost, fit.open) == (1, 3, 2500, 1250)


def test_of_rungs_the_best_that_fits_is_taken_and_the_best_is_open() -> None:
    events = visits("1", [0, 1, 2, 3, 4])
    fit = Trial(own("{rungs: {2 points: 3.00 EUR, 3 points: 9.00 EUR}}"), 2500).play(events)
    assert (fit.cost, fit.open) == (600, 0)  # two of two points, and one point is left


def test_a_few_days_justify_nothing() -> None:
    assert not look_back(visits("1", [0, 1, 2])).worth_it


def test_who_never_gets_anything_is_not_reached() -> None:
    fit = played("points", [*visits("1", [0, 10, 20, 30]), *visits("2", [5])])
    assert (fit.members, fit.reached, fit.reach) == (2, 1, 500)


def test_a_shop_that_names_no_partner_is_the_first_of_a_coalition() -> None:
    fit = played("coalition", visits("1", [0, 10, 20, 30, 40], 5000))
    assert (fit.reached, fit.visits_to_first) == (1, 3)
    assert fit.cost == 200


def test_the_one_that_reaches_most_at_a_bearable_cost_is_suggested() -> None:
    dear = Fit("dear", members=10, reached=9, cost=90, sales=1000)
    fair = Fit("fair", members=10, reached=5, cost=40, sales=1000, days_to_first=50)
    soon = Fit("soon", members=10, reached=5, cost=40, sales=1000, days_to_first=20)
    chosen = best([dear, fair, soon])
    assert chosen is not None
    assert chosen.program == "soon"
    assert best([dear]) is None


@pytest.mark.parametrize("name", library.templates())
@pytest.mark.parametrize("money", ["EUR", "VND", "JPY", "KWD", "SEK"])
def test_a_template_is_a_program_in_every_money(name: str, money: str) -> None:
    written = library.template(name, money, "Asia/Ho_Chi_Minh", "mine")
    made = assemble([Version(1, 0, text.read(written))])
    assert (made.name, made.money.name) == ("mine", money)
    assert money == "EUR" or not {"EUR", "euro"} & set(written.replace(",", " ").split())
    assert written.count("#") >= 3, "a template says why"
    assert all(language in made.newest.head.title for language in ("en", "fi", "et", "vi"))


def test_a_template_that_is_not_there_is_told() -> None:
    with pytest.raises(library.NoSuchTemplate):
        library.template("pints")


def test_a_budget_stops_in_the_past_too() -> None:
    terms = {
        "program": "x", "money": "EUR", "timezone": "UTC", "balances": {"points": {}},
        "earning": {"base": {"give": "1 point per 1 EUR"}},
        "prices": {"all": {"off": "10 %", "budget": "5.00 EUR"}},
    }  # fmt: skip
    events = [*visits("1", [0, 10]), *visits("2", [5, 15])]
    ordered = sorted(events, key=lambda event: event.time)
    fit = Trial(assemble([Version.of(1, 0, terms)]), 2500).play(ordered)
    assert fit.cost == 500, "two of the four visits get their 2.50"
