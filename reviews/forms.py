"""What people send us about a draft."""

from __future__ import annotations

from typing import Any

from django import forms

from reviews.actions import Seen
from reviews.attestation import STATEMENTS
from reviews.intake import Provenance
from reviews.models import Decision
from reviews.words import LONGEST

LARGEST_ID = 2**63 - 1
NO_FILE = {"required": "Choose a file."}


class SeenForm(forms.Form):
    """The hidden part of every decision: which version, bytes and state of the draft was on the page."""

    version_id = forms.UUIDField(widget=forms.HiddenInput)
    sha256 = forms.RegexField(r"^[0-9a-f]{64}$", widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def seen(self) -> Seen:
        data = self.cleaned_data
        return Seen(version_id=data["version_id"], sha256=data["sha256"], revision=data["revision"])


class ApproveForm(SeenForm):
    agreed = forms.MultipleChoiceField(
        choices=[(statement.code, statement.text) for statement in STATEMENTS],
        widget=forms.CheckboxSelectMultiple,
        label="You state that",
        error_messages={"required": "Tick both statements to approve."},
    )

    def clean_agreed(self) -> list[str]:
        agreed: list[str] = self.cleaned_data["agreed"]
        if len(set(agreed)) < len(STATEMENTS):
            raise forms.ValidationError("Tick both statements to approve.")
        return agreed


class ReasonForm(SeenForm):
    reason_code = forms.ChoiceField(
        label="Reason",
        choices=[("", "Choose…"), *Decision.Reason.choices],
        error_messages={"required": "Choose the reason that fits best."},
    )
    reason = forms.CharField(
        label="What is wrong, and what should change?",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Say what is wrong: the submitter reads it."},
    )


class ProvenanceFields(forms.Form):
    """Which AI made the file. Either all four or none."""

    made_by_ai = forms.BooleanField(label="An AI made this, or part of it", required=False)
    tool = forms.CharField(label="Tool", max_length=LONGEST["tool"], required=False)
    model = forms.CharField(label="Model", max_length=LONGEST["model"], required=False)
    model_version = forms.CharField(
        label="Model version", max_length=LONGEST["model_version"], required=False
    )
    task = forms.CharField(
        label="What it was asked to do",
        max_length=LONGEST["task"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("made_by_ai"):
            for name in ("tool", "model", "model_version", "task"):
                if not data.get(name):
                    self.add_error(name, "Needed when an AI made this.")
        return data

    @property
    def provenance(self) -> Provenance | None:
        data = self.cleaned_data
        if not data["made_by_ai"]:
            return None
        return Provenance(
            tool=data["tool"], model=data["model"], version=data["model_version"], task=data["task"]
        )


class PlaceFields(forms.Form):
    """Where the draft should go."""

    matter_text = forms.CharField(label="Matter", max_length=200, required=False)
    matter_id = forms.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, widget=forms.HiddenInput
    )
    connection = forms.UUIDField(required=False)
    folder_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    folder_path = forms.CharField(label="New folder", max_length=LONGEST["folder_path"], required=False)
    category_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    document_id = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    version_of = forms.IntegerField(  # chosen where the form tells of one of the same name
        required=False, min_value=1, max_value=LARGEST_ID
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("matter_id") and not data.get("matter_text"):
            self.add_error("matter_text", "Choose the matter this belongs to.")
        return data

    @property
    def where(self) -> dict[str, Any]:
        """The fields of `places.Where`."""
        data = self.cleaned_data
        document_id = data["document_id"] or data["version_of"]
        return {
            "matter_id": data["matter_id"],
            "matter_number": "" if data["matter_id"] else data["matter_text"],
            "connection_id": data["connection"],
            # A new version goes where its document is, whatever else still stands in the form.
            "folder_id": None if document_id else data["folder_id"],
            "folder_path": "" if document_id else data["folder_path"],
            "category_id": data["category_id"],
            "document_id": document_id,
        }


class SubmitForm(PlaceFields, ProvenanceFields):
    file = forms.FileField(label="The file", allow_empty_file=True, error_messages=NO_FILE)
    title = forms.CharField(label="Title", max_length=LONGEST["title"], required=False)
    note = forms.CharField(
        label="Note to the reviewer",
        max_length=LONGEST["note"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class DestinationForm(PlaceFields):
    """Another place for a draft, and another name there."""

    file_name = forms.CharField(
        label="Name in Clio",
        max_length=LONGEST["file_name"],
        error_messages={"required": "Say how it is called in Clio."},
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)


class NamingForm(forms.Form):
    pattern = forms.CharField(label="Rule", max_length=200, required=False)


class VersionForm(ProvenanceFields):
    file = forms.FileField(label="The new version", allow_empty_file=True, error_messages=NO_FILE)
    revision = forms.IntegerField(widget=forms.HiddenInput)
    note = forms.CharField(
        label="What changed",
        max_length=LONGEST["note"],
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
