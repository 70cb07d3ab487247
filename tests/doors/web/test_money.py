"""Budgets and costs on their pages: set, seen, ended, and what is refused."""

from tests.doors.web.conftest import Site

FORM = {"of": "voucher free-drink", "counts": "money", "amount": "12,50", "per": "month"}


def test_a_budget_is_set_seen_and_ended(site: Site) -> None:
    with site.client("manager") as client:
        made = client.post("/c/corner-cafe/budgets", data=FORM | {"alarm": "70"})
        assert made.status_code == 303
        page = client.get("/c/corner-cafe/budgets").text
        assert "€12.50" in page
        assert "Alarm at 70%." in page
        assert "On course" in page
    with site.client("auditor") as client:
        page = client.get("/c/corner-cafe/budgets").text
        assert "€12.50" in page
        assert 'action="/c/corner-cafe/budgets' not in page, "who looks on sets none"
    with site.client("owner") as client:
        assert client.post("/c/corner-cafe/budgets/1/end").status_code == 303
        assert "€12.50" not in client.get("/c/corner-cafe/budgets").text
        assert client.post("/c/corner-cafe/budgets/1/end").status_code == 404


def test_what_is_no_budget_comes_back_with_what_was_typed(site: Site) -> None:
    with site.client("owner") as client:
        wrong = FORM | {"amount": "much", "alarm": "170"}
        answer = client.post("/c/corner-cafe/budgets", data=wrong)
        assert answer.status_code == 422
        assert "Write an amount such as 500.00" in answer.text
        assert "The alarm is between 1 and 100 percent." in answer.text
        assert 'value="much"' in answer.text


def test_costs_are_shown_to_those_inside(site: Site) -> None:
    with site.client("auditor") as client:
        page = client.get("/c/corner-cafe/rewards").text
        assert "10 stamps" in page
        assert "Counted when the voucher is used" in page
