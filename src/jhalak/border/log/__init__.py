"""The log: an append-only Merkle tree over what happened at the border.

Hashing is that of Certificate Transparency (RFC 6962, section 2.1); files, checkpoints and
cosignatures are those of the C2SP specifications (tlog-tiles, tlog-checkpoint, signed-note,
tlog-cosignature, tlog-witness), so that anybody's tools can read and witness it.
"""
