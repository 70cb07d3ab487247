"""Addresses: where a webhook may be called, so that nobody reaches into the house through it.

Guarantee: a name is looked up once, and the call goes to the address that was looked at, so
that a name that answers otherwise the second time gains nothing. Only public addresses are
called: none of this machine, of a private or link-local network, of many at once, and none
in which another address is wrapped.

>>> [public(each) for each in ("93.184.215.14", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
[True, False, False, False]
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

#: Public by their number, and still the inside of somebody's house.
_INSIDE: Final = (ip_network("168.63.129.16/32"), ip_network("192.88.99.0/24"))
#: Where public IPv6 addresses are.
_GLOBAL: Final = IPv6Network("2000::/3")
#: In these another address is wrapped: Teredo and other protocols, 6to4. NAT64 and mapped
#: addresses are outside of what is public already.
_WRAPPED: Final = (IPv6Network("2001::/23"), IPv6Network("2002::/16"))


class Unreachable(Exception):
    """Why a host is not called."""


def public(address: str) -> bool:
    """Whether an address is one of the public internet."""
    found = ip_address(address)
    if not found.is_global or found.is_multicast or found.is_reserved:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in each for each in _INSIDE)
    return _plain(found)


def _plain(found: IPv6Address) -> bool:
    inside = found in _GLOBAL and not found.scope_id
    return inside and not any(found in each for each in _WRAPPED)


def literal(host: str) -> str | None:
    """The address that a host is by itself, as any resolver would read it; ``None``: a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001 and their like
    except (OSError, ValueError):
        return None


async def address_of(host: str, port: int, *, lan: bool) -> str:
    """The address to call for a host; ``Unreachable`` when there is none that may be called."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{host} is not known: {error}") from error
    addresses = [str(each[4][0]) for each in found]
    if not addresses:
        raise Unreachable(f"{host} has no address")
    if not lan and not all(map(public, addresses)):
        raise Unreachable(f"{host} is not on the public internet")
    return addresses[0]
