"""Runs as `python -m tests.border.journey FOLDER`: the whole site in a network namespace of its own
and all that people do with it, while a capture looks on. Prints what came of it as JSON.

The namespace has loopback, over which the site is asked, and a cable (veth) with a default route:
whatever called out would go onto the cable, and the capture (AF_PACKET, every protocol) holds it.
At the end the journey's own process calls out once, which the capture must hold: it is not blind.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.live import Site

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
UP, ADDRESS, MASK, ROUTE = 0x8914, 0x8916, 0x891C, 0x890B
EVERY_PROTOCOL, OUTGOING = 3, 4
HERE = "198.51.100.2"  # RFC 5737: for documentation
# What the kernel itself says on a cable, so that it is not taken for a call: none in IPv6 at all.
QUIET = "net.ipv6.conf.{}.disable_ipv6"


def own_world() -> None:
    """Own users, in which we are root, and an own network."""
    uid, gid = os.getuid(), os.getgid()
    _check(LIBC.unshare(NEW_USER | NEW_NETWORK))
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text)
    for name in ("all", "default"):
        switch = Path("/proc/sys", *QUIET.format(name).split("."))
        if switch.exists():
            switch.write_text("1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        _cable()
        for name in ("lo", "out", "veth0"):
            _ask(line, UP, name, struct.pack("H", 0x1))
        _ask(line, ADDRESS, "out", _address(HERE))
        _ask(line, MASK, "out", _address("255.255.255.0"))
        device = ctypes.create_string_buffer(b"out")
        ends = _address("0.0.0.0")[:16], _address("198.51.100.1")[:16], _address("0.0.0.0")[:16]
        route = struct.pack("=Q16s16s16sHh4xQQh6x", 0, *ends, 0x3, 0, 0, 0, 0)
        route += struct.pack("=QQQH6x", ctypes.addressof(device), 0, 0, 0)
        fcntl.ioctl(line, ROUTE, route)


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _cable() -> None:
    """RTM_NEWLINK of kind veth, one end named `out`; the kernel names the other veth0."""

    def attribute(number: int, value: bytes) -> bytes:
        return struct.pack("=HH", len(value) + 4, number) + value + bytes(-len(value) % 4)

    body = bytes(16) + attribute(3, b"out\0") + attribute(18, attribute(1, b"veth\0"))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as line:
        line.bind((0, 0))
        line.send(struct.pack("=IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
        (number,) = struct.unpack_from("=i", line.recv(4096), 16)
        if number:
            raise OSError(-number, os.strerror(-number))


def _ask(line: socket.socket, what: int, name: str, given: bytes) -> None:
    fcntl.ioctl(line, what, struct.pack("16s24s", name.encode(), given))


def _address(text: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(text)) + bytes(8)


class Capture:
    """Every packet that leaves by the cable."""

    def __init__(self) -> None:
        self._line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
        self._line.bind(("out", EVERY_PROTOCOL))
        self._line.setblocking(False)

    def packets(self) -> list[str]:
        """Since it was asked last."""
        found = []
        while True:
            try:
                data, where = self._line.recvfrom(1 << 16)
            except BlockingIOError:
                return found
            if where[2] == OUTGOING:
                found.append(data[12:60].hex())

    def close(self) -> None:
        self._line.close()


def journey(site: Site, folder: Path) -> dict[str, Any]:
    """Sign up, upload, transcode, swipe, learn, train."""
    from tests.live import clip, eventually, states, upload

    told: dict[str, Any] = {}
    author, viewer = site.client("asha"), site.client("ravi")
    source = clip(folder / "clip.mp4", seconds=1)
    video = upload(author, source, caption="one #tag")
    told["states"] = list(states(author, video, 240))
    card = author.get(f"/api/videos/{video}").json()
    told["bytes"] = author.get(card["src"], headers={"Range": "bytes=0-99"}).status_code
    page = viewer.get("/api/feed?n=4").json()
    told["model"] = page["model"]
    for item in page["items"]:
        event = {"token": item["token"], "kind": "watched", "watched_ms": 1000}
        answer = viewer.post("/api/events", json={"events": [event]})
        told["accepted"] = answer.json()["accepted"]
    told["liked"] = viewer.put(f"/api/videos/{video}/like").status_code
    told["learnt"] = eventually(
        lambda: viewer.get("/api/feed/held").json()["watched"]["items"],
        seconds=120,
        what="learning",
    )
    from jhalak.feed.training import KIND

    site.enqueue("feed.learn", KIND)
    query = "SELECT state FROM records_job WHERE kind = 'feed.learn'"
    told["trained"] = eventually(
        lambda: [state for (state,) in site.rows(query) if state in ("done", "failed")] or None,
        seconds=120,
        what="training",
    )
    told["pages"] = [viewer.get(path).status_code for path in ("/", "/discover", "/healthz")]
    return told


def look(site: Site) -> list[str]:
    """What a browser asks for, in all: it is opened on the feed, and goes to a few pages."""
    from playwright.sync_api import sync_playwright

    hosts: set[str] = set()
    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda asked: hosts.add(urlsplit(asked.url).netloc))
        for path in ("/", "/discover", "/login", "/signup"):
            page.goto(site.url + path)
            page.wait_for_load_state("load")
        browser.close()
    return sorted(hosts - {""})


def main(folder: Path) -> None:
    try:
        own_world()
        capture = Capture()
    except OSError as error:
        print(json.dumps({"refused": str(error)}))
        return
    from jhalak.border.services import Processes
    from tests.live import Site

    with Site(folder / "data") as site:
        told = journey(site, folder)
        told["packets"] = capture.packets()
        told["hosts"] = look(site)
        told["site"] = site.url.removeprefix("http://")
        told["sealed"] = {one.name: one.sealed for one in Processes(site.data).all()}
    capture.packets()  # a browser calls its maker: that is the viewer's, and counts for nobody
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        # To everybody on the cable: for one of them the kernel would ask first where it is, and
        # does not ask again soon.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        line.sendto(b"a deliberate one", ("198.51.100.255", 9))
    told["seen"] = len(capture.packets())
    capture.close()
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
