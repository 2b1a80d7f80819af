"""What other sites show of a public clip: OpenGraph's and schema.org's words for it."""

from __future__ import annotations

import json
from typing import Any

from django.utils.translation import gettext as _

from jhalak.people.middleware import Request
from jhalak.videos.cards import Card


def preview(request: Request, card: Card) -> dict[str, Any]:
    """Texts and absolute addresses for templates/preview.html. Only for what everybody may see."""
    here = request.build_absolute_uri
    by = card.author.name or f"@{card.author.handle}"
    title = (card.caption.splitlines() or [""])[0][:90] or _("A clip by %(name)s") % {"name": by}
    picture = here(card.poster.replace("poster.webp", "poster.jpg")) if card.poster else ""
    address = here(f"/v/{card.id}")
    data = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": title,
        "description": card.caption or title,
        "uploadDate": card.created.isoformat(),
        "duration": f"PT{max(1, round(card.duration_ms / 1000))}S",
        "contentUrl": here(card.src),
        "url": address,
        "author": {"@type": "Person", "name": by, "url": here(f"/@{card.author.handle}")},
        "interactionStatistic": {
            "@type": "InteractionCounter",
            "interactionType": {"@type": "WatchAction"},
            "userInteractionCount": card.counts["views"],
        },
    }
    if picture:
        data["thumbnailUrl"] = [picture]
    return {
        "title": title,
        "description": card.caption or title,
        "url": address,
        "image": picture,
        "video": here(card.src) if card.src.endswith(".mp4") else "",
        "width": card.width,
        "height": card.height,
        "json": script_safe(data),
    }


def script_safe(data: Any) -> str:
    """JSON that may stand in a <script>: nothing in it can end the element or begin a comment."""
    text = json.dumps(data, ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
