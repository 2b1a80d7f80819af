"""The key that signs the log, and where an installation keeps what belongs to the border.

    <data>/border/signing/log.key PRIVATE+KEY+..., made on first use, for its owner alone; while
                                  keys are exchanged a second one (jhalak.border.log.rotation). In
                                  a folder of its own, which only who writes the log sees
    <data>/border/log/            the log: tiles, checkpoint, cosigned checkpoints, sealed bodies
    <data>/border/spool/          entries on their way there from processes without a database

The key's name is the log's origin. It has a random part, so that no two installations share one.
"""

from __future__ import annotations

import os
from pathlib import Path

from jhalak.border.log import durable, notes
from jhalak.border.log.notes import NoteError, Signer, Type


def log_folder(data: Path) -> Path:
    return data / "border" / "log"


def spool_folder(data: Path) -> Path:
    return data / "border" / "spool"


def key_file(data: Path) -> Path:
    return signing_folder(data) / "log.key"


def move_key(data: Path) -> None:
    """To where it is looked for now, from among the keys of people, where it lay first; with the
    one of an exchange that has begun.
    """
    new = key_file(data)
    for name in (f"{new.name}.next", new.name):
        old = data / "border" / "keys" / name
        if old.exists() and not new.exists():
            durable.make_folder(new.parent, 0o700)
            old.rename(new.with_name(name))
            durable.sync_folder(new.parent)


def signing_folder(data: Path) -> Path:
    return data / "border" / "signing"


def load_signer(path: Path, site: str = "jhalak.example", type: Type = Type.NOTE) -> Signer:  # noqa: A002
    """The first key in a file; made if there is none, with a name that begins with `site`. Raises
    NoteError if the file holds no key, OSError.
    """
    return load_signers(path, site, type)[0]


def load_signers(
    path: Path,
    site: str = "jhalak.example",
    type: Type = Type.NOTE,  # noqa: A002
) -> tuple[Signer, ...]:
    """All keys in a file, the newest first. As `load_signer`."""
    for _ in range(2):
        try:
            lines = path.read_text("utf-8").split()
            if not lines:
                raise NoteError(f"{path} holds no key")
            return tuple(map(Signer.parse, lines))
        except FileNotFoundError:
            _make(path, site, type)
        except UnicodeDecodeError as error:
            raise NoteError(f"{path} holds no key") from error
    raise NoteError(f"{path} cannot be made")


def _make(path: Path, site: str, type_: Type) -> None:
    signer = notes.generate(f"{site}/{os.urandom(8).hex()}", type_)
    durable.make_folder(path.parent, 0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    durable.write(draft, f"{signer.private_text()}\n".encode(), 0o600)
    try:
        os.link(draft, path)  # the first one wins, whole
    except FileExistsError:
        return
    finally:
        draft.unlink()
    durable.sync_folder(path.parent)
