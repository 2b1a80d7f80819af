"""Names of tables and of ways to end, as a person reads them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jhalak.border.data_map import Erasure
from jhalak.rights.walking import Planned

THINGS: dict[str, Promise] = {
    "Person": gettext_lazy("Your account and profile"),
    "Session": gettext_lazy("Where you are logged in"),
    "Follow": gettext_lazy("Whom you follow, and who follows you"),
    "Block": gettext_lazy("Blocks"),
    "Upload": gettext_lazy("Uploads under way"),
    "Video": gettext_lazy("Your clips"),
    "Caption": gettext_lazy("Captions of your clips"),
    "VideoTag": gettext_lazy("Tags of your clips"),
    "Rendition": gettext_lazy("Versions of your clips"),
    "Piece": gettext_lazy("Parts of clips that are being made"),
    "Sound": gettext_lazy("Sounds of your clips"),
    "SoundWord": gettext_lazy("Words by which sounds are found"),
    "Like": gettext_lazy("Likes"),
    "Save": gettext_lazy("Saved clips"),
    "Share": gettext_lazy("Shares"),
    "AuditEntry": gettext_lazy("The record of what was done with your account"),
    "Job": gettext_lazy("Work done for you"),
    "Download": gettext_lazy("Downloads that you asked for"),
    "people/": gettext_lazy("Your pictures"),
    "videos/": gettext_lazy("Files of your clips"),
    "originals/": gettext_lazy("The originals that you uploaded"),
    "downloads/": gettext_lazy("Files of your downloads"),
    "events": gettext_lazy("What the feed noticed about you"),
}


def thing_words(name: str) -> str:
    return str(THINGS.get(name, name))


def erasure_words(one: Planned) -> str:
    match one.erasure:
        case Erasure.ANONYMISE:
            return _("stays, and points to nobody")
        case Erasure.KEEP_UNTIL:
            days = ngettext("%(n)d day", "%(n)d days", one.keep_days) % {"n": one.keep_days}
            return _("the law has us keep it for %(days)s: encrypted, out of reach") % {
                "days": days
            }
        case _:
            return _("is deleted")
