"""What a child process does to itself before its program starts: it ends when its parent does, and
owns its group.

Linux sends PR_SET_PDEATHSIG to a child when the thread that forked it ends (prctl(2)), so that
`kill -9` of the supervisor leaves nothing behind. The setting is not inherited over fork: a child
that forks again (granian's worker) says it once more. Where the system has no such call (macOS),
only an orderly stop cleans up.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not import or allocate more than it has
# to.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals, parent: int) -> None:
    """Have the kernel send `number` to this process when `parent` ends. Ends now if it has ended
    already.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def prepare_child(parent: int, on_parent_death: signal.Signals) -> None:
    """Runs between fork and exec: an own process group, open signals, no life after the parent."""
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    die_with_parent(on_parent_death, parent)
