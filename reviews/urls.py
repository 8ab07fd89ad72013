"""The addresses of the reviews."""

from __future__ import annotations

from django.urls import path

from reviews.views import (
    choosing,
    content,
    decide,
    destination,
    naming,
    queue,
    receipt,
    review,
    stuck,
    submit,
)

app_name = "reviews"
urlpatterns = [
    path("", queue.home, name="queue"),
    path("needs-you/", stuck.page, name="stuck"),
    path("needs-you/try-again/", stuck.try_again, name="try_again"),
    path("settings/file-names/", naming.naming, name="naming"),
    path("drafts/new/", submit.submit, name="submit"),
    path("drafts/new/matters/", choosing.matter_options, name="matter_options"),
    path("drafts/new/documents/", choosing.document_options, name="document_options"),
    path("drafts/new/name/", choosing.filed_as, name="filed_as"),
    path("drafts/new/places/", choosing.places, name="places"),
    path("drafts/<uuid:draft_id>/", review.draft, name="draft"),
    path("drafts/<uuid:draft_id>/filing/", review.filing, name="filing"),
    path("drafts/<uuid:draft_id>/receipt/", receipt.page, name="receipt"),
    path("drafts/<uuid:draft_id>/receipt.pdf", receipt.pdf, name="receipt_pdf"),
    path("drafts/<uuid:draft_id>/approve/", decide.approve, name="approve"),
    path("drafts/<uuid:draft_id>/return/", decide.return_for_changes, name="return"),
    path("drafts/<uuid:draft_id>/reject/", decide.reject, name="reject"),
    path("drafts/<uuid:draft_id>/undo/", decide.undo, name="undo"),
    path("drafts/<uuid:draft_id>/take-back/", decide.take_back, name="take_back"),
    path("drafts/<uuid:draft_id>/claim/", decide.claim, name="claim"),
    path("drafts/<uuid:draft_id>/release/", decide.release, name="release"),
    path("drafts/<uuid:draft_id>/withdraw/", decide.withdraw, name="withdraw"),
    path("drafts/<uuid:draft_id>/namesakes/", destination.namesakes, name="namesakes"),
    path("drafts/<uuid:draft_id>/destination/", destination.destination, name="destination"),
    path("drafts/<uuid:draft_id>/retry/", decide.retry, name="retry"),
    path("drafts/<uuid:draft_id>/cancel/", decide.cancel, name="cancel"),
    path("drafts/<uuid:draft_id>/choose/", decide.choose, name="choose"),
    path("drafts/<uuid:draft_id>/versions/", submit.new_version, name="new_version"),
    path("drafts/<uuid:draft_id>/v<int:number>/preview/", content.preview, name="preview"),
    path("drafts/<uuid:draft_id>/v<int:number>/page/<int:page>.png", content.page_image, name="page"),
    path("drafts/<uuid:draft_id>/v<int:number>/download/", content.download, name="download"),
    path("drafts/<uuid:draft_id>/compare/<int:older>/<int:newer>/", content.compare, name="compare"),
]
