"""Which file names may come in. A name is part of what is approved, so a bad one is refused, not cleaned."""

from __future__ import annotations

import re
import unicodedata

from reviews.formats.report import Finding, FindingCode, Reason, Refused

MAX_NAME_BYTES = 200

_FORBIDDEN = '\\/:*?"<>|'
_DOS_NAMES = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU")


def composed(name: str) -> str:
    """The name with accented letters in one piece, as a Mac may not have sent it. For intake, before
    `check_name`.
    """
    return unicodedata.normalize("NFC", name)


def check_name(name: str) -> tuple[Finding, ...]:
    """Refuse a name that could mislead a reader or a computer; warn of one that looks like another."""
    for trouble in (_empty, _controls, _shape, _reserved, _length):
        sentence = trouble(name)
        if sentence:
            raise Refused(Reason.NAME, sentence)
    return _confusable(name)


def _empty(name: str) -> str | None:
    if not name.strip(" .\u3000"):
        return "The file has no name. Give it a name that ends in .docx, .pdf, .md, .txt or .html."
    return None


def _controls(name: str) -> str | None:
    for position, character in enumerate(name, start=1):
        what = what_is_wrong_with(character)
        if what:
            return f"The file name contains {what} (character {position}). Rename the file and send it again."
    return None


def what_is_wrong_with(character: str) -> str | None:  # noqa: PLR0911
    """Why a name may not hold this character, as `contains ...`; None when it may."""
    code = f"U+{ord(character):04X}"
    category = unicodedata.category(character)
    if character in _DIRECTION:
        return f"a character that changes the reading direction, {code}, which can disguise what the file is"
    if character in _FORBIDDEN:
        return f"the character {character}, which is not allowed in file names"
    if category in {"Cc", "Zl", "Zp"}:
        return f"a control character, {code}"
    if (
        category == "Cf"
        or (category == "Mn" and 0xFE00 <= ord(character) <= 0xFE0E)
        or _is_blank_letter(character)
    ):
        return f"an invisible character, {code}"
    if category in {"Cs", "Co", "Cn"}:
        return f"a character that has no agreed meaning, {code}"
    if category == "Zs" and character != " ":
        return f"an unusual kind of space, {code}"
    return None


def _is_blank_letter(character: str) -> bool:
    """Letters and marks by category that print as nothing, such as the Hangul fillers."""
    return (
        character in "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
        or 0xE0100 <= ord(character) <= 0xE01EF
    )


def _shape(name: str) -> str | None:
    if unicodedata.normalize("NFC", name) != name:
        return (
            "The file name spells accented letters in pieces (not Unicode NFC), so two equal-looking names "
            "could differ. "
            "Type the name anew and send it again."
        )
    if name.startswith("."):
        return "The file name begins with a full stop, which hides files on many computers. Rename it."
    if name[0] == " ":
        return "The file name begins with a space. Rename it."
    if name.endswith((" ", ".")):
        return "The file name ends with a space or a full stop, which Windows drops. Rename it."
    return None


def is_reserved(name: str) -> bool:
    """Whether Windows keeps this name for itself, whatever its ending."""
    return bool(_DOS_NAMES.fullmatch(name.split(".", 1)[0].rstrip()))


def _reserved(name: str) -> str | None:
    stem = name.split(".", 1)[0].rstrip()
    if is_reserved(name):
        return f"Windows keeps the name {stem.upper()} for itself and cannot open such a file. Rename it."
    return None


def _length(name: str) -> str | None:
    size = len(name.encode())
    if size > MAX_NAME_BYTES:
        return (
            f"The file name is too long: {size} bytes, and at most {MAX_NAME_BYTES} are allowed. Shorten it."
        )
    return None


def _confusable(name: str) -> tuple[Finding, ...]:
    mixed = [word for word in re.findall(r"[^\W\d_]+", name) if len(_scripts_of(word)) > 1]
    if not mixed:
        return ()
    scripts = " and ".join(sorted({script.title() for word in mixed for script in _scripts_of(word)}))
    sentence = f"The file name mixes {scripts} letters in one word, so it may look like another name."
    return (Finding(FindingCode.CONFUSABLE_NAME, len(mixed), sentence),)


def _scripts_of(word: str) -> set[str]:
    names = (unicodedata.name(character, "") for character in word)
    return {script for name in names for script in _SCRIPTS if name.startswith(script + " ")}
