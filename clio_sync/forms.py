from __future__ import annotations

from django import forms

from clio_sync import regions
from clio_sync.models import Region


class ConnectForm(forms.Form):
    """Which of Clio's regions the firm's account is in; only regions that this portal has an app for."""

    region = forms.ChoiceField(
        choices=lambda: [(one.region.value, one.region.label) for one in regions.readiness() if one.is_ready],
        error_messages={
            "required": "Choose the region of your Clio account.",
            "invalid_choice": "This portal is not set up for that region. Choose one of those listed.",
        },
    )

    def chosen(self) -> Region:
        return Region(self.cleaned_data["region"])
