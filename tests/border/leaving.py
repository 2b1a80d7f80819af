"""Ways to leave, each tried by a process in the seal of a service: `leaving.py NAME ARGUMENT...`
prints `done`, or the name of the error. `each JSON` tries many, each in a child of its own, and
prints a list of what came of them.

Standard library only.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import socket
import sys
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def connect(family: str, kind: str, address: str, port: str) -> None:
    with socket.socket(int(family), int(kind)) as line:
        line.settimeout(5)
        line.connect((address, int(port)))


def datagram(family: str, address: str, port: str) -> None:
    with socket.socket(int(family), socket.SOCK_DGRAM) as line:
        line.sendto(b"out", (address, int(port)))


def dns() -> None:
    socket.getaddrinfo("example.org", 443)


def family(number: str, kind: str) -> None:
    socket.socket(int(number), int(kind)).close()


def families() -> str:
    """Every one but Unix, IPv4, IPv6, netlink, as stream, datagrams, raw, seqpacket."""
    opened = []
    for number in {*range(3, 46)} - {10, 16}:
        for kind in (1, 2, 3, 5):
            try:
                family(str(number), str(kind))
            except OSError as error:
                if error.errno == errno.EAFNOSUPPORT:
                    continue
            opened.append(number)
    return f"opened {opened}"


def netlink() -> None:
    """Give itself an interface: RTM_NEWLINK of kind dummy."""
    kind = b"\x0a\x00\x01\x00dummy\x00\x00\x00"
    info = (len(kind) + 4).to_bytes(2, "little") + b"\x12\x00" + kind
    body = bytes(16) + info
    head = (16 + len(body)).to_bytes(4, "little") + (16).to_bytes(2, "little")
    head += (0x605).to_bytes(2, "little") + bytes(8)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as line:
        line.bind((0, 0))
        line.send(head + body)
        answer = line.recv(4096)
        _refused(-int.from_bytes(answer[16:20], "little", signed=True))


def _refused(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))


def unix(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(name.replace("@", "\0"))


def setns(path: str) -> None:
    at = os.open(path, os.O_RDONLY)
    _check(LIBC.setns(at, 0))


def unshare(flags: str) -> None:
    _check(LIBC.unshare(int(flags, 0)))


def own_then_back(path: str) -> None:
    """A namespace of users of its own gives every right in it, and none outside."""
    unshare("0x10000000")
    setns(path)


def own_then_umount(path: str) -> None:
    unshare("0x10020000")
    _check(LIBC.umount2(path.encode(), 2))


def ring() -> None:
    _check(LIBC.syscall(425, 8, ctypes.create_string_buffer(256)))


def trace(pid: str) -> None:
    _check(LIBC.ptrace(16, int(pid), None, None))


def descriptor(pid: str) -> None:
    """Take a descriptor of a process outside: its network comes with it."""
    at = os.pidfd_open(int(pid))
    _check(LIBC.syscall(438, at, 0, 0))


def rename(old: str, new: str) -> None:
    Path(old).rename(new)


def write(path: str) -> None:
    with Path(path).open("a"):
        pass


def read(path: str) -> None:
    Path(path).read_bytes()


def device(path: str) -> None:
    os.open(path, os.O_RDONLY)


def type_ahead() -> None:
    import fcntl
    import pty

    _, terminal = pty.openpty()
    fcntl.ioctl(terminal, 0x5412, b"x")


def main(name: str, *arguments: str) -> None:
    if name == "each":
        print(json.dumps([in_a_child(*way) for way in json.loads(arguments[0])]))
        return
    print(tried(name, *arguments))


def in_a_child(name: str, *arguments: str) -> str:
    answer, told = os.pipe()
    if not (child := os.fork()):
        os.write(told, tried(name, *arguments).encode())
        os._exit(0)
    os.close(told)
    with os.fdopen(answer) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


def tried(name: str, *arguments: str) -> str:
    try:
        return str(globals()[name](*arguments) or "done")
    except socket.gaierror as error:
        return "EAI_AGAIN" if error.errno == socket.EAI_AGAIN else str(error)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
