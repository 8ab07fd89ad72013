"""The page around a preview: alone in its frame, without script, without network, in our own type."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from reviews.preview.model import Preview

STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --paper: #ffffff; --quiet: #5b6570; --line: #d5dae0;
  --added: #0b6b3a; --added-bg: #e4f5ea; --gone: #a3242c; --gone-bg: #fbe9ea;
  --note: #7a4b00; --note-bg: #fdf3dc; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e6e8eb; --paper: #16191d; --quiet: #9aa5b1; --line: #363d45;
  --added: #7fdba6; --added-bg: #12301f; --gone: #ff9aa0; --gone-bg: #3a1619;
  --note: #f2c46d; --note-bg: #332609; } }
html { background: var(--paper); }
body { max-width: 68ch; margin: 0 auto; padding: 2rem 1.25rem 4rem; color: var(--ink);
  font: 17px/1.6 Georgia, "Iowan Old Style", "Times New Roman", serif; overflow-wrap: anywhere; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.6em 0 .5em; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; } h3 { font-size: 1.1rem; } h4, h5, h6 { font-size: 1rem; }
p, ul, ol, dl, table, pre, blockquote { margin: 0 0 1em; }
table { border-collapse: collapse; width: 100%; font-size: .95em; overflow-wrap: break-word; }
th, td { border: 1px solid var(--line); padding: .4em .6em; text-align: left; vertical-align: top; }
th p, td p { margin: 0 0 .4em; } th p:last-child, td p:last-child { margin-bottom: 0; }
pre { white-space: pre-wrap; font: 14px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
blockquote { border-left: 3px solid var(--line); padding-left: 1em; color: var(--quiet); }
sup, sub { line-height: 0; }
img { max-width: 100%; height: auto; }
a { color: inherit; text-decoration: underline; }
a[data-href]:not([data-href^="#"])::after {
  content: " (" attr(data-href) ")"; color: var(--quiet); font-size: .85em; }
hr { border: 0; border-top: 1px solid var(--line); margin: 2em 0; }
.cs-ins { color: var(--added); background: var(--added-bg); text-decoration: underline; }
.cs-del { color: var(--gone); background: var(--gone-bg); text-decoration: line-through; }
.cs-hidden { color: var(--note); background: var(--note-bg); border-bottom: 2px dotted currentColor; }
.cs-hidden::before { content: "hidden: "; font-size: .75em; }
.cs-number { font-variant-numeric: tabular-nums; }
.cs-level2 { margin-left: 2em; } .cs-level3 { margin-left: 4em; } .cs-level4 { margin-left: 6em; }
.cs-level5, .cs-level6, .cs-level7, .cs-level8, .cs-level9 { margin-left: 8em; }
.cs-part { border: 1px solid var(--line); border-radius: 6px; padding: .6em 1em 0; margin: 0 0 1.5em;
  font-size: .9em; }
.cs-part-title { font: 600 .8rem/1.3 system-ui, sans-serif; color: var(--quiet); margin: 0 0 .6em; }
.cs-notice { font: 15px/1.5 system-ui, sans-serif; color: var(--note); background: var(--note-bg);
  border-radius: 6px; padding: .6em 1em; }
@media print { body { max-width: none; } }
"""

STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

CONTENT_SECURITY_POLICY = (
    "sandbox; default-src 'none'; img-src data:; "
    f"style-src 'sha256-{STYLE_HASH}'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)

# For every answer that carries a preview; the policy replaces the site's own.
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Frame-Options": "SAMEORIGIN",
}


def page(preview: Preview, *, title: str, language: str = "en") -> str:
    """A whole HTML document. The title is escaped here; the preview's own HTML has been through the gate."""
    notices = "".join(f'<p class="cs-notice">{escape(note)}</p>' for note in preview.notes)
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{notices}\n{preview.html}\n</body></html>"
    )
