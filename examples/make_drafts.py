"""Writes the Word and PDF drafts of `examples/drafts`. Everybody and everything in them is invented.

    python examples/make_drafts.py            # the Word files
    python examples/make_drafts.py --pdf      # the PDFs too; needs a Chromium

The results are committed: the demo submits these files and needs neither python-docx nor a browser.
"""

# ruff: noqa: E501 - sentences of letters are kept in one piece

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt

HERE = Path(__file__).resolve().parent
DRAFTS = HERE / "drafts"
TOOL = "Draftwright"
MADE = datetime(2026, 11, 17, 9, 30, tzinfo=UTC).replace(tzinfo=None)

CLAUSES = f"""
<w:abstractNum {nsdecls("w")} w:abstractNumId="90">
  <w:multiLevelType w:val="multilevel"/>
  <w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/><w:lvlJc w:val="left"/>
    <w:pPr><w:ind w:left="567" w:hanging="567"/></w:pPr><w:rPr><w:b/></w:rPr></w:lvl>
  <w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/><w:lvlJc w:val="left"/>
    <w:pPr><w:ind w:left="567" w:hanging="567"/></w:pPr></w:lvl>
  <w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/><w:lvlJc w:val="left"/>
    <w:pPr><w:ind w:left="1134" w:hanging="567"/></w:pPr></w:lvl>
</w:abstractNum>
"""

FOOTNOTES = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:footnotes {nsdecls("w")}>
<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>
<w:footnote w:type="continuationSeparator" w:id="0"><w:p><w:r><w:continuationSeparator/></w:r></w:p></w:footnote>
%s
</w:footnotes>"""


def main() -> None:
    DRAFTS.mkdir(exist_ok=True)
    for name, write in (
        ("Engagement letter - mutual wills.docx", engagement_letter),
        ("Demand letter - unpaid invoices.docx", demand_letter),
        ("Memo - assignment clause of the warehouse lease.docx", lease_memo),
    ):
        write().save(str(DRAFTS / name))
    if "--pdf" in sys.argv:
        _print_to_pdf("notice-of-civil-claim", "Notice of civil claim - Tanabe.pdf")
        _print_to_pdf("estate-accounts-summary", "Summary of estate accounts.pdf")


def engagement_letter() -> Any:
    letter = _blank("Engagement letter", "Harrow & Quill LLP · Engagement letter · Matter 2026-0044")
    _letterhead(
        letter,
        "17 November 2026",
        ["Mei-Ling Zhao", "Anton Zhao", "31 Garnet Terrace", "Burnaby, British Columbia"],
    )
    _plain(letter, "Dear Ms. Zhao and Mr. Zhao:")
    letter.add_heading("Mutual wills: the terms on which we act", level=1)
    _plain(
        letter,
        "Thank you for asking us to prepare wills for both of you. This letter says what we will do, what we will not do, what "
        "it costs, and what each of you should know before one law firm acts for two people. Please read it "
        "together, ask us about anything that is unclear, and sign the copy if you agree.",
    )
    _clauses(
        letter,
        [
            ("What we will do", 0),
            ("We will prepare two wills that mirror each other, an agreement that neither of you will change the gifts to the "
             "children after the first death, and a memorandum that explains both in plain words.", 1),
            ("We will meet you twice: once to settle your instructions and once to sign. If you would rather "
             "meet by video, the first meeting can be held that way; the second cannot.", 1),
            ("We will search the wills registry, and register notices of the new wills once they are signed.", 1),
            ("What we will not do", 0),
            ("Unless you ask us in writing, we will not advise on:", 1),
            ("tax, beyond pointing out where you need an accountant;", 2),
            ("property outside British Columbia, in particular the flat in Taichung; and", 2),
            ("the shares of Jade Orchard Imports Ltd., which are governed by a shareholders’ agreement we have not seen.", 2),
            ("Acting for both of you", 0),
            ("The law allows us to act for you jointly because your interests agree. It has three consequences:", 1),
            ("nothing either of you tells us about this work can be kept secret from the other;", 2),
            ("if a conflict arises that cannot be resolved, we must stop acting for both of you; and", 2),
            ("after the first death, the survivor will be bound by the agreement and may regret it.", 2),
            ("Because the agreement binds the survivor, we recommend that each of you speak once with "
             "another lawyer, alone. We can give you three names. If you decide against it, we will ask you to say so in "
             "writing.", 1),
            ("Fees", 0),
            ("Our fee for the work in clause 1 is fixed. It is set out below and does not change with the time we spend.", 1),
        ],
    )  # fmt: skip
    _table(
        letter,
        ["Work", "When due", "Fee"],
        [
            ["Two wills and the agreement", "on instructions", "$1,450.00"],
            ["Memorandum and two meetings", "on signing", "$600.00"],
            ["Registry search and two notices", "on signing", "$86.00"],
            ["Tax on fees (12 %)", "on signing", "$246.00"],
            ["Total", "", "$2,382.00"],
        ],
    )
    _clauses(
        letter,
        [
            ("Further work is charged at $310 an hour for a lawyer and $140 an hour for a paralegal. We will ask before we "
             "begin any.", 1),
            ("How we work", 0),
            ("First drafts of standard clauses are prepared with software. A lawyer reads, corrects and approves every "
             "document before you see it, and answers for it.", 1),
            ("You may end this engagement at any time by telling us. We may end it for good reason, with notice. In either case "
             "you pay for the work done until then.", 1),
        ],
    )  # fmt: skip
    _plain(letter, "We look forward to working with you.")
    _signature(letter, "We have read this letter and agree to its terms.", ["Mei-Ling Zhao", "Anton Zhao"])
    return letter


def demand_letter() -> Any:
    letter = _blank(
        "Demand for payment", "Harrow & Quill LLP · Without prejudice to the rights of our client"
    )
    _letterhead(
        letter,
        "18 November 2026",
        [
            "Trellis & Vane Interiors Ltd.",
            "Attention: Corin Vane, Director",
            "140 Foundry Row",
            "Vancouver, British Columbia",
        ],
    )
    bold = letter.add_paragraph()
    bold.add_run("By courier and e-mail").bold = True
    _plain(letter, "Dear Mr. Vane:")
    letter.add_heading("Yasmin Karimi: unpaid invoices for textile design, $42,198.93", level=1)
    first = letter.add_paragraph(
        "We act for Yasmin Karimi. Between February and July 2026 Ms. Karimi designed and delivered four collections of textiles "
        "to your company under the agreement of 15 January 2026 (the “Agreement”).",
    )
    _footnote_mark(first, 1)
    first.add_run(
        " Your company accepted each of them without reservation, sells them, and has paid for none in full."
    )
    letter.add_heading("What is owed", level=2)
    _table(
        letter,
        ["Invoice", "Collection", "Date", "Due", "Billed", "Paid", "Owed"],
        [
            ["K-0211", "Saltmarsh", "27 Feb 2026", "29 Mar 2026", "$12,600.00", "$6,300.00", "$6,300.00"],
            ["K-0214", "Ferry Lights", "10 Apr 2026", "10 May 2026", "$14,175.00", "$0.00", "$14,175.00"],
            ["K-0219", "Heron", "29 May 2026", "28 Jun 2026", "$11,340.00", "$0.00", "$11,340.00"],
            ["K-0223", "Ballast", "17 Jul 2026", "16 Aug 2026", "$8,925.00", "$0.00", "$8,925.00"],
            ["Total", "", "", "", "$47,040.00", "$6,300.00", "$40,740.00"],
        ],
    )
    interest = letter.add_paragraph(
        "Clause 7 of the Agreement provides for simple interest of 8 % a year on sums overdue. To the date of this letter it comes "
        "to $1,458.93."
    )
    _footnote_mark(interest, 2)
    interest.add_run(" It grows by $8.93 a day until payment.")
    letter.add_heading("What your company has said", level=2)
    for text in (
        "On 2 June your bookkeeper wrote that payment was “approved and in the next run”. It was not made.",
        "On 14 August you wrote that the colours of Ferry Lights were not as agreed. The signed colour sheets of 6 April show "
        "that they are.",
        "On 30 September you asked for a discount of half in exchange for payment within a week. Ms. Karimi declined.",
    ):
        letter.add_paragraph(text, style="List Bullet")
    letter.add_heading("What we ask of you", level=2)
    _clauses(
        letter,
        [
            ("Pay $42,198.93 to our trust account by 4:00 p.m. on Friday, 4 December 2026. The account is given on the enclosed "
             "sheet; please confirm it with us by telephone before you pay.", 0),
            ("If you dispute an amount, tell us by the same day which one and why, and pay the rest.", 0),
            ("Keep all documents and messages that concern the four collections, including those on telephones.", 0),
        ],
    )  # fmt: skip
    _plain(
        letter,
        "If we receive neither payment nor a substantial answer by then, our instructions are to start an action without further "
        "notice, and to claim interest and costs. Ms. Karimi would prefer not to: she regards the work of your shops highly and "
        "would design for you again.",
    )
    _plain(letter, "Please address any answer to us and not to our client.")
    _signature(letter, "", ["for Harrow & Quill LLP"])
    _footnotes(
        letter,
        [
            "Design Services Agreement between Yasmin Karimi and Trellis & Vane Interiors Ltd., made at Vancouver, 15 January 2026.",
            "From the due date of each invoice to 18 November 2026, on the amount then outstanding.",
        ],
    )
    return letter


def lease_memo() -> Any:
    memo = _blank("Memo: assignment clause", "Privileged and confidential · Matter 2026-0042")
    memo.add_heading("Memorandum", level=0)
    _table(
        memo,
        ["", ""],
        [
            ["To", "Alice Harrow"],
            ["From", "Lease desk (drafted with software, for review)"],
            ["Client", "Northgate Logistics LLP"],
            ["Matter", "2026-0042, Commercial lease review"],
            [
                "Re",
                "Clause 9 of the lease of Unit 6, 2200 Mitchell Wharf Road: assignment and change of control",
            ],
        ],
        head=False,
    )
    memo.add_heading("1. In short", level=1)
    _plain(
        memo,
        "As drafted, clause 9 lets the landlord block the sale of our client’s business. The client plans to sell within the "
        "five-year term. We propose the changes marked in section 3 and, if they are refused, the fallback in section 4.",
    )
    memo.add_heading("2. What the clause does now", level=1)
    for text in (
        "Consent to an assignment may be withheld “for any reason or none” (9.1). Without such words a landlord would "
        "usually have to be reasonable.",
        "A change of control of the tenant counts as an assignment (9.3). For a partnership that includes the "
        "admission of one partner.",
        "On a request for consent the landlord may end the lease instead (9.4). A buyer of the business would find the "
        "warehouse gone.",
    ):
        memo.add_paragraph(text, style="List Number")
    memo.add_heading("3. Proposed wording", level=1)
    _plain(
        memo,
        "Deletions are struck out and insertions underlined, as tracked changes against the landlord’s form.",
    )
    clause = memo.add_paragraph(
        "9.1  The Tenant shall not assign this Lease without the consent of the Landlord, which "
    )
    _tracked(clause, "del", "may be withheld for any reason or none")
    _tracked(clause, "ins", "shall not be unreasonably withheld, conditioned or delayed, and is deemed given if the Landlord has "
             "not answered within fifteen Business Days")  # fmt: skip
    clause.add_run(".")
    control = memo.add_paragraph("9.3  A change of control of the Tenant is an assignment")
    _tracked(control, "ins", ", except (a) the admission or retirement of partners in the ordinary course and (b) a sale of "
             "all or substantially all of the Tenant’s business to a buyer whose net worth is not less than the Tenant’s")  # fmt: skip
    control.add_run(".")
    recapture = memo.add_paragraph()
    _tracked(recapture, "del", "9.4  Upon a request for consent the Landlord may, in place of answering it, terminate this "
             "Lease on sixty days’ notice.")  # fmt: skip
    memo.add_heading("4. If the landlord refuses", level=1)
    _clauses(
        memo,
        [
            ("Keep 9.4 but let the Tenant withdraw its request within ten days of a notice to terminate.", 0),
            ("Limit 9.3 to a change of more than half of the partnership interests.", 0),
            (
                "Offer a guarantee of twelve months’ rent by the seller for the first year after an assignment:",
                0,
            ),
            ("in an amount that falls by one twelfth each month; and", 1),
            ("which ends if the buyer pays on time for six months.", 1),
        ],
    )
    memo.add_heading("5. What this could cost", level=1)
    _table(
        memo,
        ["Outcome", "Chance (our estimate)", "Effect on the client"],
        [
            ["All three changes accepted", "one in three", "none"],
            ["Fallback accepted", "one in two", "guarantee of up to $168,000, falling to nil in a year"],
            [
                "Nothing accepted",
                "one in six",
                "sale would need the landlord’s goodwill; consider other premises",
            ],
        ],
    )
    open_point = _plain(
        memo, "Open point: the estimate of monthly rent ($14,000) leaves out operating costs for 2027."
    )
    memo.add_comment(
        runs=open_point.runs,
        text="Ask the client for the landlord’s 2027 budget before this goes out.",
        author=TOOL,
        initials="DW",
    )
    return memo


def _blank(title: str, header: str) -> Any:
    document = Document()
    _unpack_luggage(document)
    details = document.core_properties
    details.author, details.title, details.comments = TOOL, title, ""
    details.created = details.modified = MADE
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "Georgia", Pt(11)
    normal.paragraph_format.space_after = Pt(8)
    section = document.sections[0]
    section.left_margin = section.right_margin = Cm(2.6)
    section.header.paragraphs[0].text = header
    section.footer.paragraphs[0].text = "Draft for review. Not sent, not filed."
    document.part.numbering_part.element.insert(0, parse_xml(CLAUSES))
    return document


def _unpack_luggage(document: Any) -> None:
    """The library's template brings a thumbnail and custom data along; a real drafting tool would not."""
    for owner in (document.part.package, document.part):
        for key, relation in list(owner.rels.items()):
            if relation.reltype.endswith(("/thumbnail", "/customXml")):
                del owner.rels[key]


def _letterhead(letter: Any, day: str, address: list[str]) -> None:
    name = letter.add_paragraph()
    run = name.add_run("Harrow & Quill LLP")
    run.bold, run.font.size = True, Pt(16)
    _plain(letter, "Barristers and solicitors\n900 – 1055 Burrard Quay\nVancouver, British Columbia")
    _plain(letter, day)
    _plain(letter, "\n".join(address))


def _plain(document: Any, text: str) -> Any:
    return document.add_paragraph(text)


def _clauses(document: Any, clauses: list[tuple[str, int]]) -> None:
    """Numbered clauses by Word's own multi-level list; each call goes on where the last one stopped."""
    number = _list_of(document)
    for text, depth in clauses:
        paragraph = document.add_paragraph()
        paragraph.add_run(text).bold = depth == 0 and len(text) < 40
        properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
        properties.get_or_add_ilvl().val = depth
        properties.get_or_add_numId().val = number


def _list_of(document: Any) -> int:
    numbering = document.part.numbering_part.element
    for number in numbering.num_lst:
        if number.abstractNumId.val == 90:
            return int(number.numId)
    return int(numbering.add_num(90).numId)


def _table(document: Any, head_cells: list[str], rows: list[list[str]], *, head: bool = True) -> None:
    table = document.add_table(rows=0, cols=len(head_cells), style="Table Grid")
    for row in [head_cells, *rows] if head else rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
            for run in cell.paragraphs[0].runs:
                run.font.size = Pt(9.5)
                run.bold = row is head_cells or row[0] == "Total" or (not head and text == row[0])
            if text.startswith("$"):
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    document.add_paragraph()


def _signature(document: Any, lead: str, names: list[str]) -> None:
    if lead:
        _plain(document, lead)
    else:
        _plain(document, "Yours truly,")
    for name in names:
        _plain(document, f"______________________________\n{name}")


def _tracked(paragraph: Any, kind: str, text: str) -> None:
    tag = "delText" if kind == "del" else "t"
    paragraph._p.append(
        parse_xml(
            f'<w:{kind} {nsdecls("w")} w:id="{len(paragraph._p) + 700}" w:author="{TOOL}" w:date="2026-11-17T09:30:00Z">'
            f'<w:r><w:{tag} xml:space="preserve">{text}</w:{tag}></w:r></w:{kind}>'
        )
    )


def _footnote_mark(paragraph: Any, number: int) -> None:
    run = paragraph.add_run()
    run.font.superscript = True
    mark = run._r.makeelement(qn("w:footnoteReference"), {qn("w:id"): str(number)})
    run._r.append(mark)


def _footnotes(document: Any, notes: list[str]) -> None:
    written = "\n".join(
        f'<w:footnote w:id="{number}"><w:p><w:r><w:t xml:space="preserve">{note.replace("&", "&amp;")}</w:t></w:r></w:p></w:footnote>'
        for number, note in enumerate(notes, start=1)
    )
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
    part = Part(PackURI("/word/footnotes.xml"), kind, (FOOTNOTES % written).encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)


def _print_to_pdf(source: str, name: str) -> None:
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    target = DRAFTS / name
    subprocess.run(  # noqa: S603
        [*command, f"--print-to-pdf={target}", str(HERE / "sources" / f"{source}.html")],
        check=True,
    )
    with pikepdf.open(target, allow_overwriting_input=True) as pdf:
        pdf.docinfo["/Creator"] = TOOL
        pdf.save(target)


if __name__ == "__main__":
    main()
