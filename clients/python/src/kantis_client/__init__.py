"""A typed client of the Kantis service: every route of its contract as a method.

>>> from kantis_client import Kantis
>>> with Kantis("http://127.0.0.1:8040", "kantis_…") as kantis:  # doctest: +SKIP
...     kantis.send({"type": "enrol", "id": "1", "subject": "card:6407", "data": {}})
"""

from kantis_client.calls import Kantis
from kantis_client.transport import Problem, Unreachable

__all__ = ["Kantis", "Problem", "Unreachable"]
