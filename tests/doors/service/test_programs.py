"""Programs over HTTP: validated, published after what was seen, compared, and looked at."""

from collections.abc import Iterator

import httpx
import pytest

from tests.doors.service.conftest import Place
from tests.doors.service.server import CLUB, buy, enrol
from tests.doors.service.test_events import problem

PATH = "/v1/programs/club"
RICHER = CLUB.format(name="club").replace("1 point per 1 EUR", "2 points per 1 EUR")


@pytest.fixture
def owner(place: Place) -> Iterator[httpx.Client]:
    with place.client("club/owner") as client:
        yield client


def test_a_file_with_faults_is_told_where_and_what(owner: httpx.Client) -> None:
    wrong = CLUB.format(name="club").replace("earning:", "earnings:")
    found = owner.post(f"{PATH}/validate", json={"source": wrong}).json()
    assert (found["ok"], found["effects"]) == (False, None)
    (fault,) = found["faults"]
    assert (fault["line"], fault["column"]) == (8, 1)
    assert "'earning'" in fault["message"]
    other = owner.post(f"{PATH}/validate", json={"source": CLUB.format(name="cafe")}).json()
    assert [each["code"] for each in other["faults"]] == ["other-program"]


def test_two_people_do_not_publish_over_each_other(owner: httpx.Client) -> None:
    seen = owner.get(PATH)
    tag, before = seen.headers["etag"], len(seen.json()["versions"])
    path, richer = f"{PATH}/versions", {"source": RICHER}
    assert problem(owner.post(path, json=richer)) == (428, "condition-missing")
    first = owner.post(path, json=richer, headers={"if-match": tag})
    assert (first.status_code, first.json()["version"]) == (200, before + 1)
    other = {"source": RICHER.replace("mug: {cost: 100", "mug: {cost: 120")}
    assert problem(owner.post(path, json=other, headers={"if-match": tag})) == (
        412, "published-meanwhile"
    )  # fmt: skip
    new = {"if-none-match": "*"}
    assert problem(owner.post(path, json=other, headers=new)) == (412, "published-meanwhile")
    again = owner.post(path, json=richer, headers={"if-match": first.headers["etag"]})
    assert again.json()["published"] is False
    found = owner.get(f"{PATH}/difference").json()
    assert found["changes"] == [
        {"path": "earning.all.give", "before": "1 point per 1 EUR", "after": "2 points per 1 EUR"}
    ]
    assert "+  all: {give: 2 points per 1 EUR}" in found["lines"]
    assert owner.get(f"{PATH}/versions/{before + 1}").json()["source"] == RICHER
    assert problem(owner.get(f"{PATH}/versions/99")) == (404, "unknown-version")


def test_a_file_with_faults_is_not_published(owner: httpx.Client) -> None:
    tag = owner.get(PATH).headers["etag"]
    wrong = {"source": RICHER.replace("EUR", "EURO")}
    answer = owner.post(f"{PATH}/versions", json=wrong, headers={"if-match": tag})
    assert problem(answer) == (422, "program-faulty")
    assert answer.json()["faults"][0]["line"] == 2
    past = {"source": RICHER, "since": "2020-01-01"}
    past["source"] = past["source"].replace("2 points", "3 points")
    answer = owner.post(f"{PATH}/versions", json=past, headers={"if-match": tag})
    assert problem(answer) == (422, "program-faulty")


def test_publishing_without_looking_would_lose_a_version(place: Place) -> None:
    """The twin: where nobody asks what was seen, the second version covers the first."""
    import kantis.desk
    from kantis.core.knobs import plain
    from kantis.desk import text

    with kantis.desk.open(place.server.store) as desk:
        last = desk.books.versions(desk.books.programs()["other"])[-1]
        for cost in (130, 140):
            said = CLUB.format(name="other").replace("cost: 100", f"cost: {cost}")
            since = desk.books.versions(last.program)[-1].since + 1
            number = desk.publish("other", since, said, plain(text.read(said)))
        assert number == last.number + 2


def test_a_draft_tells_who_gains_and_who_loses(place: Place, owner: httpx.Client) -> None:
    year = RICHER.replace("expires: never", "expires: 12 months after earning")
    tag = owner.get(PATH).headers["etag"]
    owner.post(f"{PATH}/versions", json={"source": year}, headers={"if-match": tag})
    with place.client() as till:
        till.post("/v1/events", json=[enrol("gain"), buy("gain-1", "gain", 150)])
    shorter = year.replace("12 months", "2 months") + "existing: {expiry: follows}\n"
    found = owner.post(f"{PATH}/validate", json={"source": shorter}).json()
    assert (found["ok"], found["faults"]) == (True, [])
    first = next(each for each in found["effects"]["moments"] if each["balances"])
    assert first["balances"]["points"] == {
        "losing": 1, "loss": "300", "gaining": 0, "gain": "0"
    }  # fmt: skip
    quick = owner.post(f"{PATH}/validate", json={"source": shorter, "compare": False}).json()
    assert (quick["ok"], quick["effects"]) == (True, None)


def test_a_version_can_be_published_for_a_later_day(owner: httpx.Client) -> None:
    seen = owner.get(PATH)
    said = {"source": RICHER.replace("mug: {cost: 100", "mug: {cost: 150"), "since": "2099-01-01"}
    done = owner.post(f"{PATH}/versions", json=said, headers={"if-match": seen.headers["etag"]})
    assert done.json()["since"] == "2098-12-31T22:00:00.000Z"
    lines = owner.get("/v1/audit", params={"deed": "publish", "limit": 1}).json()["lines"]
    number = len(seen.json()["versions"]) + 1
    assert (lines[0]["about"], lines[0]["name"]) == (f"club {number}", "club owner")


def test_a_version_for_a_later_day_is_cancelled(place: Place, owner: httpx.Client) -> None:
    seen = owner.get(PATH)
    tag, before = seen.headers["etag"], seen.json()["versions"]
    said = {"source": RICHER.replace("2 points", "9 points"), "since": "2999-01-01"}
    made = owner.post(f"{PATH}/versions", json=said, headers={"if-match": tag}).json()
    path = f"{PATH}/versions/{made['version']}"
    with place.client("club/auditor") as auditor:
        assert problem(auditor.delete(path)) == (403, "not-allowed")
    for _ in range(2):  # the same again changes nothing
        left = owner.delete(path)
        assert (left.status_code, left.json()["versions"]) == (200, before)
        assert left.headers["etag"] == tag
    assert problem(owner.get(path)) == (404, "unknown-version")
    assert problem(owner.delete(f"{PATH}/versions/1")) == (409, "cannot-cancel")
    assert problem(owner.delete(f"{PATH}/versions/999")) == (404, "unknown-version")
    (line,) = owner.get("/v1/audit", params={"deed": "cancel"}).json()["lines"]
    assert line["about"] == f"club {made['version']}"
