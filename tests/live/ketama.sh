#!/bin/sh
# lbcore's ring beside Debian's libmemcached. Environment: BUILD, CC, SEED (repeats a run).
set -u
BUILD=${BUILD:-build}
SEED=${SEED:-$(git rev-parse --verify -q HEAD 2>/dev/null || date +%s)}

skip() {
	echo "  libmemcached     skipped  $1"
	exit 0
}

pkg-config --exists libmemcached 2>/dev/null || skip "not there (apt-get install pkg-config libmemcached-dev)"
echo "  libmemcached: SEED=$SEED"
# shellcheck disable=SC2046 # flags are words
${CC:-cc} -std=c11 -Wall -Wextra -Iinclude tests/live/ketama.c "$BUILD/liblbcore.a" \
	$(pkg-config --cflags --libs libmemcached) -o "$BUILD/live-ketama" || exit 1
"$BUILD/live-ketama" "$SEED"
