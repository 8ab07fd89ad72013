"""Fills an empty sandbox with the firm of ``firm.py``. Ids and times are the same in every sandbox."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime, timedelta

from clio_sync.sandbox import firm, objects, search
from clio_sync.sandbox.state import State, iso

MATTERS = 60
_FIRST_OF_2026 = 13  # matters 1 to 12 were opened in 2025, so 2026-0042 is the 54th
_SINCE = datetime(2025, 1, 6, 17, 0, tzinfo=UTC)
_SPACE = uuid.UUID("6f2a0c52-94d3-4f6e-8a53-0d1f6b7c9e10")


def fill(state: State) -> None:
    """Seed, all or nothing. A sandbox that has users already is left as it is."""
    if state.one("SELECT 1 FROM user"):
        return
    with state.transaction():
        state.set_meta("firm_name", firm.NAME)
        _users(state)
        _short_lists(state)
        root = _folder(state, firm.NAME, parent_id=None, root=1)
        clients = _contacts(state)
        for place in range(1, MATTERS + 1):
            _matter(state, place, root=root, client_id=clients[(place * 7) % len(clients)])
        for place, folder, name, category_id, paragraphs in firm.DOCUMENTS:
            _document(state, f"2026-{place:04}", folder, name, category_id=category_id, paragraphs=paragraphs)


def more_matters(state: State, count: int) -> None:
    """Add open matters beyond the firm's own, for trying out sizes."""
    root = state.count("SELECT id FROM folder WHERE root = 1")
    clients = [row["id"] for row in state.all("SELECT id FROM contact ORDER BY id")]
    first = state.count("SELECT max(number) FROM matter") + 1
    for place in range(first, first + count):
        _matter(state, place, root=root, client_id=clients[(place * 7) % len(clients)])


def _stamps(moment: datetime = _SINCE) -> dict[str, str]:
    return {"created_at": iso(moment), "updated_at": iso(moment)}


def _users(state: State) -> None:
    for user_id, first, last, kind, roles, owner in firm.USERS:
        state.insert(
            "user",
            id=user_id,
            first_name=first,
            last_name=last,
            email=f"{first.lower()}@harrowquill.example",
            subscription_type=kind,
            roles=json.dumps(roles),
            account_owner=owner,
            enabled=1,
            **_stamps(),
        )


def _short_lists(state: State) -> None:
    stage_id = 6100
    for area_id, name, code, category, stages in firm.PRACTICE_AREAS:
        state.insert("practice_area", id=area_id, name=name, code=code, category=category, **_stamps())
        for order, stage in enumerate(stages, 1):
            stage_id += 1
            state.insert(
                "matter_stage", id=stage_id, name=stage, order=order, practice_area_id=area_id, **_stamps()
            )
    for category_id, name in firm.CATEGORIES:
        state.insert("document_category", id=category_id, name=name, **_stamps())


def _contacts(state: State) -> list[int]:
    companies = [_contact(state, name, kind="Company") for name in firm.COMPANIES]
    people = [_contact(state, name, kind="Person") for name in firm.PEOPLE]
    return [*people, *companies]


def _contact(state: State, name: str, *, kind: str) -> int:
    first, _, last = name.rpartition(" ")
    person = kind == "Person"
    address = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
    contact_id = state.next_id("contact")
    state.insert(
        "contact",
        id=contact_id,
        type=kind,
        name=name,
        first_name=first if person else None,
        last_name=last if person else None,
        email=f"{address}@client.example",
        phone=f"+1 604 555 {contact_id % 10000:04}",
        is_client=1,
        **_stamps(),
    )
    search.index(state, "contact", contact_id, name, at_once=True)
    return contact_id


def _folder(
    state: State, name: str, *, parent_id: int | None, matter_id: int | None = None, root: int = 0
) -> int:
    folder_id = state.insert(
        "folder",
        name=name,
        parent_id=parent_id,
        matter_id=matter_id,
        root=root,
        creator_id=firm.USERS[0][0],
        **_stamps(),
    )
    search.index(state, "folder", folder_id, name, at_once=True)
    return folder_id


def _matter(state: State, place: int, *, root: int, client_id: int) -> None:
    area_id, *_, stages = firm.PRACTICE_AREAS[place % 4]
    number = _display_number(place)
    opened = _opened(place)
    status = "Closed" if place in firm.CLOSED else "Pending" if place in firm.PENDING else "Open"
    subjects = firm.DESCRIPTIONS[area_id]
    description = subjects[(place - 1) // 4 % len(subjects)]
    matter_id = state.next_id("matter")
    folder_id = _folder(state, number, parent_id=root, matter_id=matter_id)
    lawyer = firm.USERS[place % 2][0]
    stamps = _stamps(datetime(opened.year, opened.month, opened.day, 18, 30, tzinfo=UTC))
    state.insert(
        "matter",
        id=matter_id,
        number=place,
        display_number=number,
        description=description,
        status=status,
        client_id=client_id,
        practice_area_id=area_id,
        matter_stage_id=_stage_id(area_id, place % len(stages)),
        responsible_attorney_id=lawyer,
        originating_attorney_id=firm.USERS[0][0],
        folder_id=folder_id,
        billing_method="flat" if area_id in {5101, 5103} else "hourly",
        open_date=None if status == "Pending" else opened.isoformat(),
        pending_date=opened.isoformat() if status == "Pending" else None,
        close_date=(opened + timedelta(days=12)).isoformat() if status == "Closed" else None,
        **stamps,
    )
    index_matter(state, matter_id)
    for name in firm.FOLDERS[area_id]:
        _folder(state, name, parent_id=folder_id, matter_id=matter_id)


def _display_number(place: int) -> str:
    return f"2025-{place + 188:04}" if place < _FIRST_OF_2026 else f"2026-{place - _FIRST_OF_2026 + 1:04}"


def _opened(place: int) -> date:
    if place < _FIRST_OF_2026:
        return date(2025, 9, 3) + timedelta(days=place * 9)
    return date(2026, 1, 5) + timedelta(days=(place - _FIRST_OF_2026) * 6)


def _stage_id(area_id: int, order: int) -> int:
    before = sum(len(area[4]) for area in firm.PRACTICE_AREAS if area[0] < area_id)
    return 6101 + before + order


def index_matter(state: State, matter_id: int, *, at_once: bool = True) -> None:
    row = state.one(
        "SELECT matter.*, contact.name AS client FROM matter JOIN contact ON contact.id = client_id"
        " WHERE matter.id = ?",
        matter_id,
    )
    if row:
        text = f"{row['display_number']} {row['description']} {row['client']}"
        search.index(state, "matter", matter_id, text, at_once=at_once)


def _document(
    state: State, number: str, folder: str, name: str, *, category_id: int, paragraphs: tuple[str, ...]
) -> None:
    matter = state.one("SELECT * FROM matter WHERE display_number = ?", number)
    place = state.one(
        "SELECT id FROM folder WHERE matter_id = ? AND name = ?", matter and matter["id"], folder
    )
    if matter is None or place is None:
        raise LookupError(f"{number} has no folder {folder}")
    creator, stamps = matter["responsible_attorney_id"], _stamps(datetime(2026, 9, 14, 16, 20, tzinfo=UTC))
    document_id = state.insert(
        "document",
        name=name,
        parent_id=place["id"],
        matter_id=matter["id"],
        document_category_id=category_id,
        creator_id=creator,
        received_at=stamps["created_at"],
        seeded=1,
        **stamps,
    )
    _content(state, document_id, name, creator=creator, page=pdf(name.removesuffix(".pdf"), paragraphs))
    search.index(state, "document", document_id, name, at_once=True)


def _content(state: State, document_id: int, name: str, *, creator: int, page: bytes) -> None:
    version_uuid = str(uuid.uuid5(_SPACE, str(document_id)))
    key = f"uploads/document_version/file/{version_uuid}/{name}"
    written = objects.write(state, [page])
    objects.keep(state, key, written, content_type="application/pdf")
    stamps = _stamps(datetime(2026, 9, 14, 16, 20, tzinfo=UTC))
    state.insert(
        "version",
        document_id=document_id,
        uuid=version_uuid,
        number=1,
        filename=name,
        content_type="application/pdf",
        creator_id=creator,
        object_key=key,
        fully_uploaded=1,
        confirmed_at=stamps["created_at"],
        size=written.size,
        sha256=written.sha256,
        received_at=stamps["created_at"],
        **stamps,
    )


def pdf(title: str, paragraphs: tuple[str, ...]) -> bytes:
    """A one-page PDF that any viewer opens: a heading and a few lines."""
    lines = [f"BT /F1 18 Tf 72 720 Td ({_text(title)}) Tj ET"]
    lines += [
        f"BT /F1 11 Tf 72 {680 - 22 * place} Td ({_text(line)}) Tj ET"
        for place, line in enumerate(paragraphs)
    ]
    stream = "\n".join(lines).encode("latin-1", "replace")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    made, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start, count = len(made), len(parts) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    return made + head + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)


def _text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
