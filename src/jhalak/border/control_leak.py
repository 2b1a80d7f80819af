"""Runs as `python -I -S control_leak.py PID`: enters the namespaces of that process and tries to
leave from there, in each way that a line of its input names; answers a line each, `out` or the
error. Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys

# Addresses for documentation: nobody has them. RFC 5737, RFC 3849, RFC 6761.
_V4, _V6, _NAME = "192.0.2.1", "2001:db8::1", "control.invalid"
_SOURCE, _FREEBIND = "2001:db8::2", 78
_LIBC = ctypes.CDLL(None, use_errno=True)


def enter(pid: str) -> None:
    """Its user namespace first: that gives the right to enter the others."""
    spaces = []
    for name in ("user", "net", "mnt"):
        there, here = f"/proc/{pid}/ns/{name}", f"/proc/self/ns/{name}"
        if os.stat(there).st_ino != os.stat(here).st_ino:  # noqa: PTH116
            spaces.append(os.open(there, os.O_RDONLY | os.O_CLOEXEC))
    for space in spaces:
        if _LIBC.setns(space, 0) < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def leave(way: str) -> None:
    if way == "dns":
        socket.getaddrinfo(_NAME, 443)
        return
    family, address = (socket.AF_INET6, _V6) if way.endswith("6") else (socket.AF_INET, _V4)
    kind = socket.SOCK_STREAM if way.startswith("tcp") else socket.SOCK_DGRAM
    with socket.socket(family, kind) as line:
        line.settimeout(3)
        if family == socket.AF_INET6:
            # With a source of its own, or the kernel finds that it has none before it counts.
            line.setsockopt(socket.IPPROTO_IPV6, _FREEBIND, 1)
            line.bind((_SOURCE, 0))
        if kind == socket.SOCK_STREAM:
            line.connect((address, 443))
        else:
            line.sendto(b"jhalak: positive control", (address, 9))


def answer(way: str) -> str:
    try:
        leave(way)
    except TimeoutError:
        return "out"  # it was sent, and nobody is there
    except socket.gaierror as error:
        # A name that is asked for and does not exist was asked for outside.
        return "out" if error.errno == socket.EAI_NONAME else "EAI_AGAIN"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "out"


def main() -> None:
    try:
        enter(sys.argv[1])
    except OSError as error:
        sys.exit(str(error))
    for line in sys.stdin:
        print(answer(line.strip()), flush=True)


if __name__ == "__main__":
    main()
