"""Sealed: what the books keep of secrets that the service has to show to others.

Secrets of webhooks sign what they are told; secrets and tokens of shops are theirs; those of
apps make the codes by which staff sign in. They stand here sealed, each with the name of what
it belongs to; the key is not in the books.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kantis.store.books import Books

#: (table, column with the name, column with what is sealed)
_PLACES: Final = (
    ("webhook", "id", "secret"),
    ("webhook", "id", "former"),
    ("shop", "name", "secrets"),
    ("authenticator", "staff", "secret"),
    ("authenticator", "staff", "coming"),
)


class Sealed(NamedTuple):
    """A sealed secret: where it stands, whose it is, and the bytes."""

    place: int
    name: str | int
    data: bytes

    @property
    def about(self) -> str:
        """What it is sealed for: it opens for nothing else."""
        return f"{_PLACES[self.place][0]} {self.name}"


def sealed(books: Books) -> list[Sealed]:
    """All secrets that are kept."""
    found = []
    for place, (table, name, column) in enumerate(_PLACES):
        rows = books.rows(f"SELECT {name}, {column} FROM {table} WHERE {column} IS NOT NULL")
        found += [Sealed(place, row[0], bytes(row[1])) for row in rows if row[1]]
    return found


def seal_again(books: Books, old: Sealed, data: bytes) -> bool:
    """Put other bytes in the place of those; ``False`` when it was changed meanwhile."""
    table, name, column = _PLACES[old.place]
    return bool(
        books.execute(
            f"UPDATE {table} SET {column} = ? WHERE {name} = ? AND {column} = ?",
            (data, old.name, old.data),
        )
    )
