"""Cast: made-up people for the households of the demo.

Guarantee: no name, address or number is anybody's. Names are put together from lists of common
ones by a fixed seed, so that each household has the same name on every machine; the addresses
end in ``.example``, which nobody can own.
"""

from __future__ import annotations

from random import Random
from typing import Final

from kantis.desk.vault.person import Person, plain

SEED: Final = "kantis demo 2017"
#: Given names and family names by language; the first is as frequent as the three others.
_NAMES: Final = {
    "en": (
        "Alice Ben Carol David Emma Frank Grace Henry Iris James Kate Liam Mary Noah Olive Paul "
        "Rose Sam Tess Will",
        "Baker Brown Carter Clark Cook Davis Evans Fisher Green Hill Hughes King Lewis Mason "
        "Moore Parker Reed Shaw Turner Wood",
    ),
    "fi": (
        "Aino Antti Eeva Eino Helmi Ilkka Juha Kaisa Lauri Liisa Mikko Outi Päivi Risto Sanna "
        "Tapio Tuula Väinö",
        "Aaltonen Hakala Heikkilä Järvinen Koskinen Laine Lehtonen Mäkelä Mäkinen Niemi Nieminen "
        "Rantanen Salonen Virtanen Ylönen",
    ),
    "et": (
        "Anu Eha Heino Jaan Katrin Kersti Külli Leida Mart Meelis Õie Peeter Piret Rein Tiiu "
        "Tõnu Urmas Ülle",
        "Ilves Kask Kukk Kuusk Lepik Mägi Oja Õunapuu Pärn Põder Raudsepp Rebane Saar Sepp Tamm "
        "Vaher Veski",
    ),
    "vi": (
        "An Bình Châu Dũng Giang Hà Hạnh Hoa Hùng Lan Linh Long Mai Minh Nam Nga Phương Quân "
        "Thảo Tuấn",
        "Bùi Đặng Đỗ Hồ Hoàng Huỳnh Lê Lý Ngô Nguyễn Phạm Phan Trần Võ Vũ",
    ),
}
_OTHERS: Final = ("fi", "et", "vi")


def person(household: str) -> Person:
    """Who a household of the demo is, as far as anybody makes it up.

    >>> person("1").email == person("1").email, person("1").email.endswith("1@demo.example")
    (True, True)
    """
    dice = Random(f"{SEED} {household}")  # nothing here is a secret
    language = "en" if dice.random() < 0.5 else dice.choice(_OTHERS)
    given, family = (dice.choice(names.split()) for names in _NAMES[language])
    email = f"{plain(given)}.{plain(family)}.{household}@demo.example"
    return Person(given, family, email, language=language)
