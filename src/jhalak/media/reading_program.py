"""Runs sealed, as `python -I -S reading_program.py SOURCE ANSWER LIMITS FOLDER...`: reads the clip
that is open as descriptor SOURCE and writes what it is to descriptor ANSWER.

A process begins for every upload, so it imports nothing but what reading takes: the packages
`jhalak` and `jhalak.media` are put up empty, without what their `__init__` would bring.
"""

from __future__ import annotations

import os
import sys
import types


def main(words: list[str]) -> None:
    source, answer, limits, media, *folders = words
    sys.path += folders
    for name in ("jhalak", "jhalak.media"):
        sys.modules[name] = package = types.ModuleType(name)
        package.__path__ = [media]
    import msgspec

    from jhalak.media.model import Answer, Limits, Reason, Refused
    from jhalak.media.reading import read

    try:
        said = Answer(read(int(source), msgspec.json.decode(limits, type=Limits)))
    except Refused as refused:
        said = Answer(None, refused.reason, refused.detail[:1000])
    except MemoryError:
        said = Answer(None, Reason.TOO_HEAVY, "out of memory")
    except Exception as error:  # what we did not foresee in a stranger's file is the file's fault
        said = Answer(None, Reason.DAMAGED, f"{type(error).__name__}: {error}"[:1000])
    os.write(int(answer), msgspec.msgpack.encode(said))


if __name__ == "__main__":
    main(sys.argv[1:])
