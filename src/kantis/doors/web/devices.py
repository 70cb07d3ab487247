"""Devices: what somebody signed in with, in words that they know it by."""

from __future__ import annotations

from typing import Final

#: What a browser says of itself that no other one says before it.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_of(agent: str) -> str:
    """The browser and the system of a user agent; what is neither stays as it was said.

    >>> device_of("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1")
    'Safari, iPhone'
    >>> device_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36")
    'Chrome, Linux'
    >>> device_of("a test")
    'a test'
    """
    found = [
        next((name for mark, name in table if mark in agent), "") for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found)) or agent
