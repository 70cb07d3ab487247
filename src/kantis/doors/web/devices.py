"""Devices: what a browser is called by people, instead of by itself."""

from __future__ import annotations

from typing import Final

#: Marks in what a browser says of itself, the more special ones first.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "Chromebook"),
    ("Windows", "Windows"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
_LETTERS_MAX: Final = 60


def system(agent: str) -> str:
    """What a browser runs on, as people call it; empty where nobody knows.

    >>> system("Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Safari/604.1"), system("curl")
    ('iPad', '')
    """
    return _first(_SYSTEMS, agent)


def _first(marks: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for mark, name in marks if mark in agent), "")


def called(agent: str) -> str:
    """A browser and what it runs on; what says neither stays as it is, without its tail.

    >>> called("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1")
    'Safari · iPhone'
    >>> called("a till of our own")
    'a till of our own'
    """
    found = _first(_BROWSERS, agent), system(agent)
    return " · ".join(filter(None, found)) or agent[:_LETTERS_MAX]
