"""The only words that may stand in an ffmpeg command line.

Every list is checked here just before it is run: an option that is not named below, a value that
does not look like one, an input that is not `fd:` (an open file) or an output that is not
`pipe:N` raises ValueError. No path and no text of a person is ever part of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = r"-?\d+(\.\d+)?"
_RATE = r"\d+[kM]?"
_COLOUR = r"bt709|tv"

# option -> what its value must match whole; None: it takes no value.
ALLOWED: dict[str, str | None] = {
    # how ffmpeg behaves
    "-hide_banner": None,
    "-nostdin": None,
    "-loglevel": r"error|warning|info",
    "-protocol_whitelist": r"fd,pipe",
    "-progress": r"pipe:\d+",
    "-stats_period": _NUMBER,
    "-nostats": None,
    "-filter_complex_threads": r"\d",
    # the input, and the one that a sound comes from
    "-f": r"mov|matroska|mp4|rawvideo|f32le|s16le|chromaprint|null",
    "-enable_drefs": r"0",
    "-use_absolute_path": r"0",
    "-nofind_stream_info": None,
    "-max_pixels": r"\d+",
    "-ss": _NUMBER,
    "-noaccurate_seek": None,
    "-skip_frame": r"nokey",
    "-threads": r"\d{1,2}",
    "-t": _NUMBER,
    "-fd": r"\d+",
    "-i": r"fd:",
    # what goes out
    "-map": r"0:\d+|1:0|\[[a-z]\d\]",
    "-map_metadata": r"-1",
    "-map_metadata:s": r"-1",
    "-map_chapters": r"-1",
    "-dec": r"\d:0",
    "-filter_complex": r"[\w\[\]=:|,;.()*/+-]+",
    "-af": r"[\w=:|,.-]+",
    "-c:v": r"copy|libx264|libsvtav1|rawvideo|wrapped_avframe",
    "-c:a": r"copy|aac|libopus|pcm_f32le|pcm_s16le",
    "-bsf:v": r"filter_units=remove_types=6",
    "-preset": r"veryfast|\d{1,2}",
    "-svtav1-params": r"lp=\d",
    "-profile:v": r"high",
    "-crf": r"\d\d",
    "-maxrate": _RATE,
    "-bufsize": _RATE,
    "-pix_fmt": r"yuv420p|rgb24",
    "-g": r"\d+",
    "-sc_threshold": r"0",
    "-forced-idr": r"1",
    "-force_key_frames": r"expr:[\w(),*+-]+",
    "-fps_mode": r"vfr|passthrough",
    "-frames:v": r"\d{1,2}",
    "-color_primaries": _COLOUR,
    "-color_trc": _COLOUR,
    "-colorspace": _COLOUR,
    "-color_range": _COLOUR,
    "-aac_coder": r"fast",
    "-b:a": _RATE,
    "-ac": r"[12]",
    "-ar": r"\d{5}",
    "-tag:v": r"avc1",
    "-movflags": r"(\+[a-z_]+)+",
    "-min_frag_duration": r"\d+",
    "-frag_duration": r"\d+",
    "-fp_format": r"raw",
    "-fflags": r"\+bitexact",
    "-avoid_negative_ts": r"make_zero|auto",
    "-max_muxing_queue_size": r"\d+",
}
_OUTPUT = re.compile(r"pipe:\d+")
_FILTERS = frozenset(
    [
        *(
            "aformat",
            "alimiter",
            "apad",
            "aresample",
            "asplit",
            "atrim",
            "bwdif",
            "format",
            "fps",
            "libvmaf",
        ),
        *("scale", "setpts", "setsar", "split", "tonemap", "tpad", "trim", "volume", "zscale"),
    ]
)
_FILTER_NAME = re.compile(r"(?:^|[,;\]])([a-z]\w*)")


def check(arguments: Sequence[str]) -> None:
    """Raise ValueError unless every word of `arguments` (without the program) is allowed."""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        at += 1
        if not word.startswith("-"):
            if not _OUTPUT.fullmatch(word):
                raise ValueError(f"not a pipe to write to: {word!r}")
            continue
        if word not in ALLOWED:
            raise ValueError(f"an option that is not allowed: {word!r}")
        pattern = ALLOWED[word]
        if pattern is None:
            continue
        if at >= len(arguments):
            raise ValueError(f"{word} without its value")
        value = arguments[at]
        at += 1
        if not re.fullmatch(pattern, value):
            raise ValueError(f"a value that is not allowed: {word} {value!r}")
        if word in ("-filter_complex", "-af"):
            _check_filters(value)


def _check_filters(graph: str) -> None:
    # movie= and its like read files: only filters that are named above may stand in a graph. Of
    # these libvmaf could name one.
    if "path" in graph:
        raise ValueError("a filter may name no file")
    for name in _FILTER_NAME.findall(re.sub(r"\([^()]*\)", "", graph)):
        if name not in _FILTERS:
            raise ValueError(f"a filter that is not allowed: {name!r}")
