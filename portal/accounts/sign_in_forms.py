"""The sign-in library's forms in our words: a label says what a field is, a placeholder never does."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth


class Plain:
    """Takes the placeholders out, and the help that the pages say themselves."""

    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            if field.label == "Password":
                field.help_text = ""


class SignIn(Plain, allauth.LoginForm):  # type: ignore[misc]
    pass


class Confirm(Plain, allauth.ReauthenticateForm):  # type: ignore[misc]
    pass


class ForgotPassword(Plain, allauth.ResetPasswordForm):  # type: ignore[misc]
    pass


class ChoosePassword(Plain, allauth.ResetPasswordKeyForm):  # type: ignore[misc]
    pass


class ChangePassword(Plain, allauth.ChangePasswordForm):  # type: ignore[misc]
    pass
