"""Beginning: what a new program still needs until its first member is there."""

from __future__ import annotations

from msgspec import Struct

from kantis.desk import keys
from kantis.store import designs, tills
from kantis.store.reading import Reading


class Step(Struct, frozen=True):
    """A step: a word for it, where it is done, and whether it is."""

    name: str
    address: str
    done: bool


def steps(books: Reading, program: int, name: str) -> list[Step]:
    """The steps of a program, in their order; none once its first member has bought, or there
    are more of them."""
    first = books.rows("SELECT seq FROM account WHERE program = ? LIMIT 2", (program,))
    if len(first) > 1 or any(seq > 1 for (seq,) in first):
        return []
    where, known = f"/c/{name}", tills.tills(books)
    paired = any(
        each.prefix in known and each.revoked is None for each in keys.shown(books, program)
    )
    return [
        Step("program", f"{where}/program", True),
        Step("design", f"{where}/design?first=1", designs.design(books, program) is not None),
        Step("till", f"{where}/tills", paired),
        Step("member", f"/p/{name}/join", bool(first)),
        Step("purchase", "/till", False),
    ]
