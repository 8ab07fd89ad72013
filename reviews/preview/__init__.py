"""Showing a draft to the person who answers for it, without running any of it."""

from __future__ import annotations
