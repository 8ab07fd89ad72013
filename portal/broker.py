"""How Celery reaches its broker. The broker is only a doorbell: losing it costs seconds, never a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def transport_options(broker_url: str, data_dir: Path) -> dict[str, Any]:
    """kombu's options for the broker: a private folder for filesystem://, prompt redelivery for Redis."""
    if not broker_url.startswith("filesystem"):
        return {"visibility_timeout": 900, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
    queue, control = data_dir / "broker" / "queue", data_dir / "broker" / "control"
    for folder in (queue, control):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(control),
        "polling_interval": 0.2,
    }
