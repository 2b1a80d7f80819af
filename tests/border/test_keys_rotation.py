"""A new installation key: everything opens as before, nothing opens with the old one, and whoever
is killed on the way goes on.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from jhalak.border.keys import (
    Installation,
    KeyMissing,
    KeyRefused,
    KeysAway,
    PersonKeys,
    Shredded,
    backup,
    restore,
    rotation,
)

PEOPLE = 25


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "BATCH", 4)


def fill(folder: Path) -> dict[str, bytes]:
    with closing(Installation.load(folder, {})) as installation:
        keys = PersonKeys(folder, installation)
        kept = {f"m{n}": keys.encrypt(f"m{n}", "contact", f"{n}".encode()) for n in range(PEOPLE)}
        keys.shred("m3")
        return kept


def check(folder: Path, kept: dict[str, bytes]) -> None:
    with closing(Installation.load(folder, {})) as installation:
        keys = PersonKeys(folder, installation)
        for person, sealed in kept.items():
            if person == "m3":
                with pytest.raises(Shredded):
                    keys.decrypt(person, "contact", sealed)
            else:
                assert keys.decrypt(person, "contact", sealed) == person[1:].encode()


def test_after_a_rotation_the_old_key_opens_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    kept = fill(folder)
    old = (folder / "installation.1.key").read_bytes()
    saved = tmp_path / "saved"
    backup(folder, saved)
    told: list[tuple[int, int]] = []
    with closing(Installation.load(folder, {})) as installation:
        wrapped = installation.wrap(b"x")
        found = installation.lookup_hash("mail", "x"), installation.subject_hash("m1")
        signer = installation.signing_key("export").public_key()
        done = PersonKeys(folder, installation).rewrap(lambda *at: told.append(at))
        with pytest.raises(KeyRefused, match="ended"):
            installation.unwrap(wrapped)
    assert (done.old, done.new, done.keys, done.left_to_do) == ([1], 2, PEOPLE + 1, "")
    # One of the people was shredded; "hashes" and "signing" are keys too.
    assert told[-1] == (PEOPLE - 1, PEOPLE - 1)
    assert [one[0] for one in told] == sorted(one[0] for one in told)
    assert [path.name for path in folder.glob("*.key")] == ["installation.2.key"]
    check(folder, kept)
    with closing(Installation.load(folder, {})) as installation:
        assert found == (installation.lookup_hash("mail", "x"), installation.subject_hash("m1"))
        assert signer == installation.signing_key("export").public_key()

    # The old key beside the new one changes nothing, alone it is refused, and a backup from before
    # the rotation gives back what is missing here only to who still has the old key: nobody.
    with closing(Installation.load(folder, {})) as installation:
        installation.store.shred(installation.subject_hash("m4")[:16])
    assert restore(folder, saved) == (0, 0, 0)
    new = folder / "installation.2.key"
    new.unlink()
    new.write_bytes(old)
    new.chmod(0o600)
    with pytest.raises(KeyMissing):
        Installation.load(folder, {})


# Where a rotation is killed: before and after each step that leaves something on the disk.
STEPS = [
    ("jhalak.border.keys.keyfiles.make_file", "after"),
    ("jhalak.border.keys.store.Store.add_generation", "after"),
    ("jhalak.border.keys.store.Store.replace", "third"),
    ("jhalak.border.keys.store.Store.end_generations_before", "before"),
    ("jhalak.border.keys.keyfiles.destroy_file", "before"),
    ("jhalak.border.keys.store.Store.mark_destroyed", "before"),
]
KILLED = """
import importlib, os, signal, sys
from pathlib import Path
from jhalak.border.keys import Installation, PersonKeys, rotation
rotation.BATCH = 4
folder, place, when = Path(sys.argv[1]), sys.argv[2].split("."), sys.argv[3]
installation = Installation.load(folder, {})
length = 5 if "Store" in place else 4
owner = importlib.import_module(".".join(place[:4]))
for name in place[4:-1]:
    owner = getattr(owner, name)
true, calls = getattr(owner, place[-1]), []
def last(*args):
    calls.append(args)
    if when == "before" or (when == "third" and len(calls) == 3):
        os.kill(os.getpid(), signal.SIGKILL)
    result = true(*args)
    if when == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, place[-1], last)
PersonKeys(folder, installation).rewrap()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("place", "when"), STEPS)
def test_a_rotation_that_is_killed_goes_on(tmp_path: Path, place: str, when: str) -> None:
    folder = tmp_path / "keys"
    kept = fill(folder)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), place, when], check=False, capture_output=True
    )
    assert killed.returncode == -9, killed.stderr.decode()
    check(folder, kept)
    with closing(Installation.load(folder, {})) as installation:
        keys = PersonKeys(folder, installation)
        late = keys.encrypt("late", "contact", b"late")
        keys.rewrap()
        assert [one.number for one in installation.store.living()] == [2]
        assert keys.decrypt("late", "contact", late) == b"late"
    assert [path.name for path in folder.glob("*.key")] == ["installation.2.key"]
    check(folder, kept)


@pytest.mark.slow
def test_the_site_goes_on_during_a_rotation(tmp_path: Path) -> None:
    """What others encrypt, read and shred while keys are wrapped anew is right all the time."""
    folder = tmp_path / "keys"
    kept = fill(folder)
    stop, wrong = threading.Event(), []

    def use(number: int) -> None:
        with closing(Installation.load(folder, {})) as installation:
            keys, n = PersonKeys(folder, installation), 0
            while not stop.is_set():
                n += 1
                person = f"m{n % PEOPLE}"
                try:
                    if person != "m3":
                        assert keys.decrypt(person, "contact", kept[person]) == person[1:].encode()
                    if n % 10 == 0:
                        new = f"new{number}.{n}"
                        assert keys.decrypt(new, "c", keys.encrypt(new, "c", b"x")) == b"x"
                        keys.shred(new)
                except Exception as error:  # a thread's failure is the test's
                    wrong.append(error)
                    return

    thread = threading.Thread(target=use, args=(0,))
    thread.start()
    try:
        with closing(Installation.load(folder, {})) as installation:
            PersonKeys(folder, installation).rewrap()
    finally:
        stop.set()
        thread.join()
    assert not wrong, wrong
    check(folder, kept)


def test_two_rotations_at_once_are_one(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    fill(folder)
    with closing(Installation.load(folder, {})) as installation:
        keys = PersonKeys(folder, installation)

        def second(_done: int, _all: int) -> None:
            with pytest.raises(KeysAway, match="under way"):
                keys.rewrap()

        assert keys.rewrap(second).new == 2
