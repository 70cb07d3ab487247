"""Seals: secrets that have to be shown to others, kept so that the books alone tell none.

Guarantee: secrets of webhooks, secrets and tokens of shops, and those of the apps of staff
stand in the books, in their log and in each backup under AES-256-GCM, with a key derived from
the master key, which is in none of them. Each is sealed for one webhook, shop or person: put
into another row it does not open.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from kantis.desk.chores import chore
from kantis.desk.vault.keyfile import Keys, Locked, unwrap, wrap
from kantis.store import sealed
from kantis.store.sealed import Sealed

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk
    from kantis.store.books import Books

_PURPOSE: Final = "sealing secrets"
_NUMBER_BYTES: Final = 4
_ROUNDS_MAX: Final = 100


class Seals:
    """Seals and opens with the keys that somebody holds."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, about: str, secret: bytes) -> bytes:
        """A secret as the books keep it: the number of its master key, and what is sealed."""
        number, key = list(self._keys.derived(_PURPOSE).items())[-1]
        return number.to_bytes(_NUMBER_BYTES) + wrap(key, about, secret)

    def open(self, about: str, data: bytes) -> bytes:
        """The secret; ``Locked`` where its key is not here, or it is another one's."""
        number = int.from_bytes(data[:_NUMBER_BYTES])
        key = self._keys.derived(_PURPOSE).get(number)
        if key is None:
            message = f"Master key {number} is not here. Bring the right folder of keys back."
            raise Locked("master-missing", message)
        return unwrap(key, about, data[_NUMBER_BYTES:])

    def is_newest(self, data: bytes) -> bool:
        """Whether it is sealed with the master key in use."""
        return int.from_bytes(data[:_NUMBER_BYTES]) == max(self._keys.derived(_PURPOSE))

    def signing(self, purpose: str, about: bytes) -> list[bytes]:
        """Secrets to sign with for a purpose and something it is about; the newest comes first."""
        found = self._keys.derived(purpose).values()
        return [hmac.digest(each, about, hashlib.sha256) for each in reversed(list(found))]


def webhook(id: str) -> str:
    """What the secrets of a webhook are sealed for."""
    return f"webhook {id}"


def shop(name: str) -> str:
    """What the secrets of a shop are sealed for."""
    return f"shop {name}"


def app(staff: int) -> str:
    """What the secret of somebody's app is sealed for."""
    return f"authenticator {staff}"


def closed(books: Books, seals: Seals) -> list[str]:
    """Whose secrets do not open with the keys that are here."""
    found = []
    for each in sealed.sealed(books):
        try:
            seals.open(each.about, each.data)
        except Locked:
            found.append(each.about)
    return found


def seal_all_again(desk: Desk | RemoteDesk, books: Books, seals: Seals) -> int:
    """Seal with the master key in use whatever an older one has sealed; how many that were."""
    done = 0
    for _ in range(_ROUNDS_MAX):
        old = [each for each in sealed.sealed(books) if not seals.is_newest(each.data)]
        if not old:
            return done
        for each in old:
            data = seals.seal(each.about, seals.open(each.about, each.data))
            done += bool(desk.chore("seal_again", list(each), data))
    raise Locked("seals-busy", "Secrets are changed all the time. Run kantis vault rotate again.")


@chore
def seal_again(books: Books, _: int, old: list[object], data: bytes) -> bool:
    """Put what another master key has sealed in the place of a secret."""
    return sealed.seal_again(books, Sealed(*old), data)  # type: ignore[arg-type]
