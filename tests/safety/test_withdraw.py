"""Withdrawing a video: who may, what it does at once, and that it can be undone."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from jhalak.border.log.entries import Kind, read_entry
from jhalak.records.models import AuditEntry, LedgerEntry
from tests.factories import browser, person, video

pytestmark = pytest.mark.django_db(transaction=True)


def post(client: Client, path: str, reason: object) -> int:
    answer = client.post(path, json.dumps({"reason": reason}), content_type="application/json")
    return answer.status_code


def test_withdraw_and_restore() -> None:
    author, moderator = person(), person(role="moderator")
    made = video(author)
    path = f"/api/videos/{made.public_id}"
    guest, staff = browser(), browser(moderator)
    assert len(guest.get("/api/feed").json()["items"]) == 1

    assert post(browser(), f"{path}/withdraw", "x") == 401
    assert post(browser(author), f"{path}/withdraw", "x") == 403
    assert post(staff, f"{path}/withdraw", "  \u200b ") == 422
    assert post(staff, f"{path}/withdraw", "x" * 301) == 422
    assert post(staff, f"{path}/withdraw", "Shows a number plate.") == 204
    assert post(staff, f"{path}/withdraw", "Again.") == 409

    assert guest.get("/api/feed").json()["items"] == []
    assert guest.get(path).status_code == 404
    assert guest.get(f"/media/{made.public_id}/720.mp4").status_code == 404
    assert guest.get(f"/media/{made.public_id}/poster.webp").status_code == 404
    shown = browser(author).get("/api/me/videos").json()["items"][0]
    assert "number plate" in json.dumps(shown)

    assert post(staff, f"{path}/restore", "The plate was the author's own.") == 204
    assert post(staff, f"{path}/restore", "Again.") == 409
    assert len(guest.get("/api/feed").json()["items"]) == 1
    acts = list(AuditEntry.objects.order_by("pk").values_list("action", "actor_id"))
    assert acts[-2:] == [("video.withdraw", moderator.pk), ("video.restore", moderator.pk)]
    told = [read_entry(bytes(one.leaf)) for one in LedgerEntry.objects.order_by("pk")]
    assert [(one.kind, one.body) for one in told if one.kind is Kind.TAKEDOWN] == [
        (Kind.TAKEDOWN, {"video": made.public_id, "done": done, "role": "moderator"})
        for done in ("withdrawn", "restored")
    ]
