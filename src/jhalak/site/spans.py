"""The filter `span`: seconds as somebody says them, 34 min and 9 h in place of 33607 s."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def span(seconds: float) -> str:
    """In the largest unit of which there are two or more; rounded down. Below 0: as 0."""
    whole = max(0, int(seconds))
    if whole < 120:
        return _("%(n)d s") % {"n": whole}
    if whole < 7200:
        return _("%(n)d min") % {"n": whole // 60}
    if whole < 172_800:
        return _("%(n)d h") % {"n": whole // 3600}
    return _("%(n)d days") % {"n": whole // 86_400}
