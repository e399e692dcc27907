# Sourced by every script here: where things are, how a script speaks, how it stops.

set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root"

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}"
export PATH="$root/target/tools/bin:$root/node_modules/.bin:$PATH"

# The tool must be of the crate's own patch version, so the lock file decides.
wasm_bindgen_version="$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, "", $3); print $3; exit }' Cargo.lock)"

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

fail() {
    printf '\033[1;31m%s\033[0m\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

elapsed() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Where PostgreSQL keeps initdb and pg_ctl; they are not on Debian's PATH. Empty when there is none.
postgres_bin() {
    local newest
    newest="$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)"
    if [ -x "$newest/initdb" ]; then
        echo "$newest"
    elif command -v initdb >/dev/null; then
        dirname "$(command -v initdb)"
    fi
}

# The browser that end to end tests drive.
find_chromium() {
    local name
    for name in "${COUNTERSIGN_CHROMIUM:-}" chromium chromium-browser google-chrome; do
        if [ -n "$name" ] && command -v "$name" >/dev/null; then
            command -v "$name"
            return
        fi
    done
}
