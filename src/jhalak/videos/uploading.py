"""Every write on an upload: create, append, finish, end. The bytes are in `files`, the rules here.

An upload is refused before its first byte when its size, its declared type, the person's quota or
the disk does not allow it. What it really is, the worker finds out by looking.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import PurePosixPath
from typing import BinaryIO

import msgspec
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jhalak import records
from jhalak.options import options
from jhalak.people.models import Person
from jhalak.problems import (
    BadRequest,
    Conflict,
    Gone,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    WrongType,
)
from jhalak.records.models import Priority
from jhalak.stores.objects import StoreFull
from jhalak.videos import files, sounds, words
from jhalak.videos.access import access_upload, no_upload
from jhalak.videos.keys import original_key
from jhalak.videos.models import Upload, Video, VideoTag
from jhalak.videos.states import State
from jhalak.videos.tus import Checksum, ChecksumMismatch, Locked, NoRoom

# What the worker's demuxers read: MP4 and its relatives, Matroska and WebM.
TYPES = frozenset(
    {
        "video/mp4",
        "video/quicktime",
        "video/x-m4v",
        "video/3gpp",
        "video/3gpp2",
        "video/webm",
        "video/x-matroska",
        "video/matroska",
    }
)
SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".mkv"})
SAYS_NOTHING = frozenset({"", "application/octet-stream"})  # of a client that does not know

CHUNK = 256 << 10
SETTLE_EVERY = 8 << 20  # at most this much is sent again after a crash

Source = Callable[[int], bytes]  # the next bytes of a request, at most n; b"" at its end


def new_upload_id() -> str:
    return secrets.token_hex(16)


def check_size(size: int) -> None:
    limit = options().upload_limit
    if size == 0:
        raise Invalid("empty_file", _("This file is empty. Choose a video."), field="Upload-Length")
    if size > limit:
        message = _("This file is too large. At most %(most)d MB.") % {"most": limit >> 20}
        raise TooLarge("too_large", message, headers={"Tus-Max-Size": str(limit)})


def check_type(filetype: str, filename: str) -> None:
    """What the client says that the file is. It has to say something, and nothing that is not
    taken.
    """
    kind = filetype.partition(";")[0].strip().lower()
    suffix = PurePosixPath(filename.strip().lower()).suffix
    known = kind in TYPES or (kind in SAYS_NOTHING and suffix in SUFFIXES)
    if not known or (suffix and suffix not in SUFFIXES):
        raise WrongType("not_a_video", _("Choose a video: MP4, MOV, 3GP, WebM or MKV."))


def check_room(person: Person, size: int) -> None:
    """Raises TooMany, TooLarge or NoRoom."""
    opts = options()
    under_way = Upload.objects.filter(owner=person, video="", expires__gt=timezone.now())
    if under_way.count() >= opts.uploads_open:
        message = _("You have %(count)d unfinished uploads. Finish or cancel one of them first.")
        raise TooMany("too_many_uploads", message % {"count": opts.uploads_open})
    kept = Video.objects.filter(author=person).aggregate(bytes=Sum("source_size"))["bytes"] or 0
    coming = under_way.aggregate(bytes=Sum("size"))["bytes"] or 0
    if kept + coming + size > opts.upload_quota:
        message = _("Your space of %(most)d GB is full. Delete a video to make room.")
        raise TooLarge("quota", message % {"most": opts.upload_quota >> 30})
    # Twice: once as an upload, once more while it moves into the store.
    if not files.leaves(2 * size, files.ALL):
        raise _no_room()


def _no_room() -> NoRoom:
    return NoRoom("no_room", _("There is no room for uploads just now. Try again later."))


def do_create_upload(person: Person, size: int, given: Mapping[str, str], raw: str) -> Upload:
    """A new upload of `size` bytes. `given`: its metadata; `raw`: as the client wrote it.

    Raises Invalid, TooLarge, WrongType, TooMany, NoRoom; then nothing was kept.
    """
    check_size(size)
    check_type(
        given.get("filetype", given.get("type", "")), given.get("filename", given.get("name", ""))
    )
    details = words.details(
        caption_=given.get("caption", ""),
        tags_=given["tags"].replace(",", " ").split() if "tags" in given else None,
        language_=given.get("language", ""),
        visibility_=given.get("visibility", ""),
        channel_=given.get("channel", ""),
        sound=given.get("sound", ""),
        filename=given.get("filename", given.get("name", "")),
    )
    sounds.taken(person, details.sound)
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)  # one at a time: quotas add up
        check_room(person, size)
        return Upload.objects.create(
            id=new_upload_id(),
            owner=person,
            size=size,
            details=msgspec.to_builtins(details),
            metadata=raw,
            expires=timezone.now() + timedelta(seconds=options().upload_expiry),
        )


def do_append(
    person: Person,
    upload_id: str,
    offset: int,
    source: Source,
    *,
    length: int | None,
    checksum: Checksum | None = None,
) -> Upload:
    """Take bytes from `source` (`length` of them where that is known) at `offset`.

    What arrived is on disk before the row says so, and stays when the rest does not come; with a
    checksum all of it counts or none. Raises NotFound, Gone, Conflict (wrong offset), TooLarge
    (more than was announced), Locked (another request writes), ChecksumMismatch, BadRequest (broken
    off), NoRoom.
    """
    access_upload(person, upload_id)
    try:
        with files.opened(upload_id) as file:
            return _append(person, upload_id, offset, file, source, length, checksum)
    except (NotFound, Gone):  # ended between the two looks: opening made its file anew
        files.remove(upload_id)
        raise
    except files.Busy as error:
        message = _("This upload is being written by another request. Wait a moment.")
        raise Locked("upload_locked", message, headers={"Retry-After": "1"}) from error


def _append(
    person: Person,
    upload_id: str,
    offset: int,
    file: BinaryIO,
    source: Source,
    length: int | None,
    checksum: Checksum | None,
) -> Upload:
    upload = access_upload(person, upload_id)  # again: only now nobody else moves it
    if upload.video:
        start = upload.size  # finished: its file is gone, and it takes nothing more
        files.remove(upload_id)
    else:
        start = files.cut(file, upload.offset)
        if start < upload.offset:  # bytes lost below us: ask for them again
            _move(upload, start)
    if offset != start:
        message = _("The upload goes on at byte %(at)d. Ask where, then send from there.")
        raise Conflict(
            "wrong_offset", message % {"at": start}, headers={"Upload-Offset": str(start)}
        )
    room = upload.size - start
    if length is not None and length > room:
        raise TooLarge("too_many_bytes", _("This is more than the upload's announced size."))
    if not files.leaves(room if length is None else length, files.LAST):
        raise _no_room()  # before its bytes, not in the middle of them
    taker = _Taker(upload, file, checksum)
    taker.take(source, room)
    return upload


class _Taker:
    """One request's bytes on their way to disk."""

    def __init__(self, upload: Upload, file: BinaryIO, checksum: Checksum | None) -> None:
        self.upload = upload
        self.file = file
        self.start = self.end = upload.offset
        self.checksum = checksum
        self.hash = checksum.start() if checksum else None

    def take(self, source: Source, room: int) -> None:
        broken = False
        while self.end - self.start < room:
            try:
                data = source(min(CHUNK, room - (self.end - self.start)))
            except OSError:  # the client went away: UnreadablePostError is one of these
                broken = True
                break
            if not data:
                break
            self._write(data)
        if self.hash and self.checksum and (broken or self.hash.digest() != self.checksum.digest):
            files.cut(self.file, self.start)
            if not broken:
                message = _("The bytes changed on their way. Send them again.")
                raise ChecksumMismatch("checksum_mismatch", message)
        elif self.end > self.upload.offset:
            self._settle()
        if broken:
            raise BadRequest("broken_off", _("The request broke off. Go on from where it ended."))

    def _write(self, data: bytes) -> None:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError as error:  # the disk is full: what was acknowledged stays
            files.cut(self.file, self.upload.offset)
            raise _no_room() from error
        self.end += len(data)
        if self.hash:
            self.hash.update(data)
        elif self.end - self.upload.offset >= SETTLE_EVERY:
            self._settle()

    def _settle(self) -> None:
        files.settle(self.file)
        _move(self.upload, self.end)


def _move(upload: Upload, offset: int) -> None:
    """The row follows the file. Raises NotFound when the upload was ended meanwhile."""
    expires = timezone.now() + timedelta(seconds=options().upload_expiry)
    if not Upload.objects.filter(pk=upload.pk, video="").update(offset=offset, expires=expires):
        files.remove(upload.pk)
        raise no_upload()
    upload.offset, upload.expires = offset, expires


def do_receive_upload(upload: Upload) -> str:
    """Make the video of a whole upload; returns its public id. However often: it is one video.

    The bytes go to the store before the transaction, under a key that the upload's row already
    implies: killed in between, this is done again (by the next HEAD, or the sweep).
    """
    if upload.video:
        return upload.video
    key = original_key(upload.pk)
    try:
        path = files.path_of(upload.pk)
        records.objects().put(key, path, content_type="application/octet-stream")
    except FileNotFoundError:
        upload.refresh_from_db()
        if upload.video:  # another request was first, and has tidied up
            return upload.video
        raise
    except StoreFull as error:
        raise _no_room() from error
    with transaction.atomic():
        row = (
            Upload.objects.select_for_update().select_related("owner").filter(pk=upload.pk).first()
        )
        public_id = _video_of(row, key) if row else ""
    if not public_id:
        records.objects().delete(key)
        raise no_upload()
    files.remove(upload.pk)
    upload.video = public_id
    return public_id


def _video_of(upload: Upload, key: str) -> str:
    if upload.video:
        return upload.video
    details = msgspec.convert(upload.details, words.Details)
    try:
        channel = words.channel(details.channel)
    except Invalid:
        channel = None  # closed since the upload began
    try:
        sound = sounds.taken(upload.owner, details.sound)
    except Invalid:
        sound = None  # closed since then: processing says so, for its own was not to be heard
    video = Video.objects.create(
        author=upload.owner,
        channel=channel,
        upload_id=upload.pk,
        caption=details.caption,
        tags=details.tags,
        words=words.searchable(details.caption, details.tags),
        language=details.language,
        visibility=details.visibility,
        sound=sound,
        borrowed=bool(details.sound),
        state=State.RECEIVED,
        source_key=key,
        source_size=upload.size,
    )
    VideoTag.objects.bulk_create([VideoTag(video=video, word=word) for word in details.tags])
    Upload.objects.filter(pk=upload.pk).update(video=video.public_id)
    enqueue_processing(video, upload.owner)
    records.audit(upload.owner, "video.upload", f"video:{video.public_id}", bytes=upload.size)
    return video.public_id


def enqueue_processing(video: Video, owner: Person) -> None:
    records.enqueue(
        "videos.process", video.public_id, priority=Priority.URGENT, owner=owner.viewer_key
    )


def do_terminate_upload(upload: Upload) -> None:
    """End an unfinished upload and its bytes. Raises NotFound when it ended or finished first."""
    if not Upload.objects.filter(pk=upload.pk, video="").delete()[0]:
        raise no_upload()
    files.remove(upload.pk)
