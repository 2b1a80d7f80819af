"""The rules of a border machine: what the service's user may send, as a file for `nft -f`.

A second fence around the seal and the broker, by another mechanism and of another program: of what
the service's user sends, answers to viewers pass, packets to the declared destinations' addresses
pass and are counted for each, and all else is logged, counted and dropped. The table is put in
whole or not at all, and touches no other table.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Iterable

import msgspec

_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}|[0-9]{1,10}")
_CGROUP = re.compile(r"[A-Za-z0-9_.@-]+(/[A-Za-z0-9_.@-]+)*")


class Pinned(msgspec.Struct, frozen=True):
    """A declared destination with the addresses that its host has now."""

    name: str
    purpose: str
    expires: datetime.date
    addresses: tuple[str, ...]
    port: int


def rules(
    pinned: Iterable[Pinned], *, user: str = "", cgroup: str = "", today: datetime.date
) -> str:
    """The file. `user`: name or number of whom the service runs as; or else `cgroup`: its version 2
    path, as `jhalak.slice`. What is expired `today` is not let through. Raises ValueError.
    """
    if bool(user) == bool(cgroup):
        raise ValueError("say either a user or a cgroup")
    if user and not _USER.fullmatch(user):
        raise ValueError(f"no user: {user!r}")
    if cgroup and not _CGROUP.fullmatch(cgroup):
        raise ValueError(f"no path of a cgroup: {cgroup!r}")
    level = cgroup.count("/") + 1
    who = f"meta skuid {user}" if user else f'socket cgroupv2 level {level} "{cgroup}"'
    passing, left_out = [], []
    for one in sorted(pinned, key=lambda one: one.name):
        said = _said(f"{one.name}: {one.purpose}, until {one.expires}")
        if one.expires < today:
            left_out.append(f"    # expired: {said}")
            continue
        if not 0 < one.port < 65536:
            raise ValueError(f"no port: {one.port}")
        for address in sorted(map(ipaddress.ip_address, one.addresses), key=str):
            family = "ip" if address.version == 4 else "ip6"
            passing.append(
                f'    {family} daddr {address} tcp dport {one.port} counter accept comment "{said}"'
            )
    return "\n".join(
        (
            "#!/usr/sbin/nft -f",
            "# Made by `jhalak border nftables`. Make it again when a destination is declared,",
            "# moves or expires. `nft list table inet jhalak` shows the counters.",
            "table inet jhalak",
            "delete table inet jhalak",
            "table inet jhalak {",
            "  counter refused { }",
            "  counter answered { }",
            "  chain output {",
            "    type filter hook output priority filter; policy accept;",
            f"    {who} jump service",
            "  }",
            "  chain service {",
            '    oifname "lo" accept',
            '    ct direction reply counter name "answered" accept comment "answers to viewers"',
            *passing,
            *left_out,
            '    limit rate 10/second log prefix "jhalak refused: " flags skuid',
            '    counter name "refused" drop',
            "  }",
            "}",
            "",
        )
    )


def _said(text: str) -> str:
    """As a comment that nft takes, whatever was declared."""
    return re.sub(r"[^A-Za-z0-9 .,:_-]", "?", text)[:100]
