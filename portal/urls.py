"""Every address of the site."""

from __future__ import annotations

from django.urls import include, path

from portal.design import design
from portal.health import healthz
from reviews.api import urls as api_urls

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("api/v1/", api_urls()),
    path("account/", include("portal.accounts.sign_in_urls")),
    path("design/", design, name="design"),
    path("", include("portal.accounts.urls")),
    path("log/", include("portal.audit.urls")),
    path("clio/", include("clio_sync.urls")),
    path("", include("reviews.urls")),
]

handler400 = "portal.errors.bad_request"
handler404 = "portal.errors.not_found"
handler500 = "portal.errors.server_error"
