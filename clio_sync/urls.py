from __future__ import annotations

from django.urls import path

from clio_sync import views

app_name = "clio_sync"
urlpatterns = [
    path("", views.connections_page, name="connections"),
    path("connect/", views.connect, name="connect"),
    path("mine/", views.mine, name="mine"),
    path("mine/connect/", views.connect_mine, name="connect_mine"),
    path("callback", views.callback, name="callback"),
    path("<uuid:connection_id>/test/", views.test, name="test"),
    path("<uuid:connection_id>/reconnect/", views.reconnect, name="reconnect"),
    path("<uuid:connection_id>/default/", views.make_default, name="make_default"),
    path("<uuid:connection_id>/disconnect/", views.disconnect, name="disconnect"),
]
