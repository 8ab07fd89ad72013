"""The sandbox's tables. Times are ISO-8601 text in UTC unless the name says ``_at_s`` (unix seconds)."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS user (
    id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL, email TEXT NOT NULL,
    subscription_type TEXT NOT NULL, roles TEXT NOT NULL, account_owner INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS practice_area (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, code TEXT NOT NULL, category TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS matter_stage (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, "order" INTEGER NOT NULL, practice_area_id INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS document_category (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS contact (
    id INTEGER PRIMARY KEY, type TEXT NOT NULL, name TEXT NOT NULL, first_name TEXT, last_name TEXT,
    email TEXT, phone TEXT, is_client INTEGER NOT NULL, company_id INTEGER,
    hidden_from TEXT NOT NULL DEFAULT '[]',
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS matter (
    id INTEGER PRIMARY KEY, number INTEGER NOT NULL, display_number TEXT NOT NULL, description TEXT NOT NULL,
    status TEXT NOT NULL, client_id INTEGER NOT NULL, practice_area_id INTEGER, matter_stage_id INTEGER,
    responsible_attorney_id INTEGER, originating_attorney_id INTEGER, folder_id INTEGER,
    billing_method TEXT NOT NULL,
    open_date TEXT, pending_date TEXT, close_date TEXT,
    hidden_from TEXT NOT NULL DEFAULT '[]',
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS folder (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, parent_id INTEGER, matter_id INTEGER, contact_id INTEGER,
    root INTEGER NOT NULL DEFAULT 0, document_category_id INTEGER, creator_id INTEGER,
    locked INTEGER NOT NULL DEFAULT 0, deleted_at TEXT,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX IF NOT EXISTS folder_parent ON folder (parent_id);
CREATE INDEX IF NOT EXISTS folder_matter ON folder (matter_id);
CREATE TABLE IF NOT EXISTS document (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, parent_id INTEGER NOT NULL, matter_id INTEGER,
    contact_id INTEGER, document_category_id INTEGER, creator_id INTEGER NOT NULL,
    locked INTEGER NOT NULL DEFAULT 0, received_at TEXT NOT NULL, deleted_at TEXT,
    seeded INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX IF NOT EXISTS document_parent ON document (parent_id);
CREATE INDEX IF NOT EXISTS document_matter ON document (matter_id);
CREATE TABLE IF NOT EXISTS version (
    id INTEGER PRIMARY KEY, document_id INTEGER NOT NULL, uuid TEXT NOT NULL UNIQUE, number INTEGER NOT NULL,
    filename TEXT NOT NULL, content_type TEXT NOT NULL, creator_id INTEGER NOT NULL, upload_id TEXT,
    object_key TEXT NOT NULL, fully_uploaded INTEGER NOT NULL DEFAULT 0, confirmed_at TEXT,
    size INTEGER, sha256 TEXT, received_at TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1,
    UNIQUE (document_id, number)
) STRICT;
CREATE TABLE IF NOT EXISTS part (
    version_id INTEGER NOT NULL, part_number INTEGER NOT NULL, content_length INTEGER NOT NULL,
    content_md5 TEXT,
    PRIMARY KEY (version_id, part_number)
) STRICT;
CREATE TABLE IF NOT EXISTS external_property (
    id INTEGER PRIMARY KEY, owner_kind TEXT NOT NULL, owner_id INTEGER NOT NULL, name TEXT NOT NULL,
    value TEXT NOT NULL, indexed_at_s REAL NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, rev INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX IF NOT EXISTS external_property_owner ON external_property (owner_kind, owner_id);
CREATE INDEX IF NOT EXISTS external_property_value ON external_property (owner_kind, name, value);
CREATE TABLE IF NOT EXISTS search_entry (
    kind TEXT NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL, earlier TEXT NOT NULL DEFAULT '',
    since_s REAL NOT NULL, PRIMARY KEY (kind, id)
) STRICT;

CREATE TABLE IF NOT EXISTS stored_object (
    key TEXT NOT NULL, part_number INTEGER NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL,
    md5 TEXT NOT NULL, sha256 TEXT NOT NULL, content_type TEXT NOT NULL, stored_at TEXT NOT NULL,
    PRIMARY KEY (key, part_number)
) STRICT;
CREATE TABLE IF NOT EXISTS storage_write (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, part_number INTEGER NOT NULL, size INTEGER NOT NULL,
    md5 TEXT NOT NULL, sha256 TEXT NOT NULL, stored_at TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS authorization_request (
    id TEXT PRIMARY KEY, redirect_uri TEXT NOT NULL, state TEXT, redirect_on_decline INTEGER NOT NULL,
    created_at_s REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS code (
    hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL, redirect_uri TEXT NOT NULL, expires_at_s REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0, grant_id INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS consent (
    id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, permissions TEXT NOT NULL, revoked_at TEXT,
    created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS token (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, consent_id INTEGER NOT NULL,
    expires_at_s REAL, ended TEXT, created_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS rate_use (token_id INTEGER NOT NULL, at_s REAL NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS rate_use_token ON rate_use (token_id, at_s);
CREATE TABLE IF NOT EXISTS rate_anchor (token_id INTEGER PRIMARY KEY, at_s REAL NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY, plan TEXT NOT NULL, hits INTEGER NOT NULL DEFAULT 0,
    fired INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS call (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, at_s REAL NOT NULL, listener TEXT NOT NULL, route TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, query TEXT NOT NULL, headers TEXT NOT NULL, body TEXT,
    token_id INTEGER, user_id INTEGER, status INTEGER, response_headers TEXT NOT NULL, response_body TEXT,
    outcome TEXT NOT NULL, fault_id INTEGER, request_id TEXT NOT NULL, milliseconds REAL NOT NULL
) STRICT;
"""

# What a reset empties: everything but `meta`, which holds the keys, the clock and the switches.
TABLES = (
    *("user", "practice_area", "matter_stage", "document_category", "contact", "matter", "folder"),
    *("document", "version", "part", "external_property", "search_entry", "stored_object", "storage_write"),
    *("authorization_request", "code", "consent", "token", "rate_use", "rate_anchor", "fault", "call"),
)
