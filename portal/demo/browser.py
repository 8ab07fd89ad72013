"""A person at a plain browser without scripts: keeps cookies, follows redirects, fills in forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx

Pairs = list[tuple[str, str]]
Files = Mapping[str, tuple[str, bytes, str]]


class Unexpected(Exception):
    """The page is not what the person came for; says which page and what was missing."""


@dataclass
class Form:
    action: str
    method: str
    fields: Pairs = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)  # checkboxes, radios, selects, buttons
    is_multipart: bool = False

    def has(self, name: str, value: str | None = None) -> bool:
        if value is not None:
            return (name, value) in self.fields or value in self.choices.get(name, [])
        return name in self.choices or any(name == known for known, _ in self.fields)

    def filled(self, values: Mapping[str, str | Sequence[str]]) -> dict[str, str | list[str]]:
        """What would be sent: the form as it stands, with these values in place of its own."""
        sent: dict[str, list[str]] = {}
        for name, value in self.fields:
            sent.setdefault(name, []).append(value)
        for name, given in values.items():
            sent[name] = [given] if isinstance(given, str) else list(given)
        return {name: found[0] if len(found) == 1 else found for name, found in sent.items()}


@dataclass(frozen=True)
class Page:
    address: str
    status: int
    text: str
    forms: list[Form]
    links: list[str]

    def form(self, having: str, value: str | None = None, *, action: str = "") -> Form:
        """The form with this field or button. Raises Unexpected with what the page says instead."""
        for form in self.forms:
            if form.has(having, value) and action in form.action:
                return form
        raise Unexpected(f"{self.address} ({self.status}) has no form with {having!r}: {self.words()[:600]}")

    def form_to(self, action: str) -> Form:
        """The form that posts to an address containing this."""
        for form in self.forms:
            if action in form.action and form.method == "post":
                return form
        raise Unexpected(f"{self.address} ({self.status}) has no form to {action!r}: {self.words()[:600]}")

    def words(self) -> str:
        """The page as its reader meets it: text alone."""
        reader = _Words()
        reader.feed(self.text)
        return " ".join(" ".join(reader.words).split())


class Browser:
    """One person's browser. `with Browser(site) as alice:` closes it at the end."""

    def __init__(self, site: str) -> None:
        self._client = httpx.Client(base_url=site, follow_redirects=True, timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def open(self, address: str) -> Page:
        return read(self._client.get(address))

    def submit(
        self,
        page: Page,
        form: Form,
        values: Mapping[str, str | Sequence[str]] | None = None,
        *,
        files: Files | None = None,
    ) -> Page:
        address = urljoin(page.address, form.action)
        data = form.filled(values or {})
        if form.method == "get":
            return read(self._client.get(address, params=data))
        return read(self._client.post(address, data=data, files=files))

    def sign_in(self, email: str, password: str) -> Page:
        page = self.open("/account/login/")
        arrived = self.submit(page, page.form("login"), {"login": email, "password": password})
        if "/account/login" in arrived.address:
            raise Unexpected(f"{email} cannot sign in: {arrived.words()[:600]}")
        return arrived


def read(answer: httpx.Response) -> Page:
    """The page in an answer. Raises Unexpected for a server error."""
    reader = _Forms()
    if "html" in answer.headers.get("content-type", ""):
        reader.feed(answer.text)
    page = Page(str(answer.url), answer.status_code, answer.text, reader.forms, reader.links)
    if answer.status_code >= 500:
        raise Unexpected(f"{page.address} answered {page.status}: {page.words()[:600]}")
    return page


class _Forms(HTMLParser):
    """Collects the forms of a page, with the values a browser would send untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self._form.is_multipart = "multipart" in given.get("enctype", "")
            self.forms.append(self._form)
        elif self._form is not None and "disabled" not in given:
            self._control(self._form, tag, given, is_on="checked" in given or "selected" in given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "select" and self._form is not None:
            self._first_option(self._form, self._select)

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._textarea is not None:
            self._form.fields = [
                (name, data.removeprefix("\n") if name == self._textarea else value)
                for name, value in self._form.fields
            ]

    def _control(self, form: Form, tag: str, given: dict[str, str], *, is_on: bool) -> None:
        name, value = given.get("name", ""), given.get("value", "")
        match tag:
            case "select":
                self._select = name
                form.choices.setdefault(name, [])
            case "option":
                self._choice(form, self._select, value, is_on=is_on)
            case "textarea":
                self._textarea = name
                form.fields.append((name, ""))
            case "button":
                form.choices.setdefault(name, []).append(value)
            case "input":
                self._input(form, given.get("type", "text"), name, value, is_on=is_on)

    def _input(self, form: Form, kind: str, name: str, value: str, *, is_on: bool) -> None:
        if kind in {"checkbox", "radio"}:
            self._choice(form, name, value or "on", is_on=is_on)
        elif kind in {"submit", "button", "image", "reset"}:
            form.choices.setdefault(name, []).append(value)
        elif kind == "file":
            form.choices.setdefault(name, [])
        elif name:
            form.fields.append((name, value))

    @staticmethod
    def _first_option(form: Form, name: str) -> None:
        """A select always sends something: its first option, when none is chosen."""
        options = form.choices.get(name, [])
        if options and not any(name == known for known, _ in form.fields):
            form.fields.append((name, options[0]))

    @staticmethod
    def _choice(form: Form, name: str, value: str, *, is_on: bool) -> None:
        form.choices.setdefault(name, []).append(value)
        if is_on:
            form.fields.append((name, value))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in {"head", "script", "style", "template"}

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in {"head", "script", "style", "template"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words.append(data)
