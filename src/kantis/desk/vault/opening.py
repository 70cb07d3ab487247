"""Opening the vault: which folder of keys belongs to some books, and whether it may be made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from kantis.desk.vault.keyfile import KEYS, MASTER, FolderKeys, Locked
from kantis.desk.vault.rotating import left_since
from kantis.desk.vault.seals import Seals
from kantis.desk.vault.vault import Vault
from kantis.desk.whole import path_of
from kantis.store import people
from kantis.store.sealed import sealed

if TYPE_CHECKING:
    from kantis.desk.submit import Desk
    from kantis.desk.writer import RemoteDesk

_BESIDE: Final = ".vault"


def folder_of(store: str, named: str = "") -> Path:
    """The folder of keys of a store: the named one, or the one beside the books.

    >>> folder_of("/srv/kantis.db").name, folder_of("postgresql://db/x").name
    ('kantis.db.vault', 'kantis.vault')
    """
    if named:
        return Path(named).absolute()
    path = path_of(store) or Path("kantis").absolute()
    return path.with_name(path.name + _BESIDE)


def open_vault(desk: Desk | RemoteDesk, named: str = "") -> Vault:
    """The vault of a desk. A folder of keys is made only where the books hold nothing yet that
    other keys have sealed; ``Locked`` otherwise. Whoever was erased since the books were copied
    is erased in them before anybody is found."""
    folder = folder_of(desk.books.address, named)
    with desk.books.reader() as books:
        new = not (folder / MASTER).exists() and not (folder / KEYS).exists()
        if new and (people.members_in_all(books)[0] or sealed(books)):
            message = (
                "There are members or sealed secrets, and the keys to them are not in "
                f"{folder}. Bring the folder back, or say with --vault or KANTIS_VAULT where it is."
            )
            raise Locked("keys-missing", message)
        keys = FolderKeys(folder, new=new)
        left = left_since(books, keys)
    vault = Vault(desk, keys)
    vault.file(*left)
    return vault


def open_seals(desk: Desk | RemoteDesk, named: str = "") -> Seals:
    """What seals and opens the secrets in the books of a desk; ``Locked`` as ``open_vault``."""
    return Seals(open_vault(desk, named).keys)
