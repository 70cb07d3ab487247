"""Explaining: the sentences of an entry in English."""

from kantis.core.decision import Entry
from kantis.core.events import Event
from kantis.engine import explain as explaining
from kantis.engine.program import Program


def explain(program: Program, entry: Entry, event: Event | None = None) -> list[str]:
    """What ``kantis explain`` prints of an entry."""
    return [str(each) for each in explaining.explain(program, entry, event)]
