"""Every address of the site: API, media, pages."""

from __future__ import annotations

from django.urls import include, path

from jhalak.site.api import api
from jhalak.site.border_audit import audit_urls
from jhalak.site.border_page import border_urls
from jhalak.site.code_pages import code_urls
from jhalak.site.experiment_pages import experiment_urls
from jhalak.site.health import healthz
from jhalak.site.ledger_pages import ledger_urls
from jhalak.site.operator_pages import operator_urls
from jhalak.site.pages import page_urls
from jhalak.videos.urls import urlpatterns as media_urls

urlpatterns = [
    path("healthz", healthz),
    path("api/", api.urls),
    path("media/", include(media_urls)),
    *page_urls,
    *code_urls,
    *border_urls,
    *operator_urls,
    *experiment_urls,
    *ledger_urls,
    *audit_urls,
]
handler400 = "jhalak.site.errors.bad_request"
handler403 = "jhalak.site.errors.forbidden"
handler404 = "jhalak.site.errors.not_found"
handler500 = "jhalak.site.errors.defect"
