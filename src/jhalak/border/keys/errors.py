"""What can go wrong with keys.

KeysError
├── KeyMissing   the installation key is not where it should be
├── KeyRefused   a key that is not this installation's, or bytes that were altered
├── Shredded     the person's key was destroyed: what it encrypted is gone for good
└── KeysAway     the key service or the file of keys cannot be reached now: try again
"""

from __future__ import annotations


class KeysError(Exception):
    """Base of everything below."""


class KeyMissing(KeysError):
    pass


class KeyRefused(KeysError):
    pass


class Shredded(KeysError):
    pass


class KeysAway(KeysError):
    pass
