"""Hashes and proofs of RFC 6962 against published vectors, against another implementation, and
against each other.
"""

from __future__ import annotations

import hashlib

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jhalak.border.log.hashing import (
    EMPTY,
    LONGEST,
    ProofError,
    consistency,
    inclusion,
    leaf_hash,
    range_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Leaves and roots of certificate-transparency's and transparency-dev/merkle's testonly package
# (testonly/constants.go: LeafInputs, RootHashes), used by every implementation since 2013.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def prove(hashes: list[bytes], ranges: list[tuple[int, int]]) -> list[bytes]:
    def subtree(height: int, index: int) -> bytes:
        return root_of(hashes[index << height : (index + 1) << height])

    return [range_hash(subtree, start, end) for start, end in ranges]


def test_the_published_roots() -> None:
    assert ROOTS[0] == EMPTY
    for size in range(9):
        assert root_of(HASHES[:size]) == ROOTS[size]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    # transparency-dev/merkle, proof/verify_test.go: inclusionProofs
    [
        (0, 1, []),
        (
            0,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            5,
            8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
    ],
)
def test_the_published_inclusion_proofs(index, size, proof) -> None:
    steps = [bytes.fromhex(step) for step in proof]
    assert prove(HASHES, inclusion(index, size)) == steps
    verify_inclusion(HASHES[index], index, size, steps, ROOTS[size])


@pytest.mark.parametrize(
    ("old", "size", "proof"),
    # transparency-dev/merkle, proof/verify_test.go: consistencyProofs
    [
        (1, 1, []),
        (
            1,
            8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ],
        ),
        (
            6,
            8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ],
        ),
        (
            2,
            5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ],
        ),
    ],
)
def test_the_published_consistency_proofs(old, size, proof) -> None:
    steps = [bytes.fromhex(step) for step in proof]
    assert prove(HASHES, consistency(old, size)) == steps
    verify_consistency(old, size, steps, ROOTS[old], ROOTS[size])


def numbered(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


@given(st.integers(1, 300), st.data())
def test_every_proof_verifies_and_none_proves_anything_else(size, data) -> None:
    hashes = numbered(size)
    root = root_of(hashes)
    index = data.draw(st.integers(0, size - 1))
    proof = prove(hashes, inclusion(index, size))
    assert len(proof) <= LONGEST
    verify_inclusion(hashes[index], index, size, proof, root)
    old = data.draw(st.integers(0, size))
    steps = prove(hashes, consistency(old, size))
    verify_consistency(old, size, steps, root_of(hashes[:old]), root)

    other = hashlib.sha256(b"other").digest()
    for false in (
        lambda: verify_inclusion(other, index, size, proof, root),
        lambda: verify_inclusion(hashes[index], index, size, proof, other),
        lambda: verify_inclusion(hashes[index], index, size, [*proof, other], root),
        lambda: verify_inclusion(hashes[index], size, size, proof, root),
        lambda: verify_consistency(old, size, steps, other, root),
        lambda: verify_consistency(old, size, [*steps, other], root_of(hashes[:old]), root),
        lambda: verify_consistency(size + 1, size, steps, root_of(hashes[:old]), root),
    ):
        with pytest.raises(ProofError):
            false()
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        with pytest.raises(ProofError):
            verify_inclusion(hashes[index], index, size, [*proof[:at], *proof[at + 1 :]], root)
        changed = [*proof[:at], other, *proof[at + 1 :]]
        with pytest.raises(ProofError):
            verify_inclusion(hashes[index], index, size, changed, root)
    if steps:
        at = data.draw(st.integers(0, len(steps) - 1))
        changed = [*steps[:at], other, *steps[at + 1 :]]
        with pytest.raises(ProofError):
            verify_consistency(old, size, changed, root_of(hashes[:old]), root)
        with pytest.raises(ProofError):
            verify_consistency(
                old, size, [*steps[:at], *steps[at + 1 :]], root_of(hashes[:old]), root
            )


@given(
    st.integers(-1, 70),
    st.integers(-1, 70),
    st.lists(st.binary(min_size=32, max_size=32), max_size=8),
    st.binary(min_size=32, max_size=32),
)
def test_no_made_up_proof_verifies(one, size, proof, root) -> None:
    with pytest.raises(ProofError):
        verify_inclusion(leaf_hash(b"x"), one, size, proof, root)
    if not (one == 0 and size > 0) and one != size:
        with pytest.raises(ProofError):
            verify_consistency(one, size, proof, leaf_hash(b"x"), root)


@given(st.integers(1, 80), st.data())
def test_another_implementation_says_the_same(size, data) -> None:
    """pymerkle's tree and proofs (RFC 9162, whose hashing is that of RFC 6962)."""
    oracle = pymerkle.InmemoryTree(algorithm="sha256")
    for number in range(size):
        oracle.append_entry(b"%d" % number)
    hashes = numbered(size)
    assert oracle.get_root(size) == root_of(hashes)
    index = data.draw(st.integers(0, size - 1))
    theirs = set(oracle.prove_inclusion(index + 1, size).path)
    assert theirs == {hashes[index], *prove(hashes, inclusion(index, size))}
    for old in range(1, size):
        assert oracle.get_root(old) == root_of(hashes[:old])
