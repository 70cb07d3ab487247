"""Sources: what keys and shops of one program send under is nobody else's."""

from pathlib import Path

import pytest

import kantis.desk
from kantis.core.knobs import ProgramError
from kantis.desk import keys
from tests.doors.service.server import begin


def test_no_key_speaks_for_a_shop_of_another_program(tmp_path: Path) -> None:
    store = str(tmp_path / "books.db")
    begin(store, "club", "other")
    with kantis.desk.open(store) as desk:
        desk.add_shop("web", "stripe", "club", "web-shop", b"sealed", {})
        for _ in range(2):
            with pytest.raises(ProgramError, match="source-taken"):
                keys.make(desk, "Web", "other", "shop", "web-shop")
            desk.remove_shop("web")  # what it sent stays, so its source stays the club's
        keys.make(desk, "Web", "club", "shop", "web-shop")
