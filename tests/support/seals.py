"""Seals for tests: where the keys to the secrets of some books are."""

import hashlib
import tempfile
from pathlib import Path

from kantis.desk.submit import Desk
from kantis.desk.vault.opening import open_seals
from kantis.desk.vault.seals import Seals
from kantis.desk.writer import RemoteDesk


def vault_of(store: str) -> str:
    """The folder of keys: beside a file; for a database one of its own, by its address."""
    if "://" not in store:
        return ""
    name = hashlib.sha256(store.encode()).hexdigest()[:16]
    return str(Path(tempfile.gettempdir()) / f"kantis-test-{name}.vault")


def seals_of(desk: Desk | RemoteDesk) -> Seals:
    """What seals the secrets in the books of a desk."""
    return open_seals(desk, vault_of(desk.books.address))
