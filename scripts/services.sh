#!/bin/sh
# Make sure the programs the tests drive are on this machine: PostgreSQL's server, Redis, curl and Chromium.
# As root on Debian or Ubuntu the missing ones are installed; anybody else is told what to install. No service is started:
# the tests start their own, in temporary folders.
set -eu

first_of() {
    for candidate in "$@"; do
        if command -v "$candidate" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

missing_packages() {
    first_of initdb /usr/lib/postgresql/*/bin/initdb || echo postgresql
    first_of redis-server valkey-server || echo redis-server
    first_of curl || echo curl
    first_of "${CHROMIUM:-chromium}" chromium chromium-browser google-chrome || echo chromium fonts-liberation
}

install() {
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        # Debian's packages start what they install unless this file refuses.
        trap 'rm -f "$policy"' EXIT INT TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # one word, one package
    apt-get install -y -qq --no-install-recommends $1 </dev/null >/dev/null
}

missing=$(missing_packages | xargs)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && first_of apt-get; then
    echo "Installing for the tests: $missing" >&2
    install "$missing" >&2
    missing=$(missing_packages | xargs)
    [ -n "$missing" ] || exit 0
fi
echo "The tests drive real programs that are not on this machine: $missing" >&2
echo "Install them first (Debian, Ubuntu: sudo apt-get install $missing) and run again." >&2
echo "A browser with another name can be given as CHROMIUM=/path/to/it." >&2
exit 1
