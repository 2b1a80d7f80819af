"""Any order of sending, breaking off, crashing and asking again ends with the bytes sent."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest
from django.test import TestCase
from hypothesis import given, settings
from hypothesis import strategies as st

from jhalak import records
from jhalak.options import override
from jhalak.problems import Problem
from jhalak.videos import files
from jhalak.videos.models import Upload, Video
from jhalak.videos.tus import Checksum
from jhalak.videos.uploading import do_append, do_create_upload, do_receive_upload
from tests.factories import person

pytestmark = pytest.mark.django_db

STEP = st.tuples(
    st.sampled_from(["send", "break", "crash", "lose", "corrupt", "sum", "wrong offset"]),
    st.integers(0, 700),
)


class Body:
    """Gives `data` in odd parts; breaks at its end when `breaks`."""

    def __init__(self, data: bytes, *, breaks: bool = False) -> None:
        self.data, self.breaks = data, breaks

    def __call__(self, most: int) -> bytes:
        if not self.data and self.breaks:
            raise OSError
        take = min(most, random.randint(1, 300))
        part, self.data = self.data[:take], self.data[take:]
        return part


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 2000), steps=st.lists(STEP, max_size=12))
def test_nothing_acknowledged_is_lost(size: int, steps: list[tuple[str, int]]) -> None:
    with TestCase.captureOnCommitCallbacks():
        _one_upload(size, steps)


def _mishap(path: Path, what: str, at: int, count: int) -> None:
    end = path.stat().st_size if path.exists() else 0
    if what == "crash" and path.exists() and end >= at:  # bytes reached the file, never the row
        with path.open("ab") as file:
            file.write(b"?" * count)
    if what == "lose" and path.exists():  # the disk forgot what it had promised
        with path.open("r+b") as file:
            file.truncate(min(end, at, count))


def _one_upload(size: int, steps: list[tuple[str, int]]) -> None:
    data = random.Random(size).randbytes(size)
    me = person()
    upload = do_create_upload(me, size, {"filename": "a.mp4"}, "")
    refusals: list[int] = []
    for what, count in [*steps, ("send", size)]:
        upload.refresh_from_db()
        at = upload.offset
        path = files.path_of(upload.pk)
        chunk = data[at : at + count]
        checksum = None
        if what in ("sum", "corrupt"):
            checksum = Checksum("sha256", hashlib.sha256(chunk).digest())
        if what == "corrupt" and chunk:
            chunk = chunk[:-1] + bytes([chunk[-1] ^ 1])
        if what in ("crash", "lose"):
            _mishap(path, what, at, count)
            continue
        offset = at + 1 if what == "wrong offset" else at
        body = Body(chunk, breaks=what == "break")
        for _ in range(2):  # once more from where the server says, as a client does
            try:
                do_append(me, upload.pk, offset, body, length=len(chunk), checksum=checksum)
                break
            except Problem as problem:
                if problem.status != 409:
                    refusals.append(problem.status)
                    break
                offset = int(problem.headers["Upload-Offset"])
                body = Body(data[offset : offset + len(chunk)])
                checksum = None
        upload.refresh_from_db()
        assert upload.offset <= path.stat().st_size
        kept = path.read_bytes()[: upload.offset]
        assert kept == data[: upload.offset]
    assert set(refusals) <= {400, 460}
    upload.refresh_from_db()
    if upload.offset < size:
        do_append(me, upload.pk, upload.offset, Body(data[upload.offset :]), length=None)
    video = Video.objects.get(public_id=do_receive_upload(Upload.objects.get(pk=upload.pk)))
    assert records.objects().read(video.source_key) == data


def test_ended_between_two_looks_leaves_no_file(tmp_path: Path) -> None:
    me = person()
    with override(data=str(tmp_path)):
        upload = do_create_upload(me, 10, {"filename": "a.mp4"}, "")

        def ends(most: int) -> bytes:
            Upload.objects.all().delete()
            return b"x" * most

        with pytest.raises(Problem) as refused:
            do_append(me, upload.pk, 0, ends, length=10)
        assert refused.value.status == 404
        assert not files.path_of(upload.pk).exists()
