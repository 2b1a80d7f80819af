"""Where a request comes from: its address, its guest, and a name for the browser.

The name, "Firefox on Android", is for the list of one's own sessions and decides nothing.
"""

from __future__ import annotations

import ipaddress

from jhalak.people.actions import Browser
from jhalak.people.middleware import Request

# The order matters: Edge and Opera say that they are Chrome, and Chrome says that it is Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("UCBrowser/", "UC Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("KAIOS/", "KaiOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str) -> str:
    """A label of at most 80 characters; "" when the browser says nothing that is known."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " on ".join(part for part in (browser, system) if part)


def network(address: str) -> str:
    """What limits count as one address: of IPv6 the first 64 bits, which one line has at least
    (RFC 6177).
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(known.ipv4_mapped or ipaddress.ip_network((int(known) >> 64 << 64, 64)))


def browser(request: Request) -> Browser:
    """Where a request comes from. The front sets X-Real-IP and drops a client's own."""
    meta = request.META
    return Browser(
        address=network(meta.get("HTTP_X_REAL_IP") or meta.get("REMOTE_ADDR") or ""),
        device=device(request.headers.get("User-Agent", "")),
        guest=request.guest.known_key,
    )
