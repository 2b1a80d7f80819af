"""The network as an ONNX graph, written from its weights.

Written by hand and not by torch.onnx: the same weights give the same bytes (an exporter notes where
on a machine each node's source lies), no tracing stands between what was trained and what is
served, and a graph can be made without torch. `network` says the same in torch; that both give the
same numbers is looked at after each training.

    answers   -> token -> one causal block (attention that fades with distance, two dense layers)
    candidate -> query, which attends to the block's outputs
    both, their product and the features -> one dense layer -> logits

Attention has a null to attend to, so an empty history is no special case.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from jhalak.feed.ranker.layout import BINS, FORMAT, HEADS, HISTORY
from jhalak.feed.ranker.model import INPUTS, OUTPUTS
from jhalak.feed.training.ranking.shape import ATTENTION, CLIP, FAR, WIDTH, Weights, shapes

OPSET, IR = 17, 9


def encode(weights: Weights, *, places: str, scale: float, middle: float) -> bytes:
    """The file of these weights: see feed.ranker.model. `places`: digest of those trained on, ""
    for by words. Raises ValueError for weights that are not those of `shape.shapes`.
    """
    found = {name: array.shape for name, array in weights.items()}
    if found != shapes():
        raise ValueError(
            f"weights of other shapes: {sorted(set(found.items()) ^ set(shapes().items()))}"
        )
    made = _Graph(weights)
    _draw(made)
    graph = helper.make_graph(
        made.nodes,
        "ranker",
        [_value(name, shape) for name, shape in INPUTS.items()],
        [_value(name, shape) for name, shape in OUTPUTS.items()],
        made.constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR, producer_name="jhalak"
    )
    told = {"format": FORMAT, "places": places, "scale": repr(scale), "middle": repr(middle)}
    helper.set_model_props(model, told)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _value(name: str, shape: tuple[int | None, ...]) -> Any:
    return helper.make_tensor_value_info(
        name, TensorProto.FLOAT, ["b", *("n" if size is None else size for size in shape)]
    )


class _Graph:
    """Nodes in order; `x = graph.op("Relu", y)` names what comes out."""

    def __init__(self, weights: Weights) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: dict[str, str] = {}
        for name in sorted(weights):
            self.constant(weights[name].astype(np.float32), name)

    def constant(self, array: npt.NDArray[Any], name: str = "") -> str:
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def op(self, kind: str, *given: str, into: str = "", **told: Any) -> str:
        name = into or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(given), [name], name=f"n{name}", **told))
        return name

    def dense(self, x: str, layer: str) -> str:
        return self.op("Add", self.op("MatMul", x, f"{layer}_w"), f"{layer}_b")

    def norm(self, x: str, layer: str) -> str:
        return self.op("LayerNormalization", x, f"{layer}_g", f"{layer}_b", axis=-1, epsilon=1e-5)

    def heads(self, x: str, turned: list[int]) -> str:
        """[b, t, WIDTH] as [b, ATTENTION, t, part], or as `turned` says."""
        shape = self.constant(np.array([0, 0, ATTENTION, WIDTH // ATTENTION], np.int64))
        return self.op("Transpose", self.op("Reshape", x, shape), perm=turned)

    def attend(self, query: str, key: str, value: str, bias: str, null: str) -> str:
        """Of [b, ATTENTION, t, part]; `bias` is added to the logits; `null` [ATTENTION, 1, part] is
        what is had by attending to nothing.
        """
        logits = self.op(
            "Mul", self.op("MatMul", query, key), self.number((WIDTH / ATTENTION) ** -0.5)
        )
        logits = self.op("Add", logits, bias)
        high = self.op("Relu", self.op("ReduceMax", logits, axes=[-1], keepdims=1))
        shares = self.op("Exp", self.op("Sub", logits, high))
        nothing = self.op("Exp", self.op("Neg", high))
        axes = self.constant(np.array([-1], np.int64))
        total = self.op("Add", self.op("ReduceSum", shares, axes, keepdims=1), nothing)
        found = self.op("Add", self.op("MatMul", shares, value), self.op("Mul", nothing, null))
        found = self.op("Transpose", self.op("Div", found, total), perm=[0, 2, 1, 3])
        return self.op("Reshape", found, self.constant(np.array([0, 0, WIDTH], np.int64)))


def _draw(g: _Graph) -> None:
    known = g.op("Unsqueeze", "known", g.constant(np.array([1, 2], np.int64)))
    unknown = g.op("Mul", g.op("Sub", known, g.number(1.0)), g.number(FAR))
    ages = np.arange(HISTORY)
    apart = (ages[:, None] - ages[None, :]).astype(np.float32)
    past = g.constant(np.where(apart < 0, -FAR, 0.0).astype(np.float32))
    fading = g.op("Mul", g.constant(np.maximum(apart, 0)), "self_decay")  # [ATTENTION, t, t]
    x = g.dense("history", "token")
    y = g.norm(x, "norm1")
    query, value = (g.heads(g.op("MatMul", y, f"self_{name}"), [0, 2, 1, 3]) for name in "qv")
    key = g.heads(g.op("MatMul", y, "self_k"), [0, 2, 3, 1])
    bias = g.op("Add", g.op("Sub", past, fading), unknown)
    found = g.attend(query, key, value, bias, "self_null")
    x = g.op("Add", x, g.op("MatMul", found, "self_o"))
    y = g.op("Relu", g.dense(g.norm(x, "norm2"), "wide"))
    x = g.op("Add", x, g.dense(y, "narrow"))

    y = g.norm(x, "norm3")
    key = g.heads(g.op("MatMul", y, "cross_k"), [0, 2, 3, 1])
    value = g.heads(g.op("MatMul", y, "cross_v"), [0, 2, 1, 3])
    scaled = g.op("Div", g.op("Sub", "features", "mean"), "spread")
    facts = g.op("Clip", scaled, g.number(-CLIP), g.number(CLIP))
    candidate = g.op("Relu", g.dense(g.op("Concat", "places", facts, axis=-1), "candidate"))
    query = g.heads(g.op("MatMul", candidate, "cross_q"), [0, 2, 1, 3])
    back = g.constant((HISTORY - 1 - ages).astype(np.float32)[None, None, :])
    bias = g.op("Sub", unknown, g.op("Mul", back, "cross_decay"))
    found = g.attend(query, key, value, bias, "cross_null")
    product = g.op("Mul", candidate, found)
    y = g.op("Concat", candidate, found, product, facts, axis=-1)
    y = g.op("Relu", g.dense(y, "head"))
    out = g.dense(y, "out")
    sizes = g.constant(np.array([BINS, len(HEADS)], np.int64))
    g.nodes.append(helper.make_node("Split", [out, sizes], list(OUTPUTS), name="nsplit", axis=-1))
