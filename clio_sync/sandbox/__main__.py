"""``python -m clio_sync.sandbox``: run the sandbox until it is told to stop.

Prints one line of JSON with its addresses once it answers. The ledger and everything else lies in ``--data``.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from clio_sync.sandbox import app, switches
from clio_sync.sandbox.process import Ports, Sandbox


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        sandbox = _made(options)
    except (switches.UnknownSwitch, ValueError, OSError) as error:
        sys.stderr.write(f"The sandbox cannot start: {error}\n")
        return 2
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    sandbox.start()
    sys.stdout.write(json.dumps(sandbox.describe()) + "\n")
    sys.stdout.flush()
    stopped.wait()
    sandbox.stop()
    return 0


def _made(options: argparse.Namespace) -> Sandbox:
    ports = Ports(api=options.api_port, storage=options.storage_port, control=options.control_port)
    sandbox = Sandbox(
        options.data,
        host=options.host,
        ports=ports,
        control_host=options.control_host,
        public_api_url=options.public_api_url,
        public_storage_url=options.public_storage_url,
    )
    sandbox.state.set_switches(dict(_pair(text) for text in options.switch))
    app.change(sandbox.state, **_app_options(options))
    return sandbox


def _app_options(options: argparse.Namespace) -> dict[str, object]:
    given: dict[str, object] = {"client_id": options.client_id, "client_secret": options.client_secret}
    if options.redirect_uri:
        given["redirect_uris"] = options.redirect_uri
    return given


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ValueError(f"--switch takes NAME=VALUE, not {text}")
    return name, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m clio_sync.sandbox", description="A local Clio to rehearse on."
    )
    parser.add_argument("--data", type=Path, required=True, help="folder for its database and stored files")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument(
        "--control-host", default="127.0.0.1", help="address of the control API, which has no sign-in"
    )
    parser.add_argument("--api-port", type=int, default=0, help="port of the Clio host; 0 picks a free one")
    parser.add_argument("--storage-port", type=int, default=0, help="port of the storage host")
    parser.add_argument("--control-port", type=int, default=0, help="port of the control API")
    parser.add_argument(
        "--public-api-url", default="", help="how others reach the Clio host, if not by --host"
    )
    parser.add_argument("--public-storage-url", default="", help="how others reach the storage host")
    parser.add_argument("--client-id", default="sandbox-app", help="key of the registered app")
    parser.add_argument("--client-secret", default="sandbox-secret", help="its secret")
    parser.add_argument(
        "--redirect-uri", action="append", help="registered redirect URI; default: any on loopback"
    )
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE", help="set a switch")
    return parser


if __name__ == "__main__":
    sys.exit(main())
