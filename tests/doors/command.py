"""Runs a command of ``kantis`` inside the test, and gives back what it said."""

import json
import sys
from typing import Any, NamedTuple

import pytest

from kantis.doors.cli import main


class Said(NamedTuple):
    """Exit code, and what was printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Kantis:
    """``kantis("check", path)`` runs ``kantis check PATH``."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = patch, capture

    def __call__(self, *arguments: object) -> Said:
        self._patch.setattr(sys, "argv", ["kantis", *map(str, arguments)])
        self._capture.readouterr()
        status = 0
        try:
            main()
        except SystemExit as leaving:
            status = int(leaving.code or 0)
        out, err = self._capture.readouterr()
        assert "Traceback" not in err
        return Said(status, out, err)
