"""A ranker's file: an ONNX graph, run by onnxruntime on the thread that asks.

    history   float32[b, HISTORY, TOKEN], known float32[b, HISTORY]
    places    float32[b, n, SIZE], features float32[b, n, FEATURES]
    ->
    watching  float32[b, n, BINS]: logits of leaving in each bin of seconds
    gestures  float32[b, n, HEADS]: logits

Its metadata hold the FORMAT, the digest of the places that it was trained on (of others it knows
nothing), and how a value becomes a part of a score. The registry has checked that every byte is as
it was written (feed.models); here it is checked that the graph is one of ours and gives numbers.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from jhalak.feed.models import ModelError
from jhalak.feed.ranker.layout import BINS, FEATURES, FORMAT, HEADS, HISTORY, TOKEN
from jhalak.feed.taste import SIZE

Floats = npt.NDArray[np.float32]

LARGEST = 16 << 20  # bytes of a file
STEEPEST = 6.0  # of the scale: log-odds that one full watch may be worth
INPUTS = {
    "history": (HISTORY, TOKEN),
    "known": (HISTORY,),
    "places": (None, SIZE),
    "features": (None, len(FEATURES)),
}
OUTPUTS = {"watching": (None, BINS), "gestures": (None, len(HEADS))}


class Ranker:
    """Raises ModelError for bytes that are no ranker of this version, and where onnxruntime is not
    installed.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) > LARGEST:
            raise ModelError(f"a ranker of {len(data)} bytes; {LARGEST} are taken")
        self._session = _session(data)
        try:
            told = self._session.get_modelmeta().custom_metadata_map
            if told.get("format") != FORMAT:
                raise ModelError(f"no ranker of this version: {told.get('format', '')[:40]!r}")
            self.places: str = told["places"]
            self.scale, self.middle = float(told["scale"]), float(told["middle"])
        except (KeyError, ValueError) as error:
            raise ModelError(f"a ranker that does not say what it is: {error}") from error
        if not (0.0 <= self.scale <= STEEPEST and math.isfinite(self.middle)):
            raise ModelError(f"a ranker with scale {self.scale} and middle {self.middle}")
        for found, wanted in (
            (self._session.get_inputs(), INPUTS),
            (self._session.get_outputs(), OUTPUTS),
        ):
            shapes = {one.name: _fixed(one.shape) for one in found}
            if shapes != wanted or any(one.type != "tensor(float)" for one in found):
                raise ModelError(f"a ranker of other shapes: {shapes}")
        empty = {name: np.zeros((1, *(n or 1 for n in shape))) for name, shape in INPUTS.items()}
        self.run(**{name: one.astype(np.float32) for name, one in empty.items()})

    def run(
        self, history: Floats, known: Floats, places: Floats, features: Floats
    ) -> tuple[Floats, Floats]:
        """(watching, gestures). Raises ModelError when it fails or gives anything but numbers."""
        given = {"history": history, "known": known, "places": places, "features": features}
        try:
            watching, gestures = self._session.run(list(OUTPUTS), given)
        except Exception as error:  # onnxruntime's own kinds have no common base
            raise ModelError(f"the ranker cannot be run: {error}") from error
        shape = places.shape[:2]
        if watching.shape != (*shape, BINS) or gestures.shape != (*shape, len(HEADS)):
            raise ModelError(f"the ranker gave {watching.shape} and {gestures.shape}")
        if not (np.isfinite(watching).all() and np.isfinite(gestures).all()):
            raise ModelError("the ranker gave what is no number")
        return watching, gestures


def _session(data: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelError(f"onnxruntime cannot be used: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"no graph that onnxruntime takes: {error}") from error


def _fixed(shape: list[Any]) -> tuple[int | None, ...]:
    """Without the batch; None for a length that is open."""
    return tuple(size if isinstance(size, int) else None for size in shape[1:])
