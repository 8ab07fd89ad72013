"""The few pages a person sees: consent, the firm's matters, a matter's documents, one document.

They say plainly that this is a rehearsal. No inline script or style, so they can be as strict as ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from clio_sync.sandbox.state import Row

_RESOURCES = {"users": "Users", "matters": "Matters", "contacts": "Contacts", "documents": "Documents"}
_DETAILS = {
    "users": "names and e-mail addresses of people at the firm",
    "matters": "numbers, descriptions, clients and stages of matters you can see",
    "contacts": "names of clients and other contacts",
    "documents": "documents and folders of matters you can see",
}
_VERBS = {"read": "See", "write": "See, add, change and trash"}


def headers(*, form_action: str = "") -> tuple[tuple[str, str], ...]:
    """A browser follows the redirect after the form only to places named in ``form-action``."""
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {form_action}".strip()
    )
    return (
        ("Content-Security-Policy", policy),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    )


def _page(title: str, main: str, *, narrow: bool = False, script: bool = False) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Clio sandbox</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/sandbox.css">
{'<script src="/assets/nc.js" defer></script>' if script else ""}
</head>
<body>
<p class="banner"><strong>Sandbox.</strong> A rehearsal of Clio on this machine, with an invented firm. \
Nothing here reaches Clio.</p>
<main class="{"narrow" if narrow else "wide"}">
{main}
</main>
</body>
</html>
"""


def problem(title: str, reason: str) -> str:
    return _page(title, f"<h1>{escape(title)}</h1>\n<p>{escape(reason)}</p>", narrow=True)


def consent(
    *,
    app_name: str,
    firm: str,
    request_id: str,
    users: Sequence[Row],
    permissions: dict[str, str],
    redirect_host: str,
) -> str:
    people = "\n".join(_person(user, checked=place == 0) for place, user in enumerate(users))
    asks = "\n".join(_permission(resource, level) for resource, level in sorted(permissions.items()))
    return _page(
        f"Connect {app_name}",
        f"""<h1>Allow {escape(app_name)} to use this account?</h1>
<p class="account">Account <strong>{escape(firm)}</strong></p>
<form method="post" action="/oauth/authorize">
<input type="hidden" name="request" value="{escape(request_id)}">
<fieldset>
<legend>Sign in as</legend>
{people}
</fieldset>
<section aria-labelledby="asks">
<h2 id="asks">{escape(app_name)} asks to</h2>
<ul class="asks">
{asks}
</ul>
<p class="hint">It acts as the person chosen above and sees only what that person may see. \
You can take this back at any time. Afterwards you return to <strong>{escape(redirect_host)}</strong>.</p>
</section>
<div class="actions">
<button type="submit" name="decision" value="allow" class="primary">Allow</button>
<button type="submit" name="decision" value="decline">Decline</button>
</div>
</form>""",
        narrow=True,
    )


def _person(user: Row, *, checked: bool) -> str:
    kind = "Lawyer" if user["subscription_type"] == "Attorney" else "Staff"
    name, mark = escape(f"{user['first_name']} {user['last_name']}"), " checked" if checked else ""
    return (
        f'<label class="person"><input type="radio" name="user_id" value="{user["id"]}"{mark}>'
        f"<span><strong>{name}</strong> <small>{kind}, {escape(user['email'])}</small></span></label>"
    )


def _permission(resource: str, level: str) -> str:
    what = f"{_VERBS.get(level, level)} {_RESOURCES.get(resource, resource).lower()}"
    return f"<li><strong>{escape(what)}</strong> <small>{escape(_DETAILS.get(resource, ''))}</small></li>"


def home(*, firm: str, users: Sequence[Row], matters: Iterable[dict[str, Any]]) -> str:
    people = ", ".join(escape(f"{user['first_name']} {user['last_name']}") for user in users)
    rows = "\n".join(
        f'<tr><th scope="row"><a href="/matters/{matter["id"]}">{escape(matter["display_number"])}</a></th>'
        f"<td>{escape(matter['client'])}</td><td>{escape(matter['description'])}</td>"
        f'<td>{escape(matter["practice_area"])}</td><td><span class="tag {matter["status"].lower()}">'
        f'{matter["status"]}</span></td><td class="number">{matter["documents"]}</td></tr>'
        for matter in matters
    )
    return _page(
        firm,
        f"""<h1>{escape(firm)}</h1>
<p class="hint">People: {people}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Matters"><table>
<thead><tr><th scope="col">Matter</th><th scope="col">Client</th><th scope="col">Description</th>\
<th scope="col">Practice area</th><th scope="col">Status</th><th scope="col">Documents</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>""",
        script=True,
    )


def matter(*, firm: str, title: str, client: str, status: str, documents: Iterable[dict[str, Any]]) -> str:
    rows = "\n".join(_document_row(document) for document in documents)
    table = f"""<div class="scroll" tabindex="0" role="region" aria-label="Documents"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Folder</th><th scope="col">Version</th>\
<th scope="col">Size</th><th scope="col">By</th><th scope="col">Filed</th>\
<th scope="col">SHA-256</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>"""
    return _page(
        title,
        f"""<nav aria-label="Where you are"><a href="/">{escape(firm)}</a></nav>
<h1>{escape(title)}</h1>
<p class="account">{escape(client)} · <span class="tag {status.lower()}">{escape(status)}</span></p>
{table if rows else '<p class="hint">No documents yet.</p>'}""",
    )


def _document_row(document: dict[str, Any]) -> str:
    return (
        f'<tr><th scope="row"><a href="/documents/{document["id"]}">{escape(document["name"])}</a></th>'
        f'<td>{escape(document["folder"])}</td><td class="number">{document["version"]}</td>'
        f'<td class="number">{_size(document["size"])}</td><td>{escape(document["creator"])}</td>'
        f"<td>{escape(document['at'])}</td><td>{_hash(document['sha256'])}</td></tr>"
    )


def document(
    *, name: str, matter_id: int | None, matter_title: str, facts: dict[str, str], versions: Any
) -> str:
    link = f'<a href="/matters/{matter_id}">{escape(matter_title)}</a>' if matter_id else escape(matter_title)
    listed = "\n".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in facts.items())
    rows = "\n".join(
        f'<tr><th scope="row" class="number">{version["number"]}</th><td>{escape(version["filename"])}</td>'
        f'<td class="number">{_size(version["size"])}</td><td>{escape(version["creator"])}</td>'
        f'<td>{escape(version["at"])}</td><td><span class="tag {"open" if version["done"] else "pending"}">'
        f"{'Complete' if version['done'] else 'Uploading'}</span></td>"
        f"<td>{_hash(version['sha256'])}</td></tr>"
        for version in versions
    )
    return _page(
        name,
        f"""<nav aria-label="Where you are">{link}</nav>
<h1>{escape(name)}</h1>
<dl>
{listed}
</dl>
<h2>Versions</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Versions"><table>
<thead><tr><th scope="col">No.</th><th scope="col">File</th><th scope="col">Size</th><th scope="col">By</th>\
<th scope="col">Received</th><th scope="col">State</th><th scope="col">SHA-256</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>""",
    )


def _hash(sha256: str | None) -> str:
    return f"<code>{sha256}</code>" if sha256 else "-"


def _size(size: int | None) -> str:
    if size is None:
        return "-"
    for unit, step in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= step:
            return f"{size / step:.1f} {unit}"
    return f"{size} B"
