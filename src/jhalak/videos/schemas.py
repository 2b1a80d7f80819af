"""What the API says of videos, for its document: the shapes of `cards.Card` and of the studio.

The answers themselves are the structs of `cards` and `studio`; a test holds both to the same names.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from ninja import Field, Schema
from pydantic import ConfigDict

ID = Field(description="The video's public id.", examples=["kQ3v_9dTz1Ab"])


class Author(Schema):
    handle: str = Field(examples=["asha.k"])
    name: str = Field(description="In any script; may be empty.", examples=["आशा"])
    picture: str = Field(
        description="Address of a picture, empty for none.",
        examples=["/media/people/asha.k/0123456789abcdef.webp"],
    )
    following: bool = Field(description="Whether you follow the author.")


class ChannelName(Schema):
    slug: str = Field(examples=["waves"])
    name: str = Field(description="In your language.", examples=["Waves"])


class SoundName(Schema):
    id: str = Field(examples=["Zk3v_9dTz1Aq"])
    handle: str = Field(
        description="Whose original sound it is; empty when that video is not there for all.",
        examples=["asha.k"],
    )


class CaptionTrack(Schema):
    src: str = Field(
        description="WebVTT for a track of the video.",
        examples=["/media/kQ3v_9dTz1Ab/captions-hi.vtt?v=3f9a1c20"],
    )
    language: str = Field(examples=["hi"])
    label: str = Field(description="The language by its own name.", examples=["हिन्दी"])


class Cue(Schema):
    start_ms: int = Field(description="Milliseconds from the start.", examples=[1200])
    end_ms: int = Field(description="Milliseconds from the start.", examples=[2800])
    text: str = Field(description="Plain text, lines kept; at most 500 characters.")


class Captions(Schema):
    language: str = Field(examples=["hi"])
    label: str = Field(description="The language by its own name.", examples=["हिन्दी"])
    source: str = Field(description="uploaded, edited or automatic.", examples=["edited"])
    cues: list[Cue]


class Board(Schema):
    src: str = Field(
        description="One WebP of many small pictures, row by row.",
        examples=["/media/kQ3v_9dTz1Ab/storyboard.webp"],
    )
    width: int = Field(description="Of one picture, in pixels.", examples=[90])
    height: int = Field(description="Of one picture, in pixels.", examples=[160])
    columns: int = Field(description="Pictures in a row.", examples=[8])
    cells: int = Field(description="How many there are.", examples=[20])
    step_ms: int = Field(
        description="The n-th, from 0, shows the clip from n x step_ms on.", examples=[1000]
    )


class Counts(Schema):
    views: int = Field(description="Times watched for at least a second.")
    likes: int
    saves: int
    shares: int


class VideoSource(Schema):
    src: str = Field(
        description="A whole fragmented MP4 file by range.",
        examples=["/media/kQ3v_9dTz1Ab/720.mp4"],
    )
    width: int = Field(description="Pixels, upright.", examples=[720])
    height: int = Field(description="Pixels, upright.", examples=[1280])
    bps: int = Field(description="Bits a second over all of it.", examples=[1_300_000])
    peak_bps: int = Field(
        description="Bits a second of its heaviest fragment.", examples=[2_100_000]
    )
    codecs: str = Field(description="RFC 6381.", examples=["avc1.64001f,mp4a.40.2"])
    start: int = Field(
        description="Bytes to the end of its first fragment: enough to begin with.",
        examples=[310_400],
    )


class VideoCard(Schema):
    id: str = ID
    src: str = Field(
        description="What to play: a file by range, or a growing playlist while the first file is "
        "being made. Empty until it is playable.",
        examples=["/media/kQ3v_9dTz1Ab/540.mp4"],
    )
    sources: list[VideoSource] = Field(
        description="All files to choose from, fewest bits first. Empty until one is whole."
    )
    hls: str = Field(
        description="Master playlist (HLS). Empty until it is playable.",
        examples=["/media/kQ3v_9dTz1Ab/master.m3u8"],
    )
    poster: str = Field(
        description="Still picture, WebP. Empty until there is one.",
        examples=["/media/kQ3v_9dTz1Ab/poster.webp"],
    )
    storyboard: Board | None = Field(
        description="Small pictures of its moments; null until they are made. The same as WebVTT "
        "is storyboard.vtt beside it."
    )
    preview: str = Field(
        description="Its first three seconds, small, without sound, MP4. Empty until there is one.",
        examples=["/media/kQ3v_9dTz1Ab/preview.mp4"],
    )
    width: int = Field(description="Pixels, upright. 0 until it is known.", examples=[1080])
    height: int = Field(description="Pixels, upright. 0 until it is known.", examples=[1920])
    duration_ms: int = Field(description="Milliseconds. 0 until it is known.", examples=[8000])
    author: Author
    caption: str = Field(description="Plain text in any script, at most 500 characters.")
    tags: list[str] = Field(description="Without #, folded case.", examples=[["rangoli", "मेला"]])
    captions: list[CaptionTrack] = Field(description="What is said, one for each language.")
    channel: ChannelName | None
    sound: SoundName | None = Field(description="What is heard in it, once that is known.")
    language: str = Field(description="Spoken or written in it; may be empty.", examples=["hi"])
    colour: str = Field(
        description="Main colour, shown until the poster is there; may be empty.",
        examples=["#1c9bc9"],
    )
    state: str = Field(
        description="received, checking, preparing, playable, complete or failed.",
        examples=["complete"],
    )
    visibility: str = Field(description="public, followers or private.", examples=["public"])
    counts: Counts
    liked: bool = Field(description="Whether you like it.")
    saved: bool = Field(description="Whether you saved it.")
    created: datetime = Field(examples=["2026-02-03T04:05:06Z"])


class VideoList(Schema):
    items: list[VideoCard]
    next: str | None = Field(description="Send as `cursor` for the next page; null at the end.")


class Failure(Schema):
    code: str = Field(examples=["no_picture"])
    text: str = Field(description="What was wrong and what to do, in your language.")


class InLine(Schema):
    ahead: int = Field(description="About how many are taken before this one.", examples=[3])
    many_today: bool = Field(
        description="It waits for the others: you had much processed in the last 24 hours."
    )


class StudioVideo(VideoCard):
    state_text: str = Field(description="The state in words.", examples=["Checking your video"])
    progress: float = Field(description="How far processing is, 0 to 1.", examples=[0.4])
    queue: InLine | None = Field(description="Its place in the queue, while it waits there.")
    failure: Failure | None = Field(description="Why it could not be used, when it failed.")
    retry: bool = Field(description="Whether POST .../retry would try it again.")
    full_watches: int = Field(description="Times watched to the end.")
    withdrawn: str | None = Field(
        description="Why a moderator took it out of sight; null when nobody did."
    )


class StudioList(Schema):
    items: list[StudioVideo]
    next: str | None = Field(description="Send as `cursor` for the next page; null at the end.")


class VideoChange(Schema):
    """What is left out stays as it is."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    caption: str | None = Field(None, description="At most 500 characters; lines are kept.")
    tags: list[str] | None = Field(
        None, max_length=100, description="At most 10.", examples=[["rangoli"]]
    )
    language: str | None = Field(None, max_length=12, examples=["hi"])
    visibility: str | None = Field(None, description="public, followers or private.")
    channel: str | None = Field(
        None, max_length=40, description='Slug; "" for no channel.', examples=["waves"]
    )


class ChannelOut(Schema):
    slug: str = Field(examples=["waves"])
    name: str = Field(description="In your language.")
    description: str
    colour: str = Field(examples=["#1c9bc9"])


class ChannelList(Schema):
    items: list[ChannelOut]
    next: None = None


class TagOut(Schema):
    tag: str = Field(description="Without #.", examples=["rangoli"])
    videos: int = Field(description="How many videos that you may see have it.")


class TagList(Schema):
    items: list[TagOut]
    next: None = None


class SoundOut(Schema):
    id: str = Field(examples=["Zk3v_9dTz1Aq"])
    title: str = Field(description="In your language.", examples=["Original sound · @asha.k"])
    handle: str = Field(description="Whose it is; empty when that is not for you to know.")
    videos: int = Field(description="How many videos that you may see have it.")
    duration_ms: int = Field(examples=[8000])
    src: str = Field(
        description="The sound by itself; empty when it may not be heard so, or taken, any more.",
        examples=["/media/sounds/Zk3v_9dTz1Aq.m4a"],
    )


class Prefix(Schema):
    prefix: str = Field("", max_length=60, description="How the tag starts, # or not.")


class Words(Schema):
    q: str = Field(max_length=200, description="Words; a video must have all of them.")
