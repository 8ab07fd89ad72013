"""What an admin fills in about people and keys."""

from __future__ import annotations

from typing import Any

from django import forms

from portal.accounts.models import ApiKey, Role, User

ROLE_CHOICES = [
    (Role.REVIEWER, "Reviewer: reads, returns, rejects and approves drafts"),
    (Role.SUBMITTER, "Submitter: submits drafts and answers returned ones"),
    (Role.ADMIN, "Admin: people, API keys and Clio connections; opens no drafts"),
    (Role.COMPLIANCE, "Compliance: reads, verifies and exports the audit log"),
]


class DetailsForm(forms.Form):
    full_name = forms.CharField(
        label="Full name", max_length=120, help_text="As it should stand under an approval."
    )
    licence_number = forms.CharField(
        label="Licence number", max_length=40, required=False, help_text="Bar or licence number of a lawyer."
    )


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple, required=False, help_text="Any mix."
    )

    def chosen(self) -> set[Role]:
        return {Role(name) for name in self.cleaned_data["roles"]}


class AddPersonForm(RolesForm, DetailsForm):
    email = forms.EmailField(label="E-mail", help_text="They sign in with it. It cannot be changed later.")
    field_order = ["full_name", "email", "licence_number", "roles"]


class AddKeyForm(forms.Form):
    name = forms.CharField(
        label="Name",
        max_length=ApiKey._meta.get_field("name").max_length,
        help_text="What will use it, such as “Drafting assistant, litigation team”.",
    )
    owner = forms.ModelChoiceField(
        label="Submits for",
        queryset=User.objects.none(),
        empty_label="Choose a submitter",
        help_text="Drafts sent with the key are this person's, who then cannot approve them.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = submitters()  # type: ignore[attr-defined]


def submitters() -> Any:
    return User.objects.filter(is_active=True, grants__role=Role.SUBMITTER).order_by("full_name", "pk")
