#!/bin/sh
# Write the secrets that docker-compose.yml reads, once; a file that is there already is never touched.
# The folder is closed to everybody else; the files inside must be readable for the containers' own users.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets
chmod 700 secrets

random() { head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

keep() {
    name=$1
    [ -e "secrets/$name" ] && return 0
    cat >"secrets/$name"
    chmod 444 "secrets/$name"
    echo "secrets/$name written"
}

random 48 | keep secret_key
[ -e secrets/token_keys ] || { printf 'k1:'; head -c 32 /dev/urandom | base64 | tr -d '\n'; } | keep token_keys

if [ ! -e secrets/postgres_password ]; then
    password=$(random 24)
    printf '%s' "$password" | keep postgres_password
    rm -f secrets/database_url
    printf 'postgresql://countersign:%s@postgres:5432/countersign' "$password" | keep database_url
fi
if [ ! -e secrets/redis_configuration ]; then
    password=$(random 24)
    printf 'requirepass %s\nappendonly yes\ndir /data\nbind * -::*\nport 6379\n' "$password" | keep redis_configuration
    rm -f secrets/broker_url secrets/cache_url
    printf 'redis://:%s@redis:6379/0' "$password" | keep broker_url
    printf 'redis://:%s@redis:6379/1' "$password" | keep cache_url
fi
for region in us ca eu au; do
    printf '' | keep "clio_${region}_client_secret"
done
echo "Put the secret of your Clio app into secrets/clio_REGION_client_secret, and keep a copy of token_keys somewhere"
echo "safe: without it the connections to Clio must be made again after a restore."
