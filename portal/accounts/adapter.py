"""What we change of allauth: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Admins add people; the sign-up page says so."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
