"""What the demo world shows: 12 channels of 6 clips, each with its creator, words, length and
seed. Plain data.

Captions are in the language of whoever posts; a clip's key is its channel and number and never
changes, because the manifest of a world that was already built refers to it.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Protocol, cast

from .clips.canvas import Pixels, Scene, Shot
from .clips.encode import encode

_CHANNELS: dict[str, tuple[tuple[str, str], tuple[str, ...]]] = {
    # slug: its two creators, and tags that all its clips carry
    "rangoli": (("meena_kolam", "sushila.tai"), ("rangoli", "kolam")),
    "cells": (("raju_cells", "ishaan_grid"), ("cells", "automata")),
    "infinity": (("anant_rekha", "mousumi.f"), ("fractal", "अनंत")),
    "waves": (("kadal_selvan", "gauri_naik"), ("waves", "physics")),
    "wind": (("pooja_hawa", "pavan_k"), ("wind", "हवा", "bansuri")),
    "letters": (("akshar_ghar", "lipi_lab"), ("letters", "अक्षर")),
    "sargam": (("rahim_saaz", "lakshmi_veena"), ("sargam", "music")),
    "flocks": (("pakhi_dekha", "jignesh_patang"), ("flocks", "nature")),
    "growth": (("harpreet_rang", "jaya_menon"), ("growth", "colour")),
    "maths": (("ganita_geleya", "ramans_slate"), ("maths", "गणित")),
    "sky": (("megha_das", "tsering_sky"), ("sky", "आसमान")),
    "weaves": (("hetal_patola", "farida_bandhej"), ("weaves", "handloom")),
}

# channel, seconds, language, caption, more tags; in each channel the creators take turns
_CLIPS: tuple[tuple[str, float, str, str, tuple[str, ...]], ...] = (
    ("rangoli", 7, "ta", "ஒரே கோடு, பல புள்ளிகள்: காலைக் கோலம்", ("கோலம்",)),
    ("rangoli", 6.5, "mr", "सणासाठी फुलांची रांगोळी", ("रांगोळी",)),
    ("rangoli", 8, "ta", "சிக்குக் கோலம், கையை எடுக்காமல்", ("கோலம்", "oneline")),
    ("rangoli", 6.5, "mr", "आठ पाकळ्या, आठ रंग", ("रांगोळी", "flowers")),
    ("rangoli", 7, "en", "Follow the line: where does it end?", ("oneline",)),
    ("rangoli", 6.5, "hi", "दीयों वाली रंगोली, शाम के लिए", ("दीया", "diwali")),
    ("cells", 5, "te", "చిన్న నియమాలు, పెద్ద నగరం", ("life",)),
    ("cells", 5, "en", "Brian's Brain: sparks that chase each other", ("sparks",)),
    ("cells", 6, "te", "ఒక్క చుక్క నుంచి జలపాతం", ("rule30",)),
    (
        "cells",
        6.5,
        "en",
        "Rock, paper, scissors for twelve colours. Wait for the spirals.",
        ("spirals",),
    ),
    ("cells", 6.5, "hi", "रेत का ढेर, एक-एक दाना", ("sandpile",)),
    ("cells", 6, "en", "One ant, four rules, no plan", ("ant",)),
    ("infinity", 6.5, "hi", "जितना पास जाओ, उतना और बाकी", ("julia",)),
    ("infinity", 7, "bn", "ম্যান্ডেলব্রটের ভেতরে ডুব", ("mandelbrot", "zoom")),
    ("infinity", 6, "en", "Newton cannot decide", ("newton",)),
    ("infinity", 6.5, "bn", "মাঝরাতের জুলিয়া", ("julia",)),
    ("infinity", 7, "hi", "अनंत की ओर एक छलांग", ("mandelbrot", "zoom")),
    ("infinity", 6, "en", "Orbits that almost touch", ("julia", "light")),
    ("waves", 6.5, "ta", "ஒரு துளி, ஒரு ஸ்வரம்", ("water", "மழை")),
    ("waves", 5, "mr", "लाटांवर लाटा", ("interference",)),
    ("waves", 6.5, "en", "Sand hears music too (Chladni, 1787)", ("chladni", "sand")),
    ("waves", 6.5, "ta", "ஒலியின் மலைகள்", ("sound",)),
    ("waves", 6, "en", "Three rings, a hundred flowers", ("moire",)),
    ("waves", 7, "mr", "कोकणातली संध्याकाळ", ("sea", "sunset")),
    ("wind", 7, "hi", "पहाड़ से उतरती हवा", ("flowfield",)),
    ("wind", 6.5, "kn", "ಗಾಳಿಯ ಚಿತ್ರ", ("flowfield", "night")),
    ("wind", 6.5, "hi", "धान के खेत में हवा", ("flowfield", "green")),
    ("wind", 6.5, "kn", "ನೀರಿನ ಮೇಲೆ ಬಣ್ಣ", ("marbling",)),
    ("wind", 6.5, "en", "Breathe in. Ink does the rest.", ("marbling", "calm")),
    ("wind", 7, "hi", "आँधी से पहले", ("flowfield", "storm")),
    ("letters", 7, "hi", "दस लिपियों में नमस्ते", ("namaste", "scripts")),
    ("letters", 7, "ml", "അക്ഷരമഴ", ("മലയാളം",)),
    ("letters", 8, "ta", "அகர முதல எழுத்தெல்லாம்", ("தமிழ்", "குறள்")),
    ("letters", 8, "bn", "একলা চলো রে", ("বাংলা", "রবীন্দ্রনাথ")),
    ("letters", 8, "ur", "غالب کا ایک مصرع", ("اردو", "غالب")),
    ("letters", 7, "hi", "पानी, दस भाषाओं में", ("पानी", "scripts")),
    ("sargam", 6.5, "ur", "آواز کی تصویر", ("oscilloscope",)),
    ("sargam", 7, "te", "హంసధ్వని, వీణపై", ("veena", "hamsadhwani")),
    ("sargam", 7, "hi", "सा रे ग म: गिरते सुर", ("सुर", "yaman")),
    ("sargam", 6.5, "te", "ఏడు తీగలు", ("strings",)),
    ("sargam", 6.5, "hi", "तीनताल: सोलह मात्राओं का पहिया", ("tabla", "teental")),
    ("sargam", 7, "en", "A pendulum that draws chords", ("harmonograph",)),
    ("flocks", 6.5, "bn", "সন্ধ্যার আকাশে পাখির ঝাঁক", ("birds", "sunset")),
    ("flocks", 7, "gu", "આગિયાની રાત", ("fireflies", "night")),
    ("flocks", 6.5, "bn", "মাছের ঝাঁক, একসঙ্গে ঘুরে যায়", ("fish",)),
    ("flocks", 6.5, "gu", "ઉત્તરાયણ: આકાશ ભરાઈ ગયું", ("kites", "uttarayan")),
    ("flocks", 6.5, "bn", "ভোরের পাখি", ("birds", "dawn")),
    ("flocks", 7, "en", "Lanterns, let go together", ("lanterns", "night")),
    ("growth", 6, "pa", "ਰੰਗ ਉੱਗਦੇ ਹਨ", ("coral",)),
    ("growth", 6.5, "ml", "ഒന്ന് രണ്ടാകുന്നു, രണ്ട് നാലാകുന്നു", ("spots",)),
    ("growth", 6, "pa", "ਮਹਿੰਦੀ ਵਾਂਗ", ("henna", "maze")),
    ("growth", 6, "ml", "ഉറങ്ങാത്ത നിറങ്ങൾ", ("maze",)),
    ("growth", 6.5, "en", "Moss, in a hurry", ("moss", "green")),
    ("growth", 5, "ml", "ചുവന്ന വല", ("net",)),
    ("maths", 8, "kn", "ಪೈಥಾಗರಸ್, ಮಾತಿಲ್ಲದೆ", ("pythagoras", "proof")),
    ("maths", 7, "en", "Odd numbers always build a square", ("numbers", "proof")),
    ("maths", 7, "hi", "घूमते पहिये से लहर", ("sine", "circle")),
    ("maths", 8, "en", "Circles on circles draw a flower", ("fourier", "circle")),
    ("maths", 8, "kn", "ವೃತ್ತದಿಂದ ತ್ರಿಕೋನ", ("circle", "proof")),
    ("maths", 7, "en", "1/4 + 1/16 + 1/64 + … = 1/3", ("series", "proof")),
    ("sky", 7, "or", "ପ୍ରଥମ ବର୍ଷା", ("rain", "monsoon")),
    ("sky", 7, "en", "Hanle, 4,300 m: the sky turns", ("stars", "ladakh")),
    ("sky", 7, "or", "ପାହାଡ଼ ଉପରେ ଜହ୍ନ", ("moon",)),
    ("sky", 6.5, "hi", "गंगा पर सुबह", ("sunrise", "गंगा")),
    ("sky", 6.5, "en", "Leave the shutter open", ("stars", "trails")),
    ("sky", 6.5, "hi", "बर्फ़ और देवदार", ("snow", "himalaya")),
    ("weaves", 6.5, "gu", "પાટણનું પટોળું, તાર પર તાર", ("patola", "ikat")),
    ("weaves", 6.5, "ur", "ہزار گرہیں: بندھنی", ("bandhani",)),
    ("weaves", 6.5, "hi", "जाली से छनती रोशनी", ("jaali", "light")),
    ("weaves", 6, "ur", "آئینوں کا باغ", ("kaleidoscope",)),
    ("weaves", 6.5, "hi", "बगरू का ठप्पा", ("blockprint", "bagru")),
    ("weaves", 6.5, "as", "ৰঙা পাৰিৰ গামোচা", ("gamosa", "assam")),
)


@dataclass(frozen=True)
class Clip:
    """One clip to be made and posted."""

    key: str
    channel: str
    creator: str
    caption: str
    language: str
    tags: tuple[str, ...]
    seconds: float
    seed: int
    variant: int

    @property
    def filename(self) -> str:
        return f"{self.key}.mp4"

    def shot(self, *, seconds: float | None = None, fps: int = 24) -> Shot:
        return Shot(self.seed, self.variant, seconds or self.seconds, fps=fps)


class Painter(Protocol):
    def make(self, shot: Shot) -> Scene: ...


def painter(channel: str) -> Painter:
    """The module that paints a channel's clips. Loaded on first use, so that the first clip
    does not wait for all.
    """
    if channel not in _CHANNELS:
        raise KeyError(channel)
    return cast(Painter, importlib.import_module(f"jhalak.demo.clips.{channel}"))


def channels() -> tuple[str, ...]:
    return tuple(_CHANNELS)


def clips() -> tuple[Clip, ...]:
    """All clips, every channel's first before any channel's second, the quickest to paint at
    the very front.
    """
    counts = dict.fromkeys(_CHANNELS, 0)
    made: list[Clip] = []
    for channel, seconds, language, caption, more in _CLIPS:
        number = counts[channel]
        counts[channel] += 1
        creators, tags = _CHANNELS[channel]
        made.append(
            Clip(
                key=f"{channel}-{number + 1}",
                channel=channel,
                creator=creators[number % len(creators)],
                caption=caption,
                language=language,
                tags=tuple(dict.fromkeys((*tags, *more))),
                seconds=seconds,
                seed=1000 + 37 * len(made),
                variant=number,
            )
        )
    quick = ("cells", "growth", "flocks", "sky", "waves", "letters")
    order = {c: i for i, c in enumerate((*quick, *(c for c in _CHANNELS if c not in quick)))}
    return tuple(sorted(made, key=lambda clip: (clip.variant, order[clip.channel])))


class Stopped(Exception):
    """Somebody asked to stop while a clip was being painted."""


def render(
    clip: Clip, folder: Path, *, seconds: float | None = None, stop: Event | None = None
) -> Path:
    """Paint and encode one clip into `folder`; returns its file. Raises Stopped soon after `stop`
    is set; nothing stays behind then.
    """
    scene = painter(clip.channel).make(clip.shot(seconds=seconds))
    if stop is not None:
        scene = replace(scene, frames=_until(scene.frames, stop))
    return encode(scene, folder / clip.filename)


def _until(frames: Iterator[Pixels], stop: Event) -> Iterator[Pixels]:
    for frame in frames:
        if stop.is_set():
            raise Stopped
        yield frame
