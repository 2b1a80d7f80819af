"""Keys: made once, found again, refused when they are not ours; what a destroyed one encrypted is
gone, from every file and from every backup.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak.border.keys import (
    Installation,
    KeyMissing,
    KeyRefused,
    PersonKeys,
    Shredded,
    backup,
    restore,
)

Open = Callable[..., PersonKeys]
ASHA, RAVI = "m1.1764", "m2.1764"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the keys of a folder, as another process would; closes all at the end."""
    made: list[Installation] = []

    def open_keys(
        folder: Path = tmp_path / "keys", env: dict[str, str] | None = None
    ) -> PersonKeys:
        made.append(Installation.load(folder, env or {}))
        return PersonKeys(folder, made[-1])

    yield open_keys
    for one in made:
        one.close()


def installation_of(keys: PersonKeys) -> Installation:
    return keys._installation


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def wrapped_key(keys: PersonKeys, person: str) -> bytes:
    found = keys._store.find("people", keys._subject(person))
    assert found is not None
    assert found.wrapped is not None
    return found.wrapped


def test_what_is_encrypted_opens_for_the_same_person_and_purpose_only(opened: Open) -> None:
    keys = opened()

    names = st.sampled_from(["", ASHA, RAVI, "आशा", "contact"])

    @settings(max_examples=40)
    @given(st.binary(max_size=200), names, names, st.data())
    def check(plain: bytes, person: str, purpose: str, data: st.DataObject) -> None:
        kept = keys.encrypt(person, purpose, plain)
        assert len(kept) == len(plain) + 29
        assert keys.decrypt(person, purpose, kept) == plain
        keys.encrypt("m3.1", purpose, b"")
        for other, why in (("m3.1", purpose), (person, f"{purpose}1")):
            with pytest.raises(KeyRefused):
                keys.decrypt(other, why, kept)
        at = data.draw(st.integers(0, len(kept) - 1))
        bent = kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :]
        with pytest.raises(KeyRefused):
            keys.decrypt(person, purpose, bent)
        with pytest.raises(KeyRefused):
            keys.decrypt(person, purpose, kept[:at])

    check()


def test_a_persons_name_does_not_run_into_the_purpose(opened: Open) -> None:
    keys = opened()
    kept = keys.encrypt("b", "a", b"x")
    keys.encrypt("", "ab", b"")
    with pytest.raises(KeyRefused):
        keys.decrypt("", "ab", kept)


def test_the_installation_key_is_made_once_and_for_its_owner_alone(
    tmp_path: Path, opened: Open
) -> None:
    folder = tmp_path / "keys"
    first, second = opened(), opened()
    assert (installation_of(first).made, installation_of(second).made) == (True, False)
    kept = first.encrypt(ASHA, "contact", b"x")
    assert second.decrypt(ASHA, "contact", kept) == b"x"
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    hashes = [installation_of(one).lookup_hash("mail", "a@b.in") for one in (first, second)]
    assert hashes[0] == hashes[1]
    assert hashes[0] != installation_of(first).lookup_hash("phone", "a@b.in")
    signed = installation_of(first).signing_key("export").sign(b"x")
    installation_of(second).signing_key("export").public_key().verify(signed, b"x")


@pytest.mark.slow
def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from jhalak.border.keys import Installation\n"
        "made = Installation.load(Path(sys.argv[1]), {})\n"
        "print(made.made, made.newest().number, made.lookup_hash('mail', 'x').hex())"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "keys")]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = [one.communicate()[0].split() for one in running]
    assert len({(number, lookup) for _, number, lookup in told}) == 1, told
    assert [made for made, *_ in told].count("True") == 1


def test_a_key_that_is_not_ours_is_refused(tmp_path: Path, opened: Open) -> None:
    folder, file = tmp_path / "keys", tmp_path / "keys" / "installation.1.key"
    opened().encrypt(ASHA, "contact", b"x")
    ours = file.read_text()
    file.chmod(0o640)
    with pytest.raises(KeyRefused, match="chmod 600"):
        opened()
    file.chmod(0o600)
    for junk in ("", "AAAA", "न", base64.b64encode(os.urandom(33)).decode()):
        file.write_text(junk)
        with pytest.raises(KeyRefused, match="holds no key"):
            opened()
    file.write_text(base64.b64encode(os.urandom(32)).decode())
    with pytest.raises(KeyMissing, match="Put it back"):
        opened()
    file.unlink()
    with pytest.raises(KeyMissing, match="Put it back"):
        opened()
    assert not file.exists(), "a lost key is never made anew beside what it wrapped"
    (tmp_path / "elsewhere").write_text(ours)
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyRefused, match="symbolic"):
        opened()
    file.unlink()
    opened(folder, {"JHALAK_INSTALLATION_KEY": ours})


def test_the_key_may_come_from_the_environment(tmp_path: Path, opened: Open) -> None:
    folder = tmp_path / "keys"
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    keys = opened(folder, {"JHALAK_INSTALLATION_KEY": old})
    kept = keys.encrypt(ASHA, "contact", b"x")
    assert not list(folder.glob("*.key"))
    assert base64.b64decode(old) not in on_disk(folder)
    with pytest.raises(KeyMissing, match="before the old one"):
        keys.rewrap()
    both = opened(folder, {"JHALAK_INSTALLATION_KEY": f"{new} {old}"})
    done = both.rewrap()
    assert (done.old, done.new) == ([1], 2)
    assert "Take the old key out" in done.left_to_do
    assert opened(folder, {"JHALAK_INSTALLATION_KEY": new}).decrypt(ASHA, "contact", kept) == b"x"
    with pytest.raises(KeyMissing):
        opened(folder, {"JHALAK_INSTALLATION_KEY": old})
    with pytest.raises(KeyRefused, match="before"):
        opened(folder, {"JHALAK_INSTALLATION_KEY": f"{old} {new}"}).rewrap()


def test_a_shredded_key_is_gone_for_every_process_and_from_every_file(
    tmp_path: Path, opened: Open
) -> None:
    keys, elsewhere = opened(), opened()
    kept = keys.encrypt(ASHA, "contact", b"x")
    others = keys.encrypt(RAVI, "contact", b"y")
    assert elsewhere.decrypt(ASHA, "contact", kept) == b"x"
    wrapped = wrapped_key(keys, ASHA)
    assert wrapped in on_disk(tmp_path)

    assert [keys.shred(ASHA), keys.shred(ASHA), elsewhere.shred(ASHA)] == [True, False, False]
    for one in (keys, elsewhere, opened()):
        with pytest.raises(Shredded):
            one.decrypt(ASHA, "contact", kept)
        with pytest.raises(Shredded):
            one.encrypt(ASHA, "contact", b"again")
        assert one.decrypt(RAVI, "contact", others) == b"y"
        assert one.counts() == (1, 1)
    assert wrapped[4:] not in on_disk(tmp_path)
    assert wrapped[-30:] not in on_disk(tmp_path)

    assert not keys.shred("m9.1"), "somebody who never had a key gets none later"
    with pytest.raises(Shredded):
        keys.encrypt("m9.1", "contact", b"x")


def test_a_backup_that_is_restored_brings_no_shredded_key_back(
    tmp_path: Path, opened: Open
) -> None:
    folder = tmp_path / "keys"
    keys = opened()
    kept = {who: keys.encrypt(who, "contact", who.encode()) for who in (ASHA, RAVI)}
    saved = tmp_path / "saved"
    assert backup(folder, saved) == saved.stat().st_size
    assert saved.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        backup(folder, saved)
    secret = base64.b64decode((folder / "installation.1.key").read_text())
    assert secret not in saved.read_bytes()
    keys.shred(ASHA)
    late = keys.encrypt("late", "contact", b"late")

    assert restore(folder, saved) == (0, 0, 0)
    with pytest.raises(Shredded):
        keys.decrypt(ASHA, "contact", kept[ASHA])
    assert keys.decrypt("late", "contact", late) == b"late"

    # The disk is lost: the backup is older than the shredding, and the log knows of it.
    erased = installation_of(keys).subject_hash(ASHA)
    new = tmp_path / "new"
    assert restore(new, saved) == (2, 0, 0)
    with pytest.raises(KeyMissing):
        opened(new)
    (new / "installation.1.key").write_bytes((folder / "installation.1.key").read_bytes())
    (new / "installation.1.key").chmod(0o600)
    again = opened(new)
    assert again.replay([erased, os.urandom(32)]) == 1
    with pytest.raises(Shredded):
        again.decrypt(ASHA, "contact", kept[ASHA])
    assert again.decrypt(RAVI, "contact", kept[RAVI]) == RAVI.encode()

    # A tombstone in a backup counts too.
    buried = tmp_path / "buried"
    backup(folder, buried)
    live = tmp_path / "live"
    restore(live, saved)
    assert restore(live, buried) == (1, 1, 0)


def test_what_is_no_backup_of_ours_is_refused(tmp_path: Path, opened: Open) -> None:
    folder = tmp_path / "keys"
    keys = opened()
    keys.encrypt(ASHA, "contact", b"x")
    saved = tmp_path / "saved"
    backup(folder, saved)
    opened(tmp_path / "strange").encrypt(RAVI, "contact", b"x")
    backup(tmp_path / "strange", tmp_path / "theirs")
    (tmp_path / "cut").write_bytes(saved.read_bytes()[:5000])
    (tmp_path / "text").write_text("no database " * 500)
    (tmp_path / "empty").touch()
    for name in ("theirs", "cut", "text", "empty", "absent"):
        with pytest.raises(KeyRefused):
            restore(folder, tmp_path / name)
    assert keys.counts() == (1, 0)
