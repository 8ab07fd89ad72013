#!/bin/sh
# Prepare .venv for one requirements file, whose hashes pin every package:
#     scripts/environment.sh requirements.txt
# The file that was installed is kept inside .venv; while both are alike there is nothing to do. An existing .venv, also a
# symbolic link to one, is used as it stands and brought up to date.
set -eu
cd "$(dirname "$0")/.."

wanted=$1
need="3.11"

installed() { cmp -s "$1" ".venv/.installed-$1"; }

runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if runs "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$("${PYTHON:-python3}" --version 2>&1) || found="none"
    echo "Countersign needs Python $need or newer; found: $found." >&2
    echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12" >&2
    return 1
}

create() {
    python=$(find_python)
    echo "Creating .venv with $("$python" --version)" >&2
    if ! "$python" -m venv --clear .venv >&2; then
        rm -rf .venv
        echo "Python could not create .venv. On Debian and Ubuntu install its module first: apt-get install python3-venv" >&2
        return 1
    fi
}

if runs .venv/bin/python; then
    if installed "$wanted"; then exit 0; fi
    # The development set holds every runtime package, by the same lock.
    if [ "$wanted" = requirements.txt ] && installed requirements-dev.txt; then exit 0; fi
fi
if ! runs .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    create
fi
echo "Installing $wanted into .venv (half a minute the first time)" >&2
if ! .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
    -r "$wanted" >&2; then
    echo "Installing $wanted failed; the lines above say why. The package index must be reachable once." >&2
    exit 1
fi
cp "$wanted" ".venv/.installed-$wanted"
