"""Handles: what they look like, and which are kept for the house.

The kept ones would let somebody speak as the operator, or read like an address of ours.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

from jhalak.people.models import HANDLE_PATTERN
from jhalak.problems import Invalid

_SHAPE = re.compile(HANDLE_PATTERN)

_WORDS = """
about abuse account admin administrator ads anonymous api app appeals audit auditor bot ceo
channel channels contact copyright creator creators demo discover everyone feed follow followers
following government govt grievance guest healthz help home inbox india info jhalak
jhalak_official jhalak_team jhalakapp jhlk law legal login logout manifest me media moderation
moderator moderators news null official officer offline operator operators police policy
postmaster privacy profile register report root rules safety saved search security seal service
settings share signin signup site staff static status studio sudo support sw system tag tags
team terms trust undefined upload user users verified verify video videos viewer webmaster www
"""
RESERVED = frozenset(_WORDS.split())


def check_handle(handle: str, *, reserved: bool = False) -> str:
    """The handle as it is kept (no "@", lower case). `reserved`: the operator may give those out.

    Raises Invalid.
    """
    handle = handle.strip().removeprefix("@").lower()
    if not _SHAPE.fullmatch(handle):
        raise Invalid(
            "bad_handle",
            _(
                "A handle has 3 to 30 letters a-z, digits, _ or . "
                "and does not start or end with a dot."
            ),
            field="handle",
        )
    if not reserved and re.sub(r"[._]", "", handle) in _BARE_RESERVED:
        raise taken()
    return handle


def taken() -> Invalid:
    return Invalid("handle_taken", _("This handle is taken. Choose another one."), field="handle")


_BARE_RESERVED = frozenset(re.sub(r"[._]", "", word) for word in RESERVED)
