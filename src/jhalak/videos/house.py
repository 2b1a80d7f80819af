"""The place where this installation keeps what a run makes: objects under the run's own prefix,
then the rows that name them.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from jhalak import media, records
from jhalak.options import options
from jhalak.videos import processing
from jhalak.videos.actions import SCRUBBING
from jhalak.videos.keys import run_prefix
from jhalak.videos.making import Facts, Start
from jhalak.videos.models import Piece, Rendition, Video
from jhalak.videos.states import State

TYPES = {
    ".mp4": "video/mp4",
    ".m4s": "video/mp4",
    ".m4a": "audio/mp4",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
}
POSTER = "poster"
STORYBOARD, PREVIEW = "storyboard.webp", "preview.mp4"


def limits() -> media.Limits:
    return media.Limits(bytes=options().upload_limit)


def start_of(video: Video) -> Start:
    """Where a run of this video sets out."""
    pieces = list(Piece.objects.filter(video=video).values_list("number", "duration_ms", "key"))
    init = next((key for number, _, key in pieces if number == 0), "")
    found = records.objects().head(init) if init else None
    known = {number: duration_ms for number, duration_ms, _ in pieces}
    return Start(video.state == State.PLAYABLE, known, found.etag if found else "")


def source_of(kind: str, video: Video) -> str:
    """The key of what a job of this kind is made from: the original, or the first rendition."""
    if kind != SCRUBBING:
        return video.source_key
    return Rendition.objects.get(video=video, name=video.first_rendition).key


class House:
    """Rows and objects of one run."""

    def __init__(self, video: Video) -> None:
        self.video = video

    def key(self, name: str) -> str:
        return f"{run_prefix(self.video)}{name}"

    def store(self, name: str, source: Path | BinaryIO) -> str:
        key = self.key(name)
        records.objects().put(key, source, content_type=TYPES[Path(name).suffix])
        return key

    def prepare(self, facts: Facts) -> None:
        processing.do_prepare(self.video, facts)

    def posters(self, posters: media.Posters) -> None:
        self.store(f"{POSTER}.webp", posters.webp)
        self.store(f"{POSTER}.jpg", posters.jpeg)
        processing.do_set_posters(self.video, self.key(POSTER), posters.colour)

    def piece(self, piece: media.Piece) -> None:
        key = self.store(piece_name(piece.number), piece.path)
        processing.do_add_piece(self.video, piece.number, key, piece.duration_ms)

    def first(self, rendition: media.Rendition, more: bool) -> None:
        key = self.store(f"{rendition.name}.mp4", rendition.path)
        processing.do_finish_first(self.video, rendition, key, more=more)

    def rest(self, renditions: tuple[media.Rendition, ...]) -> None:
        made = [(one, self.store(f"{one.name}.mp4", one.path)) for one in renditions]
        processing.do_finish_rest(self.video, made)

    def modern(self, renditions: tuple[media.Rendition, ...]) -> None:
        made = [(one, self.store(f"{one.name}.mp4", one.path)) for one in renditions]
        processing.do_finish_modern(self.video, made)

    def scrubbing(self, board: media.Storyboard, preview: Path) -> None:
        self.store(STORYBOARD, board.path)
        self.store(PREVIEW, preview)
        processing.do_set_scrubbing(self.video, self.key(""), board)


def piece_name(number: int) -> str:
    return f"piece-{number}.m4s"
