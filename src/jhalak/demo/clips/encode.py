"""Frames and sound to an MP4 that a server only has to repackage: H.264 yuv420p and AAC, one
key frame a second.

One ffmpeg process (the binary of imageio-ffmpeg), frames through its standard input, sound
through a raw file beside the output; nothing else is read or written. Bit rate is capped so
that a phone on a weak line can follow.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np

from .canvas import Scene
from .sound import RATE


class EncodeError(Exception):
    """ffmpeg refused; the message holds its last words."""


def encode(
    scene: Scene, out: Path, *, width: int = 540, height: int = 960, preset: str = "superfast"
) -> Path:
    """Write `scene` to `out` (an .mp4), scaled to width x height pixels; the file appears whole
    or not at all.
    """
    sound = out.with_suffix(".pcm")
    part = out.with_suffix(".part.mp4")
    sound.write_bytes(scene.sound.tobytes())
    kind = "neighbor" if scene.crisp else "bicubic"
    scale = f"scale={width}:{height}:flags={kind}:out_color_matrix=bt709:out_range=tv"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{scene.width}x{scene.height}",
        "-framerate", str(scene.fps), "-i", "pipe:0",
        "-f", "s16le", "-ar", str(RATE), "-ac", "2", "-i", str(sound),
        "-map", "0:v:0", "-map", "1:a:0", "-vf", f"{scale},format=yuv420p",
        "-c:v", "libx264", "-preset", preset, "-profile:v", "high", "-crf", "23",
        "-maxrate", "2000k", "-bufsize", "1600k", "-sc_threshold", "0", "-threads", "2",
        "-g", str(scene.fps), "-keyint_min", str(scene.fps),
        "-colorspace", "bt709", "-color_primaries", "bt709",
        "-color_trc", "bt709", "-color_range", "tv",
        "-c:a", "aac", "-b:a", "96k", "-map_metadata", "-1", "-movflags", "+faststart",
        "-fflags", "+bitexact", "-f", "mp4", str(part),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        words = _feed(process, scene)
    except BaseException:
        process.kill()
        process.communicate()
        part.unlink(missing_ok=True)
        raise
    finally:
        sound.unlink(missing_ok=True)
    status = process.returncode
    if status != 0:
        part.unlink(missing_ok=True)
        raise EncodeError(f"ffmpeg stopped with {status}: {words.strip()[-400:]}")
    part.replace(out)
    return out


def _feed(process: subprocess.Popen[bytes], scene: Scene) -> str:
    """All frames into ffmpeg; what it said."""
    assert process.stdin is not None
    try:
        for frame in scene.frames:
            process.stdin.write(np.ascontiguousarray(frame).data)
    except BrokenPipeError:
        with contextlib.suppress(BrokenPipeError):  # ffmpeg died first: its words say why
            process.stdin.close()
        process.stdin = None
    _out, said = process.communicate()
    return said.decode("utf-8", "replace")
