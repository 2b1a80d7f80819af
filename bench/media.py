"""Figures of the media engine: how soon a clip can be played, and what its ladder costs.

Sources are made by ffmpeg itself and kept in a cache folder: 20 s of 1080x1920 at 30 frames a
second with sound, one within the limits of a copy, one above them, one in HEVC. Baselines are bare
ffmpeg processes on the same machine in the same run; times are medians, CPU is that of children.

Per-title quality is looked at on the shared clips (../shared/data/clips, where they are): 2 s of
each are encoded at 540p with CRF 17 to 28 and measured by VMAF. "Equal VMAF" is one promise for
all clips: the fixed ladder gets the coarsest CRF at which none is under 90, except those that no
CRF brings there; per-title gets what the engine finds. Bits are sums over the clips. What the two
cost at an equal mean is told beside it, without a limit: there one CRF is not the worse choice.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from bench import av1, limits
from bench.figures import figure
from bench.vmaf import Point, compared

from jhalak import media
from jhalak.media import quality
from jhalak.media.process import ffmpeg
from jhalak.videos import making

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "bench"
CLIPS = Path(__file__).resolve().parents[2] / "shared" / "data" / "clips"
_SECONDS = 20
_PICTURE = f"testsrc2=s=1080x1920:r=30:d={_SECONDS}"
_SOUND = f"sine=f=330:b=4:r=48000:d={_SECONDS}"
_NOISE = "noise=alls=8:allf=t"
_AAC = ["-c:a", "aac", "-b:a", "128k", "-ac", "2"]
_SOURCES = {
    "copy": ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "9M", "-maxrate", "10M"],
    "heavy": ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "17M", "-maxrate", "20M"],
    "hevc": ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none"],
}
_X264 = ["-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-sc_threshold", "0"]
_KEYS = ["-force_key_frames", "expr:gte(t,n_forced*2)", "-g", "600"]


def run(cache: Path = CACHE) -> list[dict[str, Any]]:
    sources = {name: _source(cache, name) for name in _SOURCES}
    return [
        *_copy(sources["copy"]),
        *_first_piece(sources),
        *_ladder(sources["heavy"]),
        *_titles(),
        *limits.figures(sources["copy"]),
        *av1.figures(sorted(CLIPS.glob("*")) or sources.values()),
    ]


def _bare(*words: str) -> None:
    subprocess.run(
        [ffmpeg(), "-nostdin", "-loglevel", "error", "-y", *words],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def _source(cache: Path, name: str) -> Path:
    path = cache / f"{name}.mp4"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        part = cache / f".{name}.mp4"
        picture = ["-bufsize", "20M", "-g", "60", "-pix_fmt", "yuv420p", "-tag:v"]
        tag = "hvc1" if name == "hevc" else "avc1"
        inputs = ["-f", "lavfi", "-i", _PICTURE, "-f", "lavfi", "-i", _SOUND, "-vf", _NOISE]
        _bare(*inputs, *_SOURCES[name], *picture, tag, *_AAC, str(part))
        part.replace(path)
    return path


def _seconds(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _cpu(work: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _copy(source: Path) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)

        place = Mock(spec=making.Place)  # keeps nothing: what is measured is the making

        def engine() -> None:
            begin = making.Start(playable=False, known={}, init="")
            making.make_first(source, out, media.Limits(), begin, place, lambda _share: None)

        def bare() -> None:
            _bare("-i", str(source), "-c", "copy", "-movflags", "frag_keyframe", f"{out}/bare.mp4")

        engine()  # imports and caches are warm, as in a worker that runs
        assert place.first.call_args.args[0].name == "source", "it was not copied"
        return [
            figure(
                "engine: copy, index and posters",
                _seconds(engine, 7),
                "s",
                baseline=_seconds(bare, 7),
                at_most=0.4,
            )
        ]


def _first_piece(sources: dict[str, Path]) -> list[dict[str, Any]]:
    return [
        figure(f"engine: first piece, {name}", _piece_seconds(sources[name]), "s", at_most=1.5)
        for name in ("heavy", "hevc")
    ]


def _piece_seconds(source: Path) -> float:
    taken = []
    for _ in range(5):
        stop = threading.Event()
        begun = time.perf_counter()

        def arrived(piece: media.Piece, begun: float = begun, stop: threading.Event = stop) -> None:
            if not piece.init and not stop.is_set():
                taken.append(time.perf_counter() - begun)
                stop.set()

        plan = media.plan(media.probe(source))
        assert not plan.remux
        with tempfile.TemporaryDirectory() as folder:
            try:
                media.make_first(plan, source, Path(folder), arrived, stop=stop)
            except media.Stopped:
                continue
    return statistics.median(taken)


def _ladder(source: Path) -> list[dict[str, Any]]:
    plan = media.plan(media.probe(source))
    found: list[media.Rung] = []
    search = _cpu(lambda: found.extend(quality.fitted(plan, plan.rest, source)))
    rungs = {rung.name: rung for rung in (plan.first, *found)}
    assert sorted(rungs) == ["1080", "360", "540", "720"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)

        def engine() -> None:
            media.make_first(plan, source, out, lambda _: None)
            media.make_rest(plan, source, out)

        def bare() -> None:
            graph = "[0:v]split=4[a][b][c][d]"
            words = []
            for end, rung in zip("abcd", rungs.values(), strict=True):
                graph += f";[{end}]scale={rung.width}:{rung.height}[{end}1]"
                rate = f"{rung.max_kbps}k"
                words += ["-map", f"[{end}1]", "-map", "0:a", *_X264, *_KEYS, "-crf", str(rung.crf)]
                words += ["-maxrate", rate, "-bufsize", f"{2 * rung.max_kbps}k", *_AAC]
                words += ["-movflags", "frag_keyframe", f"{out}/bare-{rung.name}.mp4"]
            _bare("-i", str(source), "-filter_complex", graph, *words)

        bare_cpu = _cpu(bare)
        ours = _cpu(engine)
        modern = _cpu(lambda: media.make_modern(plan, source, out))
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
    return [
        figure("engine: ladder, CPU seconds", ours, "s", baseline=bare_cpu),
        figure("engine: ladder, CPU to bare", ours / bare_cpu, "x", baseline=1.0, at_most=1.1),
        figure("engine: search of quality to bare ladder", search / bare_cpu, "x", at_most=0.1),
        figure("engine: AV1 with its search, CPU to bare ladder", modern / bare_cpu, "x"),
    ]


_CRFS = (17, 19, 21, 23, 25, 28)
_FLOOR = 90.0


def _titles() -> list[dict[str, Any]]:
    curves, chosen = [], []
    for path in sorted(CLIPS.glob("*")):
        try:
            plan = media.plan(media.probe(path), media.Limits(remux_side=1))
        except media.Refused:
            continue
        curve = _curve(plan, path) if plan.probe.short_side >= 240 else {}
        if curve and max(score for _, score in curve.values()) >= _FLOOR:
            curves.append(curve)
            chosen.append(_at(curve, quality.fitted(plan, [plan.first], path)[0].crf))
    if not curves:
        return []
    ours = sum(bits for bits, _ in chosen)
    mean = statistics.mean(score for _, score in chosen)
    fixed = [[_at(curve, crf) for curve in curves] for crf in range(17, 29)]
    floor = [one for one in fixed if min(score for _, score in one) >= _FLOOR] or fixed[:1]
    alike = min(fixed, key=lambda one: abs(statistics.mean(score for _, score in one) - mean))
    share = ours / sum(bits for bits, _ in floor[-1])
    return [
        figure("quality: worst clip, VMAF", min(s for _, s in chosen), "", at_least=_FLOOR),
        figure("quality: bits to one CRF, none under 90", share, "x", baseline=1.0, at_most=0.8),
        figure(
            "quality: bits to one CRF, equal mean",
            ours / sum(bits for bits, _ in alike),
            "x",
            baseline=1.0,
        ),
    ]


def _curve(plan: media.Plan, path: Path) -> dict[int, Point]:
    """Bits and VMAF of the first 2 s as 540p, by CRF; {} where ffmpeg cannot say."""
    coders = [[*_X264, "-crf", str(crf)] for crf in _CRFS]
    return dict(zip(_CRFS, compared(plan, path, plan.first, coders, 2), strict=False))


def _at(curve: dict[int, Point], crf: int) -> tuple[float, float]:
    """Bits and VMAF between the CRFs that were tried."""
    low = max(one for one in _CRFS if one <= crf)
    high = min(one for one in _CRFS if one >= crf)
    share = (crf - low) / (high - low) if high > low else 0.0
    (bits, score), (fewer, worse) = curve[low], curve[high]
    return bits * (fewer / bits) ** share, score + (worse - score) * share


if __name__ == "__main__":
    for line in run():
        print(line)
