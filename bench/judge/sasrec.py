"""SASRec, trained here: the baseline that reads the order in which things were liked.

Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018: a causal transformer over the
items so far, whose output is compared with the items' own embeddings. Trained by sampled softmax
over all items (shared negatives, log-Q corrected: Yi et al., RecSys 2019) and not by one negative
for each positive: that alone makes it level with BERT4Rec (Klenitskiy and Vasilev, RecSys 2023). Of
the paper's blocks one thing differs, LayerNorm comes first (pre-LN, Xiong et al., ICML 2020).

Filled up to the right: a causal net never looks there, so that nothing has to be masked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

CHUNK = 16  # batches that are sorted by length together, so that little is filled up


class Settings(NamedTuple):
    size: int = 64
    blocks: int = 2
    heads: int = 2
    dropout: float = 0.5
    length: int = 50  # items that are looked at, the last ones
    negatives: int = 512
    batch: int = 256
    rate: float = 1e-3
    epochs: int = 30
    shuffled: bool = False  # lines have no order: one is drawn anew in each epoch
    seed: int = 1


class _Block(nn.Module):
    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.before, self.between = nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.inner, self.outer = nn.Linear(size, size), nn.Linear(size, size)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        lines, length, size = x.shape
        shape = (lines, length, 3, self.heads, size // self.heads)
        query, key, value = self.qkv(self.before(x)).view(shape).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, dropout_p=self.dropout if self.training else 0.0
        )
        x = x + self.drop(self.out(seen.transpose(1, 2).reshape(lines, length, size)))
        return x + self.drop(self.outer(self.drop(functional.gelu(self.inner(self.between(x))))))


class Net(nn.Module):
    """Item `n_items` stands before each line and after its end."""

    def __init__(self, n_items: int, settings: Settings) -> None:
        super().__init__()
        self.n_items, self.settings = n_items, settings
        self.items = nn.Embedding(n_items + 1, settings.size)
        self.places = nn.Embedding(settings.length + 1, settings.size)
        for table in (self.items, self.places):
            nn.init.normal_(table.weight, std=0.02)
        self.blocks = nn.Sequential(
            *[
                _Block(settings.size, settings.heads, settings.dropout)
                for _ in range(settings.blocks)
            ]
        )
        self.drop, self.last = nn.Dropout(settings.dropout), nn.LayerNorm(settings.size)

    def forward(self, x: Tensor) -> Tensor:
        """float[line, place, size] of int[line, place]: where what comes next lies."""
        places = self.places(torch.arange(x.shape[1]))
        return self.last(self.blocks(self.drop(self.items(x) * self.settings.size**0.5 + places)))


class SasRec:
    """A trained net. `seconds`: what its training took."""

    def __init__(self, net: Net, seconds: float) -> None:
        self._net, self.seconds = net, seconds

    @classmethod
    def train(cls, lines: Sequence[NDArray[np.int64]], n_items: int, settings: Settings) -> Self:
        """On one thread; the same lines and settings give the same net."""
        *_, last = cls.epochs(lines, n_items, settings)
        return last

    @classmethod
    def epochs(
        cls, lines: Sequence[NDArray[np.int64]], n_items: int, settings: Settings
    ) -> Iterator[Self]:
        """After each epoch, the same net as it is by then."""
        torch.set_num_threads(1)
        torch.manual_seed(settings.seed)
        rng = np.random.default_rng(settings.seed)
        net = Net(n_items, settings)
        descent = torch.optim.Adam(net.parameters(), settings.rate, betas=(0.9, 0.98))
        began = time.monotonic()
        lines = [line for line in lines if len(line)]
        for _ in range(settings.epochs):
            net.train()
            for batch in _batches(lines, rng, settings, n_items):
                descent.zero_grad()
                _loss(net, batch, rng).backward()  # type: ignore[no-untyped-call]
                descent.step()
            net.eval()
            yield cls(net, time.monotonic() - began)

    @torch.no_grad()
    def ahead(self, lines: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """float32[line, size]: where what comes next after these lies."""
        settings, end = self._net.settings, self._net.n_items
        x, used = _filled([line[-settings.length :] for line in lines], end)
        found = self._net(torch.from_numpy(x))[torch.arange(len(lines)), torch.from_numpy(used)]
        return np.asarray(found.numpy(), np.float32)

    @property
    def items(self) -> NDArray[np.float32]:
        """float32[item, size]."""
        return np.asarray(self._net.items.weight.detach().numpy()[:-1], np.float32)


def _filled(
    lines: Sequence[Sequence[int] | NDArray[np.int64]], end: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """int[line, place], with `end` before and after each line, and where each line's last is."""
    used = np.array([len(line) for line in lines], np.int64)
    x = np.full((len(lines), int(used.max(initial=0)) + 1), end, np.int64)
    for row, line in enumerate(lines):
        x[row, 1 : len(line) + 1] = line
    return x, used


def _batches(
    lines: Sequence[NDArray[np.int64]],
    rng: np.random.Generator,
    settings: Settings,
    end: int,
) -> Iterator[tuple[Tensor, Tensor]]:
    """What is read, and what comes next at each place (`end` where nothing does)."""
    length, size = settings.length, settings.batch
    order = rng.permutation(len(lines))
    for start in range(0, len(order), size * CHUNK):
        chunk = order[start : start + size * CHUNK]
        chunk = chunk[np.argsort([len(lines[row]) for row in chunk], kind="stable")]
        cuts = [chunk[at : at + size] for at in range(0, len(chunk), size)]
        for at in rng.permutation(len(cuts)):
            some = [
                rng.permutation(lines[row])[: length + 1]
                if settings.shuffled
                else lines[row][-length - 1 :]
                for row in cuts[at]
            ]
            x, _ = _filled(some, end)
            yield torch.from_numpy(x[:, :-1]), torch.from_numpy(x[:, 1:])


def _loss(net: Net, batch: tuple[Tensor, Tensor], rng: np.random.Generator) -> Tensor:
    """Cross entropy of what came next against shared, evenly drawn negatives, each of which stands
    for as many items as were not drawn.
    """
    read, wanted = batch
    n_items, negatives = net.n_items, net.settings.negatives
    known = wanted != n_items
    ahead, target = net(read)[known], wanted[known]
    drawn = torch.from_numpy(rng.integers(0, n_items, negatives))
    right = (ahead * net.items(target)).sum(1, keepdim=True)
    wrong = ahead @ net.items(drawn).T + float(np.log(n_items / negatives))
    wrong = wrong.masked_fill(drawn[None] == target[:, None], -torch.inf)
    zeros = torch.zeros(len(target), dtype=torch.long)
    return functional.cross_entropy(torch.cat([right, wrong], 1), zeros)
