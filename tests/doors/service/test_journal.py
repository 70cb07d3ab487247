"""The journal: lines that are written together, and figures that Prometheus can read."""

import asyncio

import msgspec
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kantis.doors.api.journal import Journal


def figures(journal: Journal) -> dict[str, float]:
    """Each sample with its labels as Prometheus reads it."""
    text = generate_latest(journal.figures.registry).decode()
    return {
        " ".join([sample.name, *(sample.labels[each] for each in sorted(sample.labels))]): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_lines_of_a_round_are_written_together_and_each_is_whole() -> None:
    async def run() -> list[bytes]:
        written: list[bytes] = []
        journal = Journal(written.append)
        for n in range(3):
            journal.note(f"r{n}", "POST", "/v1/events", 200, 0.0123, "key")
        assert written == []
        await asyncio.sleep(0)
        journal.note("r3", "GET", "none", 404, 0.5, "")
        journal.write()
        await asyncio.sleep(0)
        return written

    first, second = asyncio.run(run())
    lines = [msgspec.json.decode(line) for line in (first + second).splitlines()]
    assert [line["request"] for line in lines] == ["r0", "r1", "r2", "r3"]
    assert first.endswith(b"\n")
    about = {k: v for k, v in lines[0].items() if k != "timestamp"}
    assert about == {
        "request": "r0", "method": "POST", "route": "/v1/events", "status": 200, "ms": 12.3,
        "key": "key", "event": "request", "level": "info",
    }  # fmt: skip


def test_what_took_as_long_as_a_limit_is_counted_under_it() -> None:
    async def run() -> Journal:
        journal = Journal(lambda _: None)
        for seconds in (0.0005, 0.001, 0.0011, 7.0):
            journal.note("r", "POST", "/v1/events", 200, seconds, "")
        journal.note("r", "POST", "/v1/events", 409, 0.02, "")
        journal.count("decided")
        return journal

    found = figures(asyncio.run(run()))
    assert found["kantis_requests_total POST /v1/events 200"] == 4
    assert found["kantis_requests_total POST /v1/events 409"] == 1
    bucket = "kantis_request_seconds_bucket"
    limits = ("0.001", "0.0025", "0.025", "5.0", "+Inf")
    assert [found[f"{bucket} {limit} /v1/events"] for limit in limits] == [2, 3, 4, 4, 5]
    assert found["kantis_request_seconds_count /v1/events"] == 5
    assert round(found["kantis_request_seconds_sum /v1/events"], 4) == 7.0226
    assert found["kantis_events_total decided"] == 1
