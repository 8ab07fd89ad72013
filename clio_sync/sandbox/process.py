"""Puts the listeners together over one state."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from clio_sync.sandbox import seed
from clio_sync.sandbox.api import ClioHost
from clio_sync.sandbox.control import ControlHost
from clio_sync.sandbox.server import Listener
from clio_sync.sandbox.state import Addresses, State
from clio_sync.sandbox.storage import StorageHost

_POLL_SECONDS = 0.05  # how soon a listener notices that it is to stop


@dataclass(frozen=True)
class Ports:
    """Zero means any free one."""

    api: int = 0
    storage: int = 0
    control: int = 0


class Sandbox:
    """Three listeners in threads. Nothing is served before ``start``."""

    def __init__(
        self,
        folder: Path,
        *,
        host: str,
        ports: Ports,
        control_host: str = "127.0.0.1",
        public_api_url: str = "",
        public_storage_url: str = "",
    ) -> None:
        self.state = State(folder)
        self.api = Listener(host, ports.api, ClioHost(self.state), name="clio-sandbox")
        self.storage = Listener(host, ports.storage, StorageHost(self.state), name="clio-sandbox-storage")
        self.control = Listener(
            control_host, ports.control, ControlHost(self.state), name="clio-sandbox-control"
        )
        self.state.addresses = Addresses(
            api=_base(public_api_url) or f"http://{host}:{self.api.port}",
            storage=_base(public_storage_url) or f"http://{host}:{self.storage.port}",
            control=f"http://{control_host}:{self.control.port}",
        )

    def start(self) -> None:
        seed.fill(self.state)
        for listener in (self.api, self.storage, self.control):
            name, serve = listener.server_title, listener.serve_forever
            threading.Thread(target=serve, args=(_POLL_SECONDS,), name=name, daemon=True).start()

    def stop(self) -> None:
        for listener in (self.api, self.storage, self.control):
            listener.shutdown()
            listener.server_close()
        self.state.close()

    def describe(self) -> dict[str, str]:
        return {f"{name}_url": url for name, url in asdict(self.state.addresses).items()}


def _base(url: str) -> str:
    """A public address without its trailing slash. It must be an origin: signatures cover the path."""
    parts = urlsplit(url)
    if url and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/")):
        raise ValueError(f"{url} must look like https://clio.example, without a path")
    return url.rstrip("/")
