from __future__ import annotations

import io
import threading

import pytest
from pikepdf import Array
from PIL import Image

from reviews.formats import MediaType, NoSuchPage, Refused, plain_text
from reviews.preview import pages, pdf
from tests.reviews.formats.made import EXAMPLES
from tests.reviews.formats.made import pdf as made

CLAIM = EXAMPLES / "drafts" / "Notice of civil claim - Tanabe.pdf"


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["PNG"])


def test_pages_are_counted_and_drawn() -> None:
    with CLAIM.open("rb") as file:
        assert pdf.page_count(file) == 4
        assert picture(pdf.page_png(file, 1, 1.0)).size == (612, 792)
        assert picture(pdf.page_png(file, 4, 2.0)).size == (1224, 1584)


def test_the_text_of_a_page_goes_with_its_picture() -> None:
    with CLAIM.open("rb") as file:
        assert "Statement of facts" in pdf.page_text(file, 1)
        assert "Schedule A" in pdf.page_text(file, 4)
        assert plain_text(MediaType.PDF, file).count("\f") == 3


@pytest.mark.parametrize("page", [0, -1, 5, 10**9])
def test_a_page_that_is_not_there_is_said_to_be_missing(page: int) -> None:
    with CLAIM.open("rb") as file, pytest.raises(NoSuchPage):
        pdf.page_png(file, page)


@pytest.mark.parametrize("size", [(14_400, 14_400), (200_000, 10), (1, 1), (0.5, 800)])
@pytest.mark.parametrize("scale", [0.0, 1.5, 100.0])
def test_no_page_is_drawn_beyond_the_caps(size: tuple[float, float], scale: float) -> None:
    drawn = pages.fitting(*size, scale)
    assert drawn > 0 and size[0] * size[1] * drawn**2 <= pages.MAX_PIXELS
    assert max(size) * drawn <= pages.MAX_SIDE


def test_a_huge_page_is_drawn_small() -> None:
    def huge(document: object) -> None:
        document.pages[0].MediaBox = Array([0, 0, 14_400, 14_400])  # type: ignore[attr-defined]

    drawn = picture(pdf.page_png(io.BytesIO(made(huge)), 1, 4.0))
    assert drawn.width * drawn.height <= pages.MAX_PIXELS


def test_a_file_that_is_no_pdf_is_refused() -> None:
    with pytest.raises(Refused):
        pdf.page_count(io.BytesIO(b"%PDF-1.7 nothing"))


def test_readers_in_many_threads_do_not_disturb_each_other() -> None:
    data, found = CLAIM.read_bytes(), []

    def read() -> None:
        found.append(pdf.page_text(io.BytesIO(data), 2))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1
