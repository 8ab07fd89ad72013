"""Reading XML of strangers: no DTD, no entities, no depth, and nothing kept in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from reviews.formats.report import Reason, Refused, quoted

MAX_DEPTH = 200
MAX_ELEMENTS = 3_000_000


class Sink(Protocol):
    def start(self, tag: str, attributes: dict[str, str]) -> None: ...
    def end(self, tag: str) -> None: ...
    def data(self, text: str) -> None: ...


class _Bounded:
    """Passes events on while counting depth and number of elements."""

    def __init__(self, sink: Sink, part: str) -> None:
        self._sink, self._part = sink, part
        self._depth = self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise Refused(
                Reason.TOO_COMPLEX,
                f"The part {quoted(self._part)} of the file is nested or split up beyond what any document "
                "needs. "
                "Save the document again in Word and send the new file.",
            )
        self._sink.start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._sink.end(tag)

    def data(self, text: str) -> None:
        self._sink.data(text)

    def close(self) -> None:
        return None


def parse(chunks: Iterable[bytes], sink: Sink, *, part: str) -> None:
    """Stream the part through the sink. Raises Refused for a DTD, entities, or what is not XML."""
    parser = DefusedXMLParser(
        target=_Bounded(sink, part), forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        for chunk in chunks:
            parser.feed(chunk)
        parser.close()
    except DTDForbidden as error:
        raise Refused(
            Reason.DTD,
            f"The part {quoted(part)} of the file contains a document type definition, which Word never "
            "writes and "
            "attackers use. Save the document again in Word and send the new file.",
        ) from error
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refused(
            Reason.DAMAGED,
            f"The Word file is damaged: its part {quoted(part)} cannot be read. "
            "Save the document again in Word and send the new file.",
        ) from error
