"""The Merkle tree of RFC 6962, section 2.1: its hashes, its proofs, and how they are verified.

    leaf    SHA-256(0x00 || entry)
    node    SHA-256(0x01 || left || right)
    tree    of n leaves: the node over the first k and the rest, k the greatest power of two below n

A proof is a list of hashes of subtrees. Which subtrees, `inclusion` and `consistency` say as ranges
of leaves; a store of hashes answers each. The verifying side needs no tree; its two loops are those
of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256(b"").digest()  # the root of no leaves
LONGEST = 63  # hashes of a proof in a tree of fewer than 2**63 leaves
Range = tuple[int, int]  # leaves from the first number up to, and without, the second


class ProofError(Exception):
    """A proof that proves nothing; the message says what does not fit."""


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of leaves, or over hashes of equally high full subtrees."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0]


def fold(peaks: Iterable[bytes]) -> bytes:
    """The root over the full subtrees of a tree's right edge, greatest (leftmost) first."""
    root = b""
    for peak in reversed(list(peaks)):
        root = node_hash(peak, root) if root else peak
    return root or EMPTY


def split(start: int, end: int) -> int:
    """Where a tree over these leaves divides: the greatest power of two below its size."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion(index: int, size: int) -> list[Range]:
    """The subtrees whose hashes prove that a leaf is in a tree of this size, lowest first.

    Raises ValueError if there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    found: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = split(start, end)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency(old: int, size: int) -> list[Range]:
    """The subtrees whose hashes prove that a tree of `old` leaves is the beginning of one of `size`
    leaves. None when there is nothing to prove: `old` is 0, or the sizes are the same.

    Raises ValueError if the old tree is greater.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} is not the beginning of one of {size}")
    if old in (0, size):
        return []
    found: list[Range] = []
    start, end = 0, size
    while old < end:
        middle = split(start, end)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    if start:  # else the subtree is the old tree, whose root the verifier has
        found.append((start, end))
    return found[::-1]


def range_hash(subtree: Callable[[int, int], bytes], start: int, end: int) -> bytes:
    """The root over a range of leaves that a proof names. `subtree(height, index)` gives the root
    of the `index`-th full subtree of 2**height leaves.
    """
    return fold(subtree(height, index) for height, index in _full(start, end))


def _full(start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        height = (end - start).bit_length() - 1
        yield height, start >> height
        start += 1 << height


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises ProofError unless `proof` shows that the leaf with this hash is the `index`-th of the
    tree with this size and root.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} has no leaf {index}")
    found = leaf
    for step, on_the_left in _climb(index, size - 1, proof):
        found = node_hash(step, found) if on_the_left else node_hash(found, step)
    if found != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(
    old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Raises ProofError unless `proof` shows that the tree of `old` leaves with `old_root` is the
    beginning of the tree of `size` leaves with `root`.
    """
    if not 0 <= old <= size:
        raise ProofError(f"a tree of {old} is not the beginning of one of {size}")
    if old in (0, size):
        _verify_same(old, size, proof, old_root, root)
        return
    # Of a full old tree the proof does not repeat the root, which the verifier has.
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        raise ProofError("the proof is too short")
    shared = ((old - 1) ^ old).bit_length() - 1  # levels that both trees have whole
    before = after = steps[0]
    for step, on_the_left in _climb((old - 1) >> shared, (size - 1) >> shared, steps[1:]):
        if on_the_left:
            before, after = node_hash(step, before), node_hash(step, after)
        else:
            after = node_hash(after, step)
    if before != old_root:
        raise ProofError("the proof leads to another old root")
    if after != root:
        raise ProofError("the proof leads to another root")


def _verify_same(old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    """What is left to verify when the old tree is empty, or has the size of the new one."""
    if proof:
        raise ProofError("the proof is too long: there is nothing to prove")
    if old == size and old_root != root:
        raise ProofError("two roots for one size")
    if old == 0 and old_root != EMPTY:
        raise ProofError("the root of an empty tree is another")


def _climb(node: int, last: int, steps: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each step of a proof from a node to the root, and whether it stands to the left. `last`: the
    number of the last node on the same level. Raises ProofError if there are too few or too many.
    """
    for step in steps:
        if last == 0:
            raise ProofError("the proof is too long")
        on_the_left = bool(node & 1) or node == last
        while on_the_left and not node & 1 and node:
            node >>= 1
            last >>= 1
        node >>= 1
        last >>= 1
        yield step, on_the_left
    if last:
        raise ProofError("the proof is too short")
