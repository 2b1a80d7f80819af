"""Runs as `python -I -S launcher.py ...` between us and a sealed program: builds the walls, then
becomes the program.

A small program of its own and not a preexec_fn, because its parent has threads, where nothing but
exec is safe after fork, and because the kernel gives a user namespace only to a process of one
thread. Standard library only, and little of it: it runs before every sealed program.

    launcher.py NAME=VALUE... -- PROGRAM ARGUMENT...        (seal.py writes the words)

What was built goes to the pipe `report`, a line each: `WALL`, or `WALL why it does not stand`; then
`.`, and after it `!why` when the program itself cannot be started. The order of the steps follows
bubblewrap's (containers/bubblewrap); the system calls are described in user_namespaces(7),
open_tree(2), landlock(7), seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import select
import struct
import sys

TYPE_CHECKING = False  # what `typing` would bring takes longer than all walls
if TYPE_CHECKING:
    from collections.abc import Callable

LINUX = sys.platform == "linux"
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

_NEW = {"user": 0x10000000, "network": 0x40000000, "ipc": 0x08000000 | 0x04000000}
_NEW_MOUNT, _NEW_PID = 0x00020000, 0x20000000
_NOBODY = 65534

# prctl(2)
_PDEATHSIG, _SECCOMP, _BOUNDING_DROP, _NO_NEW_PRIVS, _AMBIENT = 1, 22, 24, 38, 47
_AMBIENT_CLEAR_ALL, _SECCOMP_FILTER = 4, 2

# System calls of one number on every machine, and what their flags are.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_HERE, _EMPTY_PATH, _RECURSIVE, _CLONE, _FROM_EMPTY = -100, 0x1000, 0x8000, 1, 4
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_PRIVATE, _DETACH = 0x4000 | 0x40000, 2

# Landlock's rights, by the version that brought them.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: _TRUNCATE, 5: 1 << 15}
_MAKE = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13  # remove, make folder and file, move
_TCP, _SCOPES = 1 | 2, 1 | 2  # bind and connect; abstract sockets and signals to outside

_SOCKET = {"x86_64": (41, 16), "aarch64": (198, 29)}  # socket, ioctl
_FAMILIES = (1, 2, 10, 16)  # Unix, IPv4, IPv6, netlink: each has a network namespace around it
_TO_TERMINAL = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX: typing for the person at the terminal
# audit's name of a machine, pivot_root, calls that are refused, calls allowed to oneself only
# (kill, tgkill), clone.
_CALLS: dict[str, tuple[int, int, tuple[int, ...], tuple[int, ...], int]] = {
    # fork vfork socket ptrace tkill rt_sigqueueinfo add_key request_key keyctl unshare
    # rt_tgsigqueueinfo perf_event_open setns process_vm_readv process_vm_writev bpf userfaultfd
    "x86_64": (
        0xC000003E,
        155,
        (57, 58, 41, 101, 200, 129, 248, 249, 250, 272, 297, 298, 308, 310, 311, 321, 323),
        (62, 234),
        56,
    ),
    "aarch64": (
        0xC00000B7,
        41,
        (198, 117, 130, 138, 217, 218, 219, 97, 240, 241, 268, 270, 271, 280, 282),
        (129, 131),
        220,
    ),
}
# pidfd_send_signal io_uring_setup open_tree move_mount fsopen pidfd_open pidfd_getfd
_CALLS_EVERYWHERE = (424, 425, 428, 429, 430, 434, 438)
_CLONE3, _CLONE_THREAD, _X32, _IO_URING = 435, 0x10000, 0x40000000, 425


class Given:
    """The words before `--`."""

    def __init__(self, words: list[str]) -> None:
        self._values: dict[str, list[str]] = {}
        for word in words:
            name, _, value = word.partition("=")
            self._values.setdefault(name, []).append(value)

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def number(self, name: str) -> int:
        return int(self._values[name][0])


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _call(number: int, *arguments: int | bytes | None) -> int:
    words = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    return _check(_LIBC.syscall(ctypes.c_long(number), *words))


def _prctl(option: int, *arguments: int) -> int:
    words = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _check(_LIBC.prctl(ctypes.c_int(option), *words))


def _die_with(number: int, alive: Callable[[], bool]) -> None:
    """Get this signal when the parent ends; end at once if it has ended already."""
    if LINUX:
        _prctl(_PDEATHSIG, number)
    if not alive():
        os._exit(1)


def own_user(*, nobody: bool = True) -> None:
    """A user namespace in which we are nobody or keep our name: no right holds outside of it."""
    uid, gid = os.geteuid(), os.getegid()
    _check(_LIBC.unshare(_NEW["user"]))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NOBODY if nobody else uid} {uid} 1"),
        ("gid_map", f"{_NOBODY if nobody else gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123  pathlib takes a while
            file.write(text)


def own_root(reads: list[str], writes: list[str]) -> None:
    """A file tree that holds nothing but what is read and written."""
    pivot_root = _machine()[1]
    _check(_LIBC.unshare(_NEW_MOUNT))
    _check(_LIBC.mount(None, b"/", None, ctypes.c_ulong(_PRIVATE), None))
    trees = [(path, path in writes, _tree(path, path in writes)) for path in [*reads, *writes]]
    # Any folder that is surely there; what was under it was taken up before.
    base = os.path.dirname(os.path.abspath(__file__)).encode()  # noqa: PTH120, PTH100
    room = ctypes.c_ulong(_NO_SUID | _NO_DEVICES)
    _check(_LIBC.mount(b"tmpfs", base, b"tmpfs", room, b"size=1m,mode=755"))
    try:
        os.chdir(base)
        for path, _, tree in sorted(trees):
            _put(path, tree)
        _call(pivot_root, b".", b".")
    except OSError:
        os.chdir("/")
        _LIBC.umount2(base, _DETACH)
        raise
    _check(_LIBC.umount2(b".", _DETACH))
    os.chdir("/")
    _attributes(_HERE, b"/", 0, _READ_ONLY | _NO_EXEC)


def own_view(reads: list[str], writes: list[str], hides: list[str]) -> None:
    """The file tree as it is, but read-only; in place of what is hidden an empty folder in memory,
    with what is read and written put back. What is read within what is written is read-only there,
    and as the root of a mount it cannot be renamed. What is hidden within either stays hidden.
    """
    here = os.getcwd()  # noqa: PTH109
    _check(_LIBC.unshare(_NEW_MOUNT))
    _check(_LIBC.mount(None, b"/", None, ctypes.c_ulong(_PRIVATE), None))
    inner, nested = _in(hides, [*reads, *writes]), _in(hides, hides)
    hides = [path for path in hides if path not in inner and path not in nested]
    within = tuple(f"{path}/" for path in [*hides, *writes, "/proc"])
    again = [path for path in reads if path.startswith(within)]
    kept = [(path, _copy(path)) for path in sorted({*again, *writes})]
    _attributes(_HERE, b"/", _RECURSIVE, _READ_ONLY | _NO_SUID | _NO_DEVICES)
    flags = ctypes.c_ulong(_NO_SUID | _NO_DEVICES)
    for path in hides:
        _check(_LIBC.mount(b"tmpfs", os.fsencode(path), b"tmpfs", flags, b"size=64m,mode=755"))
    os.chdir("/")
    for path, tree in kept:
        rights = _NO_SUID | (0 if path in writes else _READ_ONLY)
        rights |= 0 if path.startswith("/dev/") else _NO_DEVICES
        _attributes(tree, b"", _EMPTY_PATH | _RECURSIVE, rights)
        _put(path, tree)
    empty = ctypes.c_ulong(_NO_SUID | _NO_DEVICES | _READ_ONLY)
    for path in inner:
        _check(_LIBC.mount(b"tmpfs", os.fsencode(path), b"tmpfs", empty, b"size=4k,mode=555"))
    if "/dev" in hides:
        os.makedirs("/dev/shm", exist_ok=True)  # noqa: PTH103, S108  its own, empty
    # By its name, since the open one may be under what is hidden.
    os.chdir(here if os.path.isdir(here) else "/")  # noqa: PTH112


def _in(paths: list[str], folders: list[str]) -> list[str]:
    return [path for path in paths if path.startswith(tuple(f"{one}/" for one in folders))]


def _copy(path: str) -> int:
    """A copy of the mounts at `path`, not yet anywhere."""
    return _call(_OPEN_TREE, _HERE, os.fsencode(path), _CLONE | _RECURSIVE | os.O_CLOEXEC)


def _tree(path: str, writable: bool) -> int:
    """Such a copy with as few rights as will do."""
    tree = _copy(path)
    rights = _NO_SUID | _NO_DEVICES | (_NO_EXEC if writable else _READ_ONLY)
    _attributes(tree, b"", _EMPTY_PATH | _RECURSIVE, rights)
    return tree


def _attributes(at: int, path: bytes, flags: int, rights: int) -> None:
    wanted = struct.pack("=QQQQ", rights, 0, 0, 0)
    _call(_MOUNT_SETATTR, at, path, flags, wanted, len(wanted))


def _put(path: str, tree: int) -> None:
    target = "." + path
    if os.path.isdir(f"/proc/self/fd/{tree}"):  # noqa: PTH112
        os.makedirs(target, exist_ok=True)  # noqa: PTH103
    elif not os.path.exists(target):  # noqa: PTH110
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    _call(_MOVE_MOUNT, tree, b"", _HERE, os.fsencode(target), _FROM_EMPTY)
    os.close(tree)


def _machine() -> tuple[int, int, tuple[int, ...], tuple[int, ...], int]:
    try:
        return _CALLS[os.uname().machine]
    except KeyError:
        raise OSError(errno.ENOSYS, f"not known on {os.uname().machine}") from None


def drop_privileges() -> None:
    """No capability, none to get back; PR_SET_NO_NEW_PRIVS is set already."""
    try:
        for capability in range(64):
            _prctl(_BOUNDING_DROP, capability)
    except OSError:  # the first number that is none, or we never had any
        pass
    _prctl(_AMBIENT, _AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", 0x20080522, 0)
    _check(_LIBC.capset(header, bytes(24)))


def landlock(reads: list[str], writes: list[str]) -> None:
    """Files by path, whatever the file tree: read these, write there; no TCP; no signal out."""
    version = _call(_CREATE_RULESET, None, 0, 1)
    files = sum(rights for since, rights in _RIGHTS.items() if since <= version)
    handled = [files, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0]
    rules = struct.pack("=QQQ", *handled)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = _call(_CREATE_RULESET, rules, len(rules), 0)
    read = _EXECUTE | _READ_FILE | _READ_DIR
    write = _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE | _MAKE
    for path in [*reads, *writes]:
        rights = (write if path in writes else read) & files
        if not os.path.isdir(path):  # noqa: PTH112
            rights &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
        at = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _call(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights, at), 0)
        os.close(at)
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def few_calls() -> None:
    """Threads, but no process; no socket; no signal or look into another process; no new mounts."""
    _, _, refused, to_oneself, clone = _machine()
    load, equal, any_bit, give, allow, no = _LOAD, _EQUAL, _ANY_BIT, _GIVE, _ALLOW, _NO
    not_there = 0x50000 | errno.ENOSYS
    steps = _this_machine_only()
    for number in (*refused, *_CALLS_EVERYWHERE):
        steps += [(equal, 0, 1, number), (give, 0, 0, no)]
    # The C library goes on with clone, whose flags a filter can see.
    steps += [(equal, 0, 1, _CLONE3), (give, 0, 0, not_there)]
    first_argument = (load, 0, 0, 16)
    steps += [(equal, 0, 4, clone), first_argument, (any_bit, 1, 0, _CLONE_THREAD)]
    steps += [(give, 0, 0, no), (give, 0, 0, allow)]
    for number in to_oneself:
        steps += [(equal, 0, 4, number), first_argument, (equal, 1, 0, os.getpid())]
        steps += [(give, 0, 0, no), (give, 0, 0, allow)]
    _filter([*steps, (give, 0, 0, allow)])


def few_families() -> None:
    """Sockets of those address families alone that a network namespace holds in: a vsock reaches
    the machine that this one is a guest of from any namespace. No ring that makes sockets unseen,
    no typing into the terminal.
    """
    _machine()
    socket, ioctl = _SOCKET[os.uname().machine]
    steps = _this_machine_only()
    steps += [(_EQUAL, 0, 1, _IO_URING), (_GIVE, 0, 0, _NO)]
    steps += [(_EQUAL, 0, 2 + 2 * len(_FAMILIES), socket), (_LOAD, 0, 0, 16)]
    for family in _FAMILIES:
        steps += [(_EQUAL, 0, 1, family), (_GIVE, 0, 0, _ALLOW)]
    steps += [(_GIVE, 0, 0, 0x50000 | errno.EAFNOSUPPORT)]
    steps += [(_EQUAL, 0, 2 + 2 * len(_TO_TERMINAL), ioctl), (_LOAD, 0, 0, 24)]
    for request in _TO_TERMINAL:
        steps += [(_EQUAL, 0, 1, request), (_GIVE, 0, 0, _NO)]
    _filter([*steps, (_GIVE, 0, 0, _ALLOW), (_GIVE, 0, 0, _ALLOW)])


# Of classic BPF: load a word, jump, answer; and seccomp's answers.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _GIVE = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_IT, _NO = 0x7FFF0000, 0x80000000, 0x50000 | errno.EPERM


def _this_machine_only() -> list[tuple[int, int, int, int]]:
    """Ends with the number of the call loaded."""
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _machine()[0]), (_GIVE, 0, 0, _KILL_IT)]
    steps.append((_LOAD, 0, 0, 0))
    if os.uname().machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), (_GIVE, 0, 0, _NO)]
    return steps


def _filter(steps: list[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    _prctl(_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(program))


def limit(given: Given, *, threads: bool) -> None:
    """`threads`: whether they can be counted by themselves, which needs the own user."""
    cpu = given.number("cpu_seconds")
    limits = {
        resource.RLIMIT_CPU: (cpu, cpu + 1),  # some programs want to end in order
        resource.RLIMIT_FSIZE: (given.number("file_bytes"),) * 2,
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_NOFILE: (given.number("open_files"),) * 2,
    }
    if threads:
        limits[resource.RLIMIT_NPROC] = (given.number("threads"),) * 2
    if LINUX:
        limits[resource.RLIMIT_AS] = (given.number("memory_bytes"),) * 2
    for number, pair in limits.items():
        # Where we are held tighter already it stays so.
        most = resource.getrlimit(number)[1]
        soft, hard = pair if most == resource.RLIM_INFINITY else (min(n, most) for n in pair)
        resource.setrlimit(number, (soft, hard))
    if not LINUX:
        raise OSError(errno.ENOSYS, "this system does not limit memory")


def _mirror(child: int) -> None:
    """Wait for `child` and end as it ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _LIBC.signal(-status, None)  # as it would be without us
        os.kill(os.getpid(), -status)
    os._exit(status if status >= 0 else 128 - status)


class Walls:
    """Builds what is wanted, and keeps what became of it."""

    def __init__(self, wanted: list[str]) -> None:
        self._wanted = wanted
        self.lines: list[str] = []

    def build(self, wall: str, step: Callable[[], object], *, anywhere: bool = False) -> bool:
        if wall not in self._wanted:
            return False
        try:
            if not (LINUX or anywhere):
                raise OSError(errno.ENOSYS, "only Linux has it")
            step()
        except OSError as error:
            self.lines.append(f"{wall} {error.strerror or error}")
            return False
        self.lines.append(wall)
        return True


def main(words: list[str]) -> None:
    at = words.index("--")
    given, program = Given(words[:at]), words[at + 1 :]
    parent, report = given.number("parent"), given.number("report")
    os.set_inheritable(report, False)
    reads, writes = given.all("read"), given.all("write")
    os.nice(given.number("nice"))
    orphan = given.number("orphan")
    _die_with(orphan, lambda: os.getppid() == parent)
    walls = Walls(given.all("wall"))
    user = walls.build("user", lambda: own_user(nobody=bool(given.number("nobody"))))
    for name in ("network", "ipc"):
        walls.build(name, lambda name=name: _check(_LIBC.unshare(_NEW[name])))  # type: ignore[misc]
    walls.build("mount", lambda: own_root(reads, writes))
    walls.build("files", lambda: own_view(reads, writes, given.all("hide")))
    # Where a change of user took the death signal away it is set again.
    _die_with(orphan, lambda: os.getppid() == parent)
    if walls.build("pid", lambda: _check(_LIBC.unshare(_NEW_PID))):
        lives, holds = os.pipe()
        if child := os.fork():
            for number in [0, 1, 2, report, lives, *map(int, given.all("keep"))]:
                os.close(number)
            _mirror(child)
        os.close(holds)
        # Our parent cannot be seen from here, but the end of its pipe can.
        parent_lives = select.poll()
        parent_lives.register(lives, 0)
        alive: Callable[[], bool] = lambda: not parent_lives.poll(0)  # noqa: E731
    else:
        alive = lambda: os.getppid() == parent  # noqa: E731
    if LINUX:
        _prctl(_NO_NEW_PRIVS, 1)
    walls.build("privileges", drop_privileges)
    walls.build("landlock", lambda: landlock(reads, writes))
    _die_with(orphan, alive)
    walls.build("calls", few_calls)
    walls.build("families", few_families)
    walls.build("limits", lambda: limit(given, threads=user), anywhere=True)
    os.write(report, "".join(f"{line}\n" for line in [*walls.lines, "."]).encode())
    try:
        os.execvp(program[0], program)  # noqa: S606  no shell is the point
    except OSError as error:
        os.write(report, f"!{error}\n".encode())
        os._exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
