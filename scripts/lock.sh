#!/bin/sh
# Resolve pyproject.toml and export the pins (ARGS=--upgrade takes the newest of everything). The exported files hold
# versions and hashes and name no host, so they install from whatever package index pip is configured for; uv.lock names
# hosts and stays out of the repository.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-uv}
command -v "$uv" >/dev/null 2>&1 || { echo "Locking needs uv: pip install uv, or name it: make lock UV=/path/to/uv" >&2; exit 1; }
export_pins() { "$uv" export --quiet --frozen --no-emit-project --no-header --format requirements-txt "$@" >/dev/null; }

"$uv" lock --quiet "$@"
export_pins --no-default-groups --output-file requirements.txt
export_pins --group dev --output-file requirements-dev.txt
