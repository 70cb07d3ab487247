"""Drawing: chance that can be checked, because it follows from what it is drawn for."""

from __future__ import annotations

import hashlib
from typing import Final

#: A share is said in hundredths of a percent.
HUNDREDTHS: Final = 10_000


def drawn(*about: str | int) -> int:
    """A number from 0 to 9,999, as good as by chance, and the same for the same.

    Whoever is below a share of ``HUNDREDTHS`` belongs to it.

    >>> drawn("regulars", 0, 1) == drawn("regulars", 0, 1) != drawn("regulars", 1, 1)
    True
    >>> sum(drawn("regulars", 0, each) < 1_000 for each in range(10_000))
    1016
    """
    said = " ".join(map(str, about))
    digest = hashlib.blake2b(said.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % HUNDREDTHS
