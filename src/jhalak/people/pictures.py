"""Pictures of people: any common photo in, one small WebP out.

The type is what the bytes are, never what a header says. Size and pixel count are checked before
anything is decoded; what goes out is drawn anew, so that no place, camera name or hidden payload of
the original survives.
"""

from __future__ import annotations

import io
import secrets
import struct
import threading
import zlib
from datetime import timedelta
from pathlib import PurePosixPath

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from jhalak import records
from jhalak.people.models import Person
from jhalak.problems import Invalid, TooLarge, WrongType

MOST_BYTES = 5_000_000
MOST_PIXELS = 40_000_000  # a 40 megapixel photo; a JPEG is decoded at an eighth of its sides
MOST_PIXELS_WHOLE = 16_000_000  # of a format that has to be decoded whole: 64 MB
LONGEST_SIDE = 12_000
SIDE = 256  # of what is kept, in pixels
FORMATS = ("JPEG", "PNG", "WEBP")
PREFIX = "people/"
ORPHAN_AGE = timedelta(hours=1)  # longer than any request that may still name its picture

_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)
_one_at_a_time = threading.Lock()  # a decoder's memory is for one, whoever asks meanwhile
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


def small_picture(source: bytes) -> bytes:
    """A 256 x 256 WebP of a JPEG, PNG or WebP: upright, cut to its middle, without metadata.

    Raises TooLarge, WrongType, Invalid.
    """
    if len(source) > MOST_BYTES:
        raise too_large()
    try:
        picture = Image.open(io.BytesIO(source), formats=FORMATS)
    except _BOMBS as error:
        raise too_many_pixels() from error
    except _BROKEN as error:
        raise WrongType("not_a_picture", _("Send a picture: JPEG, PNG or WebP.")) from error
    width, height = picture.size
    most = MOST_PIXELS if picture.format == "JPEG" else MOST_PIXELS_WHOLE
    if width * height > most or max(width, height) > LONGEST_SIDE:
        raise too_many_pixels()
    out = io.BytesIO()
    try:
        with _one_at_a_time:
            upright = ImageOps.exif_transpose(_reduced(picture))
            plain = ImageOps.fit(_on_white(upright), (SIDE, SIDE), Image.Resampling.LANCZOS)
            plain.save(out, "WEBP", quality=82, method=4, exif=b"", icc_profile=None)
    except _BROKEN as error:
        raise Invalid("broken_picture", _("This picture is damaged. Try another one.")) from error
    return out.getvalue()


def _reduced(picture: Image.Image) -> Image.Image:
    """The picture, decoded and made small before anything else is done with it."""
    picture.draft("RGB", (SIDE * 2, SIDE * 2))  # a JPEG is decoded small at once
    picture.load()
    factor = min(picture.size) // (SIDE * 2)
    if factor < 2:
        return picture
    if picture.mode in ("P", "PA", "1"):  # these have no mean of two pixels
        picture = picture.convert("RGBA" if "transparency" in picture.info else "RGB")
    return picture.reduce(factor)


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    drawn = picture.convert("RGBA")
    ground = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(ground, drawn).convert("RGB")


def too_many_pixels() -> TooLarge:
    return TooLarge(
        "too_many_pixels",
        _("This picture has too many pixels. A JPEG may have 40 million, others 16 million."),
    )


def too_large() -> TooLarge:
    return TooLarge("too_large", _("This picture is too large. At most 5 MB."))


def put(person: Person, webp: bytes) -> str:
    """Stores a picture under a new name, outside any transaction. Returns its key."""
    key = f"{PREFIX}{person.pk}/{secrets.token_hex(8)}.webp"
    records.objects().put(key, webp, content_type="image/webp")
    return key


def url(person: Person) -> str:
    """Address of a person's picture, "" without one. A new picture is a new address."""
    if not person.picture:
        return ""
    return f"/media/people/{person.handle}/{PurePosixPath(person.picture).name}"


def sweep() -> int:
    """Deletes pictures that no row names: left by a process that died between store and database.

    Returns how many. Safe at any time.
    """
    if not records.may_sweep():
        return 0
    before = (timezone.now() - ORPHAN_AGE).timestamp() * 1000
    named = set(Person.objects.exclude(picture="").values_list("picture", flat=True))
    store = records.objects()
    orphans = [
        found.key
        for found in store.list(PREFIX)
        if found.key not in named and found.modified_ms < before
    ]
    store.delete(*orphans)
    return len(orphans)
