"""Writing a program in the browser: a template, a fault with its line, a preview, published."""

import pytest
from playwright.sync_api import Browser

from kantis.desk import editing
from kantis.doors.web.preview import first_purchase
from tests.doors.web.conftest import Site
from tests.doors.web.looking import tab
from tests.house.sources import REPO

NOW = 1_795_600_000_000


@pytest.mark.browser
def test_a_program_is_written_from_a_template_and_published(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, 1280, session=site.sessions["manager"]) as looked:
        page = looked.page
        page.goto("/programs/new")
        page.get_by_text("Stamp card", exact=False).first.click()
        page.get_by_label("Short name").fill("harbour-cafe")
        page.get_by_role("button", name="On to the program").click()
        assert looked.barriers() == []
        source = page.get_by_label("The program").input_value()
        assert "program: harbour-cafe" in source
        page.get_by_label("The program").fill(source.replace("expires:", "expirse:"))
        page.get_by_role("button", name="Check and preview").click()
        said = page.get_by_role("alert").inner_text()
        assert "1 thing to mend" in said
        assert "Line " in said
        assert "expires" in said
        assert looked.barriers() == []
        page.get_by_label("The program").fill(source)
        page.get_by_role("button", name="Check and preview").click()
        assert "Somebody new buys for €12.50." in page.locator("main").inner_text()
        page.get_by_role("button", name="Publish").click()
        page.wait_for_url("**/c/harbour-cafe/design?first=1")
        page.get_by_role("link", name="Not now").click()
        page.wait_for_url("**/c/harbour-cafe")
        page.goto("/c/harbour-cafe/program")
        edited = page.get_by_label("The program").input_value() + "\n# another thought\n"
        page.get_by_label("The program").fill(edited.replace("title:", "title:", 1))
        page.get_by_role("button", name="Check and preview").click()
        assert "+# another thought" in page.locator("details pre").inner_text()


@pytest.mark.browser
def test_a_program_is_checked_while_it_is_written(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, 390, session=site.sessions["manager"]) as looked:
        page = looked.page
        page.goto("/c/corner-cafe/program")
        source = page.get_by_label("The program").input_value()
        lines = source.split("\n")
        row = next(n for n, each in enumerate(lines, 1) if "expires:" in each)
        page.get_by_label("The program").fill(source.replace("expires:", "expirse:", 1))
        fault = page.get_by_role("link", name=f"Line {row}:")
        fault.wait_for()
        assert page.get_by_role("status").inner_text() == "1 thing to mend"
        assert looked.barriers() == []
        fault.click()  # leads to the line
        start = page.evaluate("document.getElementById('source').selectionStart")
        assert source[:start].count("\n") == row - 1
        page.get_by_label("The program").fill(source + "\n# another thought\n")
        page.locator("#checks pre", has_text="+# another thought").wait_for()
        assert page.get_by_role("status").inner_text() == "Nothing to mend"
        assert page.url.endswith("/c/corner-cafe/program")
        assert not looked.overflows()
        # what the check says is the answer 422 to a request, which a browser notes
        assert [each for each in looked.complaints if "422" not in each] == []


def test_a_new_program_has_the_name_that_its_members_read(site: Site) -> None:
    asked = {"template": "points", "money": "EUR", "timezone": "Europe/Tallinn"}
    with site.client("manager") as client:
        made = client.post("/programs/new", data=asked | {"title": " Anna's  Café: the bar "})
        assert "program: annas-cafe-the-bar" in made.text
        assert "title: &#34;Anna&#39;s Café: the bar&#34;" in made.text
        assert "25 points for Welcome" in made.text  # the preview says where they come from
        for wrong, said in (
            ({"title": "茶"}, "Write a short name too"),
            ({"name": "My Café"}, "small letters, digits and dashes"),
            ({"name": "corner-cafe"}, "Another program has this short name."),
            ({"name": "harbour", "timezone": "Helsinki"}, "no such time zone"),
        ):
            answer = client.post("/programs/new", data=asked | wrong)
            assert answer.status_code == 422
            assert said in answer.text
            assert wrong.get("title", wrong.get("name")) in answer.text  # it is kept
        assert 'action="/sign-out"' in client.get("/programs/new").text


def test_a_name_that_is_taken_is_refused(site: Site) -> None:
    source = (REPO / "programs" / "corner-cafe.yaml").read_text(encoding="utf-8")
    with site.client("owner") as client:
        answer = client.post("/programs/draft", data={"source": source, "do": "publish"})
        assert answer.status_code == 422
        assert "already" in answer.text
        other = source.replace("program: corner-cafe", "program: other")
        answer = client.post("/c/corner-cafe/program", data={"source": other, "do": "publish"})
        assert answer.status_code == 422
    with site.client("other") as client:
        answer = client.post("/c/corner-cafe/program", data={"source": source, "do": "publish"})
        assert answer.status_code == 404
        answer = client.post(
            "/programs/draft", data={"source": other.replace("other", "third"), "do": "publish"}
        )
        assert answer.status_code == 404


def test_what_a_first_purchase_brings_is_decided_not_guessed() -> None:
    found = {}
    for name in ("templates/points", "templates/stamp-card", "grab-rewards-vn"):
        draft = editing.read((REPO / "programs" / f"{name}.yaml").read_bytes())
        shown = first_purchase(draft.program, NOW)
        found[name] = shown.amount, shown.brought
    assert found["templates/points"] == (1_250, (("37", "points"),))
    assert found["templates/stamp-card"][1] == (("3", "stamps"),)
    assert found["grab-rewards-vn"][0] == 125_000  # what is about as much there


@pytest.mark.browser
def test_a_draft_is_tried_on_the_newest_members(browser: Browser, site: Site) -> None:
    with tab(browser, site.address, session=site.sessions["manager"]) as looked:
        page = looked.page
        page.goto("/c/corner-cafe/program")
        source = page.get_by_label("The program").input_value()
        shorter = source.replace("12 months after earning", "2 months after earning", 1)
        assert shorter != source
        page.get_by_label("The program").fill(shorter)
        page.get_by_role("button", name="Try on members").click()
        said = page.locator("section", has_text="For the members there are").inner_text()
        assert "Of 1 member: " in said
        assert looked.barriers() == []
        assert not looked.overflows()
        assert page.get_by_label("The program").input_value().strip() == shorter.strip()
        page.goto("/c/corner-cafe/program")  # nothing of it is kept
        assert page.get_by_label("The program").input_value() == source
        assert looked.complaints == []


def test_a_trial_keeps_to_the_newest_and_says_what_cannot_be(site: Site) -> None:
    source = (REPO / "programs" / "corner-cafe.yaml").read_text(encoding="utf-8")
    with site.client("manager") as client:
        for newest, since, status in (("100", "", 200), ("x", "", 200), ("100", "2020-01-01", 422)):
            data = {"source": source, "do": "try", "newest": newest, "since": since}
            answer = client.post("/c/corner-cafe/program", data=data)
            assert answer.status_code == status, answer.text
            assert ("For the members there are" in answer.text) == (status == 200)
