"""While the service is up time passes for members who do not come, and the doctor is content."""

import time
from pathlib import Path

import kantis.desk
from kantis.core.calendar import DAY_MS
from kantis.core.events import Enrol, Event, Line, Purchase
from kantis.core.knobs import plain
from kantis.desk import text
from kantis.desk.doctor import doctor
from kantis.desk.submit import wall_clock
from tests.doors.service.server import CLUB, served


def findings(store: Path) -> dict[str, bool]:
    return {each.code: each.act for each in doctor(str(store))}


def test_time_passes_while_the_service_is_up(tmp_path: Path) -> None:
    store, then = tmp_path / "books.db", wall_clock() - 400 * DAY_MS
    source = CLUB.format(name="club").replace("expires: never", "expires: 12 months after earning")
    with kantis.desk.open(str(store), clock=lambda: then) as desk:
        desk.publish("club", 0, source, plain(text.read(source)))
        bought = Purchase((Line("1", "latte", 1, 5_000),))
        desk.submit([Event("till", "1", then, "card:1", Enrol())])
        desk.submit([Event("till", "2", then, "card:1", bought)])
    assert findings(store)["time"]
    with served(store) as server:
        end = time.monotonic() + 20
        while findings(store)["time"] and time.monotonic() < end:
            time.sleep(0.05)
        assert not findings(store)["time"]
        status, log = server.end()
        assert (status, '"rounds"' in log) == (0, False)
