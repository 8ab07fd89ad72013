from __future__ import annotations

from django.urls import URLPattern

app_name = "clio_sync"
urlpatterns: list[URLPattern] = []
