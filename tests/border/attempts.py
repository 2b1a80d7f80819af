"""Ways out, each tried by a small program: `attempts.py ANSWER NAME ARGUMENT...` writes `done` and
what came of it to the descriptor ANSWER, or the error that stopped it.

Standard library only, nothing of ours: it stands for a decoder that was taken over.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path


def read(path: str) -> object:
    return len(Path(path).read_bytes())


def look(path: str) -> object:
    return [entry.name for entry in Path(path).iterdir()]


def write(path: str, size: str = "1") -> object:
    with Path(path).open("wb", buffering=0) as file:
        file.writelines(bytes(min(int(size), 1 << 16)) for _ in range(0, int(size), 1 << 16))
    return size


def remove(path: str) -> object:
    Path(path).unlink()
    return path


def tcp(port: str) -> object:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as line:
        line.sendall(b"out")
    return port


def udp(port: str) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(b"out", ("127.0.0.1", int(port)))
    return port


def unix(name: str) -> object:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(name.replace("@", "\0"))
        line.sendall(b"out")
    return name


def kill(pid: str) -> object:
    os.kill(int(pid), signal.SIGKILL)
    return pid


def processes() -> object:
    return len([entry for entry in Path("/proc").iterdir() if entry.name.isdecimal()])


def fork(times: str) -> object:
    """A fork bomb with a bound. All that it made ends with it."""
    made = []
    try:
        for _ in range(int(times)):
            if not (child := os.fork()):
                time.sleep(60)
                os._exit(0)
            made.append(child)
    finally:
        for child in made:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return len(made)


def threads(times: str) -> object:
    waits = threading.Event()
    made = [threading.Thread(target=waits.wait) for _ in range(int(times))]
    try:
        for thread in made:
            thread.start()
    finally:
        waits.set()
    return len(made)


def linger(_mark: str) -> object:
    """Leave a process behind that has let go of everything."""
    read_end, write_end = os.pipe()
    if not os.fork():
        os.setsid()
        for number in range(64):
            if number != write_end:
                try:
                    os.close(number)
                except OSError:
                    continue
        os.write(write_end, b"here")
        time.sleep(60)
        os._exit(0)
    os.read(read_end, 4)
    return "left"


def allocate(size: str) -> object:
    return len(bytearray(int(size)))


def spin(seconds: str) -> object:
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)  # does not go when it is asked
    while time.process_time() < float(seconds):
        pass
    return seconds


def open_files(times: str) -> object:
    return len([os.open("/dev/null", os.O_RDONLY) for _ in range(int(times))])


def regain() -> object:
    """Something that takes a capability."""
    os.setgroups([])
    return "groups"


def inherited() -> object:
    found = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    return found


def main(answer: str, name: str, *arguments: str) -> None:
    try:
        text = f"done {globals()[name](*arguments)}"
    except (OSError, RuntimeError, MemoryError) as error:
        text = f"{type(error).__name__}: {error}"
    os.write(int(answer), text.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
