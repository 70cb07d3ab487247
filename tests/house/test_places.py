"""Nothing in the project points at the machine it was written on or at a package registry."""

import re

import pytest

from tests.house.sources import name, tracked_files

# Put together here so that this file does not contain what it forbids.
REGISTRIES = [
    "py" + "pi.org",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
    "deb.debian" + ".org",
    "security.debian" + ".org",
    "crates" + ".io",
    "proxy.golang" + ".org",
]
HOST = re.compile("|".join(re.escape(host) for host in REGISTRIES), re.IGNORECASE)
FOLDER = re.compile(r"(?<![\w.})*-])/(?:work|root|farm)(?=/)")


def strays(text: str) -> list[str]:
    """What in this text would be wrong on any other machine."""
    return [
        f"line {number}: {found.group()}"
        for number, line in enumerate(text.splitlines(), start=1)
        for pattern in (HOST, FOLDER)
        for found in pattern.finditer(line)
    ]


def test_no_file_points_at_a_registry_or_at_this_machine() -> None:
    faults = []
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:4096]:
            faults += [f"{name(path)} {s}" for s in strays(data.decode("utf-8", "replace"))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://" + REGISTRIES[0] + "/simple",
        "see https://" + REGISTRIES[1].upper(),
        "open('/" + "work/main/x')",
        "HOME=/" + "root/.cache",
        "cd /" + "farm/1",
    ],
)
def test_a_stray_is_caught(text: str) -> None:
    assert strays(text)


@pytest.mark.parametrize(
    "text",
    [
        "src/" + "work/desk.py",
        "https://example.org/" + "root/x",
        "user.name/" + "farm/",
        "/workers/1",
    ],
)
def test_other_paths_are_left_alone(text: str) -> None:
    assert not strays(text)
