from __future__ import annotations

from django.db import migrations

from portal.append_only import append_only, by_vendor, guard

OUT_OF_LINE = "an audit entry follows the last one: its number, the hash of its predecessor, the name of the log"
MISFORMED = "an audit entry is 2 to 8192 bytes with the leaf hash of exactly these bytes"

# The next entry must say the number and the predecessor that the head knows.
ENTRY_IS_NEXT = by_vendor(
    postgresql=[
        f"""CREATE FUNCTION audit_entry_next() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN IF NOT EXISTS (
                SELECT 1 FROM audit_head h WHERE h.id = 0 AND h.size = NEW.seq
                AND audit_text(NEW.body, 'seq') = h.size::text
                AND audit_text(NEW.body, 'prev') = encode(h.last_hash, 'hex')
                AND audit_text(NEW.body, 'log') = h.origin)
            THEN RAISE EXCEPTION '{OUT_OF_LINE}'; END IF; RETURN NEW; END $$""",
        """CREATE TRIGGER audit_entry_next BEFORE INSERT ON audit_entry
           FOR EACH ROW EXECUTE FUNCTION audit_entry_next()""",
        "ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_next",
    ],
    sqlite=[
        f"""CREATE TRIGGER audit_entry_next BEFORE INSERT ON audit_entry WHEN NOT EXISTS (
                SELECT 1 FROM audit_head h WHERE h.id = 0 AND h.size = NEW.seq
                AND json_extract(CAST(NEW.body AS TEXT), '$.seq') = CAST(h.size AS TEXT)
                AND json_extract(CAST(NEW.body AS TEXT), '$.prev') = lower(hex(h.last_hash))
                AND json_extract(CAST(NEW.body AS TEXT), '$.log') = h.origin)
            BEGIN SELECT RAISE(ABORT, '{OUT_OF_LINE}'); END"""
    ],
    undo={
        "postgresql": ["DROP TRIGGER audit_entry_next ON audit_entry", "DROP FUNCTION audit_entry_next()"],
        "sqlite": ["DROP TRIGGER audit_entry_next"],
    },
)

# SQLite knows no SHA-256, so there only the verifier sees a wrong leaf.
ENTRY_IS_WHOLE = by_vendor(
    postgresql=[
        """ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_whole CHECK (
           octet_length(body) BETWEEN 2 AND 8192 AND leaf = sha256('\\x00'::bytea || body))""",
    ],
    sqlite=[
        f"""CREATE TRIGGER audit_entry_whole BEFORE INSERT ON audit_entry
            WHEN typeof(NEW.body) <> 'blob' OR length(NEW.body) NOT BETWEEN 2 AND 8192
            OR typeof(NEW.leaf) <> 'blob' OR length(NEW.leaf) <> 32
            BEGIN SELECT RAISE(ABORT, '{MISFORMED}'); END"""
    ],
    undo={
        "postgresql": ["ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_whole"],
        "sqlite": ["DROP TRIGGER audit_entry_whole"],
    },
)

HEAD_IS_KEPT = by_vendor(
    postgresql=[
        """CREATE FUNCTION audit_head_kept() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN RAISE EXCEPTION 'the head of the audit log is kept: % refused', TG_OP; END $$""",
        """CREATE TRIGGER audit_head_row BEFORE DELETE ON audit_head
           FOR EACH ROW EXECUTE FUNCTION audit_head_kept()""",
        """CREATE TRIGGER audit_head_truncate BEFORE TRUNCATE ON audit_head
           FOR EACH STATEMENT EXECUTE FUNCTION audit_head_kept()""",
        "ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_head_row",
        "ALTER TABLE audit_head ENABLE ALWAYS TRIGGER audit_head_truncate",
    ],
    sqlite=[
        """CREATE TRIGGER audit_head_kept BEFORE DELETE ON audit_head
           BEGIN SELECT RAISE(ABORT, 'the head of the audit log is kept: DELETE refused'); END"""
    ],
    undo={
        "postgresql": [
            "DROP TRIGGER audit_head_row ON audit_head",
            "DROP TRIGGER audit_head_truncate ON audit_head",
            "DROP FUNCTION audit_head_kept()",
        ],
        "sqlite": ["DROP TRIGGER audit_head_kept"],
    },
)


class Migration(migrations.Migration):
    """What the database refuses on its own, whoever asks (docs/architecture.md, the log)."""

    dependencies = [("audit", "0001_entries")]

    operations = [
        append_only("audit_entry"),
        ENTRY_IS_NEXT,
        ENTRY_IS_WHOLE,
        HEAD_IS_KEPT,
        guard(
            name="audit_head_begins",
            table="audit_head",
            event="INSERT",
            refuse_when="NEW.size <> 0 OR EXISTS (SELECT 1 FROM audit_entry)",
            message="the head of the audit log is made once, before the first entry",
        ),
        guard(
            name="audit_head_advances",
            table="audit_head",
            event="UPDATE",
            refuse_when="""NEW.id <> OLD.id OR NEW.origin <> OLD.origin OR NEW.size <> OLD.size + 1
                OR NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.seq = OLD.size)""",
            message="the head of the audit log moves forward by one entry at a time",
        ),
        guard(
            name="audit_text_stays",
            table="audit_textsecret",
            event="UPDATE",
            refuse_when="OLD.id IS NOT NULL",
            message="a text beside the audit log is forgotten as a whole or left alone",
        ),
    ]
