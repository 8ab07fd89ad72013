from __future__ import annotations

from django.urls import path

from portal.audit import views

app_name = "audit"
urlpatterns = [
    path("", views.log, name="log"),
    path("<int:seq>/", views.entry, name="entry"),
    path("check/", views.check, name="check"),
    path("export/", views.download, name="export"),
]
