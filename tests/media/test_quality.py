"""How fine a clip must be: bounds and order as properties, then what real encodes come to."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.media import Limits, make_rest, plan, probe
from jhalak.media.arguments import check
from jhalak.media.process import ffmpeg
from jhalak.media.quality import FINEST, FLOOR, TARGET, TRIED, crf_for, fitted, places
from tests.media.making import clip
from tests.media.test_planning import GOOD

_ENCODED = Limits(remux_side=1)
_SCORES = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted), min_size=1)


def _pairs(scores: list[list[float]]) -> list[tuple[float, float]]:
    return [(fine, coarse) for coarse, fine in scores]


@given(_SCORES)
def test_the_bounds_are_kept(scores: list[list[float]]) -> None:
    assert FINEST <= crf_for(_pairs(scores)) <= TRIED[1]


@given(_SCORES, st.floats(0, 20), st.floats(0, 20))
def test_what_is_harder_is_never_made_coarser(
    scores: list[list[float]], fine: float, coarse: float
) -> None:
    easy = _pairs(scores)
    hard = [(one - fine, other - fine - coarse) for one, other in easy]
    assert crf_for(hard) <= crf_for(easy)


def test_a_score_in_the_middle_gives_a_crf_in_the_middle() -> None:
    assert crf_for([(TARGET + 4, TARGET - 4)]) == 24
    assert crf_for([(99, TARGET)]) == 28
    assert crf_for([(TARGET, 70)]) == 20
    assert crf_for([(60, 40)]) == 17
    # One hard place among easy ones is what counts.
    assert crf_for([(100, 99), (100, 99), (FLOOR, 70)]) == 20


def test_places_are_spread_over_what_can_be_reached() -> None:
    def of(**changes: int) -> list[float]:
        return places(msgspec.structs.replace(GOOD, **changes))

    assert of(duration_ms=18_000, keys=18) == [4.5, 13.5]
    assert of(duration_ms=30_000, keys=30) == [5.0, 15.0, 25.0]
    assert len(of(duration_ms=180_000, keys=99)) == 6
    assert of(duration_ms=18_000, keys=1) == [9.0]
    assert of(duration_ms=500, keys=5) == [0.25]


def test_a_filter_that_names_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="no file"):
        check(["-filter_complex", "[a0][b0]libvmaf=log_path=out[q0]"])


def vmaf(made: Path, source: Path) -> float:
    """Against the source, from outside of the engine."""
    same = "setparams=colorspace=bt709:range=tv"  # else the filter turns colours to make it so
    size = f"{same},scale=540:960:flags=bicubic,format=yuv420p"
    done = subprocess.run(
        [ffmpeg(), "-nostdin", "-i", str(made), "-i", str(source), "-filter_complex",
         f"[0:v]{size}[a];[1:v]{size}[b];[a][b]libvmaf", "-f", "null", "-"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(re.findall(r"VMAF score: ([\d.]+)", done.stderr)[-1])


@pytest.mark.slow
def test_a_flat_clip_gets_few_bits_and_a_busy_one_its_quality(tmp_path: Path) -> None:
    crfs, rates = {}, {}
    for kind, filters in (("busy", "noise=alls=12:allf=t"), ("flat", "gblur=6")):
        source = clip(
            tmp_path / f"{kind}.mp4",
            size="720x1280",
            seconds=1.5,
            sound=False,
            extra=("-crf", "12", "-vf", filters),
        )
        made_plan = plan(probe(source), _ENCODED)
        large, small = fitted(made_plan, made_plan.rest, source)
        assert (large.name, small.name, small.crf) == ("720", "360", 21)
        made = make_rest(made_plan, source, tmp_path / kind)[0]
        crfs[kind], rates[kind] = large.crf, made.average_bps
        assert vmaf(made.path, source) >= FLOOR
    assert 23 < crfs["busy"] < crfs["flat"]
    assert rates["flat"] < 500_000 < rates["busy"]


@pytest.mark.slow
def test_what_cannot_be_looked_at_keeps_the_ladders_own_quality(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", seconds=1)
    made_plan = plan(probe(source), _ENCODED)
    source.write_bytes(source.read_bytes()[:2000])
    rungs = (made_plan.first,)
    assert fitted(made_plan, rungs, source) == rungs
