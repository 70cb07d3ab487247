"""A vault for tests: on a shop, with a folder of keys beside it."""

from pathlib import Path

from kantis.desk.vault.keyfile import FolderKeys
from kantis.desk.vault.person import Person
from kantis.desk.vault.vault import Member, Vault
from tests.desk.shop import Shop

ANNA = Person(
    given_name="Anna-Liisa", family_name="Mäkinen", email="Anna.Makinen@example.org",
    phone="+358401234567", birthday="1990-05-17", language="fi", notes="likes oat milk",
)  # fmt: skip
AN = Person(given_name="Văn An", family_name="Nguyễn", phone="+84912345678")


class Desk:
    """A vault on the books of a shop, and short ways to use it."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop = shop
        self.keys = FolderKeys(folder, new=True)
        self.vault = Vault(shop.desk, self.keys)
        self.books = shop.desk.books

    def enrol(self, card: str, person: Person) -> str:
        """A member with a card; the id."""
        (result,) = self.shop(self.shop.enrol(card))
        return self.vault.enrol(1, result.account, result.key, person, b"", self.shop.now)

    def member(self, id: str) -> Member:
        found = self.vault.by_id(self.books, 1, id)
        assert found is not None
        return found

    def names(self, text: str) -> list[str]:
        """Whom a search for a name finds."""
        return [x.person.name for x in self.vault.by_name(self.books, 1, text) if x.person]

    def ids(self, found: list[Member]) -> list[str]:
        return [each.row.id for each in found]
