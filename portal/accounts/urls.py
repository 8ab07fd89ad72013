from __future__ import annotations

from django.urls import path

from portal.accounts import key_views, people_views, views

app_name = "accounts"
urlpatterns = [
    path("me/", views.me, name="me"),
    path("people/", people_views.index, name="people"),
    path("people/add/", people_views.add, name="add_person"),
    path("people/<int:user_id>/", people_views.person, name="person"),
    path("people/<int:user_id>/details/", people_views.change_details, name="change_details"),
    path("people/<int:user_id>/roles/", people_views.change_roles, name="change_roles"),
    path("people/<int:user_id>/off/", people_views.switch_off, name="switch_off"),
    path("people/<int:user_id>/on/", people_views.switch_on, name="switch_on"),
    path("people/<int:user_id>/invite/", people_views.invite, name="invite"),
    path("keys/", key_views.index, name="keys"),
    path("keys/add/", key_views.add, name="add_key"),
    path("keys/<uuid:key_id>/revoke/", key_views.revoke, name="revoke_key"),
]
