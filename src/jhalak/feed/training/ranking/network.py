"""Fits the network with torch (the extra "train"): one thread, a fixed order, so that the same
examples, seed and machine give the same weights. `graph` says the same as `_forward` in ONNX.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jhalak.feed.fairness import END
from jhalak.feed.ranker.layout import BINS, EDGES, HISTORY
from jhalak.feed.ranker.watch_time import exposure
from jhalak.feed.training.proposal import NoTorch
from jhalak.feed.training.ranking.examples import Examples
from jhalak.feed.training.ranking.shape import ATTENTION, CLIP, FAR, WIDTH, Weights, drawn

BATCH, EPOCHS, RATE = 256, 3, 2e-3
DECAY = 1e-3  # of weights, each step, times the rate


def fit(examples: Examples, seed: int) -> Weights:
    """Weights as `shape.shapes` names them. Raises NoTorch."""
    try:
        import torch
    except ImportError as error:
        raise NoTorch("training a ranker needs torch: install jhalak[train]") from error
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _fit(torch, examples, seed)
    finally:
        torch.set_num_threads(threads)


def _fit(torch: Any, examples: Examples, seed: int) -> Weights:
    begun = drawn(seed)
    begun["mean"] = examples.features.mean(0)
    begun["spread"] = np.maximum(examples.features.std(0), 1e-3)
    weights = {name: torch.tensor(array) for name, array in begun.items()}
    learnt = [weights[name] for name in sorted(weights) if name not in ("mean", "spread")]
    for tensor in learnt:
        tensor.requires_grad_(True)
    optimizer = torch.optim.AdamW(learnt, lr=RATE, weight_decay=DECAY, foreach=False)
    labels = _labels(examples)
    rng = np.random.default_rng(seed)
    steps = EPOCHS * max(1, len(examples.good) // BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: 1.0 - at / (steps + 1))
    for _ in range(EPOCHS):
        order = rng.permutation(len(examples.good))
        for start in range(0, max(1, len(order) - BATCH + 1), BATCH):
            rows = order[start : start + BATCH]
            given = (examples.history, examples.known, examples.places, examples.features)
            out = _forward(torch, weights, *(torch.from_numpy(one[rows]) for one in given))
            loss = _loss(torch, out, [torch.from_numpy(one[rows]) for one in labels])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learnt, 5.0, foreach=False)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                for name in ("self_decay", "cross_decay"):
                    weights[name].clamp_(min=0.0)
    return {name: tensor.detach().numpy().astype(np.float32) for name, tensor in weights.items()}


def _labels(examples: Examples) -> list[Any]:
    """Bins survived, the bin left in and how much of it there was, whether left, gestures."""
    end = END * examples.length_ms / 1000.0
    watched = examples.watched_ms / 1000.0
    left = ~(examples.finished | (watched >= end))
    at = np.clip(EDGES.searchsorted(watched, side="right") - 1, 0, BINS - 1)
    survived = exposure(np.where(left, EDGES[at], end))
    inside = np.zeros_like(survived)
    inside[np.arange(len(at)), at] = exposure(end)[np.arange(len(at)), at]
    return [
        survived.astype(np.float32),
        inside.astype(np.float32),
        left.astype(np.float32),
        examples.gestures,
    ]


def _loss(torch: Any, out: Any, labels: list[Any]) -> Any:
    survived, inside, left, gestures = labels
    hazard = torch.nn.functional.softplus(out[:, :BINS])
    stayed = (hazard * survived).sum(1)
    gone = -torch.log(-torch.expm1(-(hazard * inside).sum(1).clamp(min=1e-4)))
    watching = (stayed + left * gone).mean()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    return watching + entropy(out[:, BINS:], gestures, reduction="sum") / len(out)


def _forward(torch: Any, w: Any, history: Any, known: Any, places: Any, features: Any) -> Any:
    """[b, OUT] for one candidate each."""
    count, part = len(history), WIDTH // ATTENTION

    def norm(x: Any, name: str) -> Any:
        return torch.nn.functional.layer_norm(x, (WIDTH,), w[f"{name}_g"], w[f"{name}_b"])

    def heads(x: Any) -> Any:
        return x.reshape(count, -1, ATTENTION, part).transpose(1, 2)

    def attend(query: Any, key: Any, value: Any, bias: Any, null: Any) -> Any:
        logits = query @ key.transpose(2, 3) * part**-0.5 + bias
        high = logits.max(-1, keepdim=True).values.relu()
        shares, nothing = (logits - high).exp(), (-high).exp()
        found = (shares @ value + nothing * null) / (shares.sum(-1, keepdim=True) + nothing)
        return found.transpose(1, 2).reshape(count, -1, WIDTH)

    ages = torch.arange(HISTORY, dtype=torch.float32)
    apart = ages[:, None] - ages[None, :]
    unknown = (known[:, None, None, :] - 1.0) * FAR
    past = torch.where(apart < 0, -FAR, 0.0)
    x = history @ w["token_w"] + w["token_b"]
    y = norm(x, "norm1")
    bias = past - apart.clamp(min=0) * w["self_decay"] + unknown
    query, key, value = (heads(y @ w[f"self_{name}"]) for name in "qkv")
    x = x + attend(query, key, value, bias, w["self_null"]) @ w["self_o"]
    y = (norm(x, "norm2") @ w["wide_w"] + w["wide_b"]).relu()
    x = x + y @ w["narrow_w"] + w["narrow_b"]
    y = norm(x, "norm3")
    facts = ((features - w["mean"]) / w["spread"]).clamp(-CLIP, CLIP)
    candidate = (torch.cat([places, facts], 1) @ w["candidate_w"] + w["candidate_b"]).relu()
    bias = unknown - (HISTORY - 1 - ages) * w["cross_decay"]
    key, value = (heads(y @ w[f"cross_{name}"]) for name in "kv")
    query = heads((candidate @ w["cross_q"])[:, None])
    found = attend(query, key, value, bias, w["cross_null"])[:, 0]
    y = torch.cat([candidate, found, candidate * found, facts], 1)
    y = (y @ w["head_w"] + w["head_b"]).relu()
    return y @ w["out_w"] + w["out_b"]
