"""Where nobody is sent: to this machine, to its neighbours, to what answers for the cloud around
it, or to an IPv4 address that hides in an IPv6 one.

A name that a destination declares may be pointed there by whoever runs its zone (DNS rebinding), so
it is looked up once, every answer must be allowed, and the connection goes to exactly that address.
The ranges are those of the IANA special-purpose registries (RFC 6890 and successors), which
Python's ipaddress has; what they leave out is listed here.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

from jhalak.border.egress.destinations import Destination

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]
_CARRIES_V4 = {
    "::/96": "IPv4-compatible",
    "::ffff:0:0/96": "IPv4-mapped",
    "::ffff:0:0:0/96": "IPv4-translated",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64",
    "2001::/32": "Teredo",
    "2002::/16": "6to4",
}
_ALSO = {
    "100.64.0.0/10": "shared with the provider's network",
    "168.63.129.16/32": "a cloud's metadata",
    "192.0.0.0/24": "for protocols",
    "192.88.99.0/24": "6to4's relays",
    "3fff::/20": "for documentation",
    "fec0::/10": "site-local",
    "5f00::/16": "segment routing",
}
_RANGES = {ipaddress.ip_network(net): why for net, why in (_CARRIES_V4 | _ALSO).items()}


class AddressRefused(Exception):
    """The destination's name does not lead to where it may; the message says where and why not."""


def why_refused(text: str) -> str:
    """Why nobody is sent to this address; "" when it is one of the public network."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return "no address"
    if getattr(address, "scope_id", None):
        return "with a scope"
    for network, why in _RANGES.items():
        if address.version == network.version and address in network:
            return why
    for name in ("loopback", "link_local", "multicast", "unspecified", "private", "reserved"):
        if getattr(address, f"is_{name}"):
            return name.replace("_", "-")
    return "" if address.is_global else "not public"


def ask_system(host: str, port: int) -> list[str]:
    """The system's resolver, asked once. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def pin(destination: Destination, resolve: Resolve = ask_system) -> str:
    """The address to connect to. Raises AddressRefused."""
    if destination.internal:
        return destination.address
    try:
        found = (
            [destination.address]
            if destination.address
            else resolve(destination.host, destination.port)
        )
    except OSError as error:
        raise AddressRefused(f"{destination.host} is not found: {error.strerror}") from error
    if not found:
        raise AddressRefused(f"{destination.host} has no address")
    for address in found:
        if why := why_refused(address):
            raise AddressRefused(f"{destination.host} leads to {address}, which is {why}")
    return found[0]
