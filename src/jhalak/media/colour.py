"""From a clip's colours to BT.709 of standard range, as the words of a filter chain.

Three ways, by what the clip says of itself:

    ordinary   another matrix (BT.601) or full range: swscale exchanges the matrix while it scales
    wide       more colours at ordinary brightness (BT.2020, P3): zimg, through linear light
    HDR        PQ and HLG: zimg to linear light, tone mapping, zimg back

HDR's reference white of 203 cd/m2 (ITU-R BT.2408) becomes 1.0 of linear light, so that faces and
mid-grey keep the brightness that they have in an SDR recording: 26 cd/m2 is 18 % grey in HDR and
42 % of the signal here, as in a BT.709 camera. Below 0.3 nothing is changed ("mobius" bends only
what is above); the brightest is taken to be 1000 cd/m2, which is what phones record for and what
HLG means.
"""

from __future__ import annotations

from jhalak.media.model import Probe

_HD_LINES = 720
_WHITE = 203
_BRIGHTEST = 1000
_SWSCALE_NAMES = {"bt2020nc": "bt2020", "bt470bg": "bt470"}


def matrix_of(probe: Probe) -> str:
    """The colour matrix: as told, else BT.2020 for HDR, BT.709 for high definition, or BT.601, as
    players assume.
    """
    if probe.matrix:
        return probe.matrix
    if probe.wide:
        return "bt2020nc" if probe.primaries in ("", "bt2020") else "bt709"
    high = min(probe.coded_width, probe.coded_height) >= _HD_LINES
    return "bt709" if high else "smpte170m"


def scaled_to_bt709(probe: Probe, width: int, height: int, *, rgb: bool = False) -> list[str]:
    """Filters from decoded frames to `width` x `height` in 8 bit BT.709: yuv420p of limited range,
    or rgb24.
    """
    size = f"scale={width}:{height}:flags=bicubic"
    last = "format=rgb24" if rgb else "format=yuv420p"
    if not probe.wide:
        matrix = matrix_of(probe)
        size += f":in_color_matrix={_SWSCALE_NAMES.get(matrix, matrix)}"
        return [size if rgb else f"{size}:out_color_matrix=bt709:out_range=tv", "setsar=1", last]
    # Small first, then light: linear light costs 8 bytes a sample. 4:4:4 because zimg takes no odd
    # size in 4:2:0, and stills have them.
    steps = [size, "setsar=1", "format=yuv444p10le"]
    primaries = probe.primaries or "bt2020"  # HDR that does not tell them
    read = f"zscale=min={matrix_of(probe)}:pin={primaries}"
    if probe.hdr:
        steps.append(f"{read}:tin={probe.transfer}:t=linear:npl={_WHITE}")
        steps += ["format=gbrpf32le", "zscale=p=bt709"]
        steps.append(f"tonemap=mobius:desat=0:peak={_BRIGHTEST / _WHITE:.3f}")
        read = "zscale=tin=linear"
    else:
        read += ":tin=bt709"
    steps.append(f"{read}:p=bt709:t=bt709:m=bt709:r=tv:d=ordered")
    return [*steps, "format=yuv444p", last] if rgb else [*steps, last]
