"""Somebody leaves: what goes, what stays, what a killed worker or an old backup makes of it."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import connection, connections
from django.utils import timezone

from jhalak import records
from jhalak.border.log.entries import Kind, canonical
from jhalak.feed import Engine
from jhalak.feed.events import Erased, decode
from jhalak.options import options
from jhalak.people.actions import Browser, do_log_in
from jhalak.people.models import Person
from jhalak.people.roles import Role
from jhalak.people.sessions import SessionStore
from jhalak.records import ledger
from jhalak.records.jobs import run_due
from jhalak.records.models import AuditEntry, LedgerEntry
from jhalak.rights import actions, downloading, erasing, keyring, starting, tombstones
from jhalak.rights.models import Download, Kept, Leaving
from jhalak.rights.states import LEAVING_FOLLOWS, LeavingState, may_follow
from jhalak.rights.walking import log, names_of, plan
from jhalak.safety.actions import do_withdraw_video
from jhalak.site.live import report
from jhalak.videos.actions import do_delete_video
from jhalak.viewing.host import forget_hosts, host
from tests.factories import video
from tests.live import eventually
from tests.rights.worlds import CAPTION, GUEST, PASSWORD, PK, World, append, watched, world

pytestmark = pytest.mark.django_db(transaction=True)


def leave(here: World) -> Leaving:
    leaving, _ = actions.do_leave_for(here.leaver)
    actions.do_begin_due(timezone.now() + timedelta(days=30))
    return Leaving.objects.get(pk=leaving.pk)


def database() -> Path | None:
    return Path(connection.settings_dict["NAME"]) if connection.vendor == "sqlite" else None


def everything() -> bytes:
    """All bytes of the data folder and of the database's file, or all its rows."""
    files = [path for path in options().folder.rglob("*") if path.is_file()]
    if (file := database()) is not None:
        files += list(file.parent.glob(f"{file.name}*"))
        rows = b""
    else:
        with connection.cursor() as cursor:
            rows = b""
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'SELECT * FROM "{table}"')
                rows += repr(cursor.fetchall()).encode()
    try:
        return rows + b"\0".join(path.read_bytes() + os.fsencode(path) for path in files)
    except FileNotFoundError:  # a snapshot got its name just now: look again, at all
        return everything()


PERSONAL = (
    b"udaipurleaver", str(PK).encode(), CAPTION.encode(), GUEST.encode(), b"meerasays",
    b"Bio of Meera", b"clip of meera", b"original of meera", b"picture of meera",
    b"Meera did something",
)  # fmt: skip


def test_nothing_personal_remains_and_nothing_else_goes() -> None:
    here = world()
    Person.objects.filter(pk=PK).update(role=Role.OPERATOR)  # their log-ins are in the border's log
    do_log_in(SessionStore(), Browser(), handle="udaipurleaver", password=PASSWORD)
    assert ledger.drain() >= 1
    host().fresh()
    host().close()  # a snapshot that knows them
    before = everything()
    assert [word for word in PERSONAL if word not in before] == []
    theirs = {one for one in PERSONAL if one in before}
    leaving = leave(here)
    assert leaving.state == LeavingState.ERASING
    run_due()
    leaving.refresh_from_db()
    assert leaving.state == LeavingState.ERASED
    host().fresh()
    host().close()
    forget_hosts()
    host().fresh()
    connections.close_all()
    after = everything()
    assert [word for word in sorted(theirs) if word in after] == []
    here.other.refresh_from_db()
    here.others_clip.refresh_from_db()
    assert records.objects().head(f"videos/{here.others_clip.public_id}/r/720.mp4")
    kinds = [type(event).__name__ for _, event in log()]
    assert kinds.count("Watched") == 2  # the other's own
    assert not report()["differences"]


def test_what_the_law_keeps_is_out_of_reach_and_ends() -> None:
    here = world()
    leave(here)
    run_due()
    (entry,) = AuditEntry.objects.filter(action="person.suspend")
    assert (entry.actor_id, entry.detail) == (None, {})
    assert entry.object.startswith("erased:")
    kept = Kept.objects.all()
    assert any(b"Meera did something" in keyring.unseal(bytes(one.sealed)) for one in kept)
    assert all(b"Meera" not in bytes(one.sealed) for one in kept)
    assert erasing.do_drop_kept() == 0
    Kept.objects.update(until=timezone.now())
    assert erasing.do_drop_kept() == len(kept)


def test_a_receipt_is_signed_and_stands_in_the_ledger() -> None:
    here = world()
    subject = keyring.subject_of(here.leaver)
    planned = plan(names_of(here.leaver))
    _, token = actions.do_leave_for(here.leaver)
    actions.do_begin_due(timezone.now() + timedelta(days=30))
    run_due()
    receipt = actions.access_receipt(token).receipt
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(receipt["public_key"]))
    key.verify(bytes.fromhex(receipt["signature"]), canonical(receipt["receipt"]))
    assert receipt["receipt"]["subject"] == subject
    assert receipt["receipt"]["steps"]["rows"]["Like"] >= 1
    assert {one["what"] for one in receipt["receipt"]["plan"]} >= {one.what for one in planned}
    (leaf,) = erasures()
    assert subject.encode() in leaf
    assert b"udaipurleaver" not in leaf


def test_a_log_in_within_the_grace_undoes_it() -> None:
    here = world()
    leaving, _ = actions.do_leave_for(here.leaver)
    actions.do_begin_due(timezone.now())
    leaving.refresh_from_db()
    assert leaving.state == LeavingState.ASKED
    do_log_in(SessionStore(), Browser(), handle="udaipurleaver", password=PASSWORD)
    actions.do_begin_due(timezone.now() + timedelta(days=30))
    leaving.refresh_from_db()
    assert leaving.state == LeavingState.TAKEN_BACK
    assert Person.objects.get(pk=PK).is_active
    again, _ = actions.do_leave_for(here.leaver)
    assert again.state == LeavingState.ASKED


@pytest.mark.slow
def test_who_logs_in_while_the_erasure_is_taken_up_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    here = world()
    leaving, _ = actions.do_leave_for(here.leaver)
    whole = erasing.names_of

    def meanwhile(person: Person) -> object:
        do_log_in(SessionStore(), Browser(), handle="udaipurleaver", password=PASSWORD)
        return whole(person)

    with monkeypatch.context() as once:
        once.setattr(erasing, "names_of", meanwhile)
        actions.do_begin_due(timezone.now() + timedelta(days=30))
    actions.do_begin_due(timezone.now() + timedelta(days=30))
    run_due()
    starting.begin()  # whom a tombstone names would be erased here
    leaving.refresh_from_db()
    assert leaving.state == LeavingState.TAKEN_BACK
    assert Person.objects.get(pk=PK).is_active


def erasures() -> list[bytes]:
    """Entries of erasures on their way to the border's log."""
    kind = f'"kind":"{Kind.ERASURE.value}"'.encode()
    return [leaf for row in LedgerEntry.objects.all() if kind in (leaf := bytes(row.leaf))]


class Killed(BaseException):
    """As kill -9: nothing catches it."""


@pytest.mark.parametrize("step", [*erasing.STEPS, "finish"])
def test_killed_at_any_step_it_goes_on(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both after the step did its work and before it was written down."""
    here = world()
    leaving = leave(here)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as here_only, pytest.raises(Killed):  # noqa: PT012
        if step == "finish":
            here_only.setattr(erasing.ledger, "enter", killed)
        else:
            whole = erasing.STEPS[step]

            def done_and_killed(*given: object) -> None:
                whole(*given)  # type: ignore[arg-type]
                raise Killed

            here_only.setitem(erasing.STEPS, step, done_and_killed)
        erasing.erase(leaving)
    erasing.erase(Leaving.objects.get(pk=leaving.pk))
    assert Leaving.objects.get(pk=leaving.pk).state == LeavingState.ERASED
    assert not Person.objects.filter(pk=PK).exists()
    assert len(erasures()) == 1


@pytest.mark.slow  # starts a process
def test_the_engine_is_what_the_log_says() -> None:
    """Byte for byte: what was made anew beside the pages, and a replay of the log as it is now."""
    here = world()
    for number in range(50):
        append(watched(here.leaver.viewer_key, here.others_clip, number))
    running = host()
    knew = running.fresh().state_bytes()
    assert here.leaver.viewer_key.encode() in knew
    leave(here)
    run_due()
    replayed = Engine.new()
    replayed.observe(list(log()))
    eventually(lambda: running.fresh().state_bytes() == replayed.state_bytes(), seconds=60)
    assert here.leaver.viewer_key.encode() not in replayed.state_bytes()
    assert sum(isinstance(event, Erased) for _, event in log()) >= 55


@pytest.mark.slow  # starts a process
def test_an_engine_that_is_made_anew_keeps_no_process_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = world()
    append(watched(here.leaver.viewer_key, here.others_clip, 1))
    running, key = host(), here.leaver.viewer_key.encode()
    running.fresh()
    leave(here)
    run_due()
    with monkeypatch.context() as ending:
        ending.setattr(threading, "main_thread", threading.Thread)  # one that is not alive
        running.fresh()
        for thread in threading.enumerate():
            if thread.name == "feed-anew":
                assert not thread.daemon, "killed in usearch's code, it would abort the process"
                thread.join(30)
        assert key in running.fresh().state_bytes(), "nobody waited for the new engine"
    eventually(lambda: key not in running.fresh().state_bytes(), seconds=60)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="copies the file")
def test_a_restored_backup_brings_nobody_back(tmp_path: Path) -> None:
    here = world()
    records.close_stores()
    backup = tmp_path / "backup"
    shutil.copytree(options().folder, backup)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = database()
    assert file is not None
    shutil.copy(file, tmp_path / "rows.db")
    leave(here)
    run_due()
    assert not Person.objects.filter(pk=PK).exists()

    records.close_stores()
    forget_hosts()
    for name in ("objects", "events.db"):
        old = options().folder / name
        shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(backup / name, old) if (backup / name).is_dir() else shutil.copy(
            backup / name, old
        )
    connections.close_all()
    for path in file.parent.glob(f"{file.name}-*"):
        path.unlink()
    shutil.copy(tmp_path / "rows.db", file)
    assert Person.objects.filter(pk=PK).exists()
    assert GUEST.encode() in everything()

    starting.begin()
    assert not Person.objects.filter(pk=PK).exists()
    after = everything()
    assert [word for word in PERSONAL if word in after] == []
    starting.begin()  # nothing more to do
    assert [stone.subject for stone in tombstones.every()] == [
        Leaving.objects.get(state=LeavingState.ERASED).subject
    ]


def test_a_log_that_was_restored_alone_is_cleaned_too() -> None:
    here = world()
    leave(here)
    run_due()
    records.close_stores()
    (options().folder / "events.db").unlink()
    append(watched("m987654321", here.others_clip), watched(GUEST, here.others_clip))
    assert starting.replay_tombstones() == 1
    kept = [decode(one.body) for one in records.events().read(0)]
    assert isinstance(kept[0], Erased)


def test_a_damaged_tombstone_stops_the_start() -> None:
    tombstones.put("ab" * 32, [], "", 1)
    (tombstones.folder() / f"{'ab' * 32}.json").write_bytes(b'{"subject":')
    with pytest.raises(ValueError, match="is damaged"):
        starting.begin()


def test_every_pair_of_states() -> None:
    for before in LeavingState:
        for after in LeavingState:
            assert may_follow(before, after) == (after in LEAVING_FOLLOWS[before])


# ---- what comes while somebody goes --------------------------------------------------------------


def keys() -> list[str]:
    """Objects that are somebody's who left."""
    kept = ("owner/", "videos/")
    return [one.key for one in records.objects().list("") if not one.key.startswith(kept)]


@pytest.mark.slow
def test_what_is_put_while_somebody_is_erased_goes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that was under way when its session ended."""
    here = world()
    upload = options().folder / "uploads" / ("b" * 32)
    whole = erasing.STEPS["events"]

    def late(*given: object) -> object:
        records.objects().put(f"people/{PK}/late.webp", b"late", content_type="image/webp")
        upload.parent.mkdir(exist_ok=True)
        upload.write_bytes(b"late")
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setitem(erasing.STEPS, "events", late)
    leaving = leave(here)
    run_due()
    leaving.refresh_from_db()
    assert leaving.state == LeavingState.ERASED
    assert keys() == []
    assert not upload.exists()


@pytest.mark.slow
def test_a_clip_that_arrives_while_somebody_is_erased_goes_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = world()
    whole, came = erasing.STEPS["videos"], []

    def late(*given: object) -> object:
        counts = whole(*given)  # type: ignore[arg-type]
        clip = video(here.leaver, "waves")
        came.append(f"videos/{clip.public_id}/r/720.mp4")
        records.objects().put(came[0], b"late", content_type="video/mp4")
        records.objects().put(clip.source_key, b"late", content_type="video/mp4")
        return counts

    monkeypatch.setitem(erasing.STEPS, "videos", late)
    leave(here)
    run_due()
    assert keys() == []
    assert records.objects().head(came[0]) is None


@pytest.mark.slow
def test_a_download_that_is_made_while_its_owner_is_erased_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = world()
    download = Download.objects.create(person=here.leaver, language="en")
    whole = downloading._pack

    def meanwhile(*given: object) -> int:
        found = whole(*given)  # type: ignore[arg-type]
        erasing.erase(leave(here))
        return found

    monkeypatch.setattr(downloading, "_pack", meanwhile)
    downloading.make(download, {})
    assert keys() == []


@pytest.mark.slow
def test_what_was_said_of_a_clip_that_is_long_gone_goes_too() -> None:
    here = world()
    clip = video(here.leaver, "waves")
    records.audit(here.leaver, "video.upload", f"video:{clip.public_id}")
    do_withdraw_video(here.other, clip, "Meera filmed her neighbour")
    do_delete_video(here.leaver, clip)
    run_due()
    leave(here)
    run_due()
    (entry,) = AuditEntry.objects.filter(action="video.withdraw")
    assert (entry.detail, entry.actor_id) == ({}, None)
    assert not AuditEntry.objects.filter(object__contains=clip.public_id).exists()
