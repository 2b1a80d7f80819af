"""Keys: of the installation, of each person, and what it takes to exchange and destroy them.

    installation = Installation.load(folder, os.environ)      made at the first start
    keys = PersonKeys(folder, installation)
    kept = keys.encrypt("m7.1764", "contact", b"asha@example.in")
    keys.shred("m7.1764")                                     from now on: Shredded

The shape is envelope encryption (NIST SP 800-57 part 1, 6.2.2) with a key for each person; that
destroying a key erases every copy of what it encrypted is NIST SP 800-88's cryptographic erase.
"""

from __future__ import annotations

from jhalak.border.keys.backup import Restored, backup, restore
from jhalak.border.keys.errors import KeyMissing, KeyRefused, KeysAway, KeysError, Shredded
from jhalak.border.keys.installation import Installation
from jhalak.border.keys.people import PersonKeys
from jhalak.border.keys.rotation import Rotated
from jhalak.border.keys.transit import Service

__all__ = [
    "Installation",
    "KeyMissing",
    "KeyRefused",
    "KeysAway",
    "KeysError",
    "PersonKeys",
    "Restored",
    "Rotated",
    "Service",
    "Shredded",
    "backup",
    "restore",
]
