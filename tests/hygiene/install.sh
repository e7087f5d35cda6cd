#!/bin/sh
# Installs into a staging root, builds the minimal example with what pkg-config says, runs it, and takes all away again.
set -eu
BUILD=${BUILD:-build}
ROOT=$PWD/$BUILD/stage

command -v pkg-config >/dev/null 2>&1 || {
	echo "install test: pkg-config is missing (apt-get install pkg-config)" >&2
	exit 1
}
rm -rf "$ROOT"
make --no-print-directory -s BUILD="$BUILD" DESTDIR="$ROOT" PREFIX=/usr install >/dev/null
export PKG_CONFIG_PATH="$ROOT/usr/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$ROOT"
flags=$(pkg-config --cflags --libs --static lbcore)
# shellcheck disable=SC2086 # flags are words
${CC:-cc} -std=c11 examples/01_minimal.c $flags -o "$ROOT/minimal"
lines=$("$ROOT/minimal" | wc -l)
[ "$lines" -ge 12 ] || {
	echo "install test: the installed example printed $lines lines" >&2
	exit 1
}
make --no-print-directory -s BUILD="$BUILD" DESTDIR="$ROOT" PREFIX=/usr uninstall >/dev/null
left=$(find "$ROOT/usr" -type f)
[ -z "$left" ] || {
	echo "install test: uninstall left $left" >&2
	exit 1
}
echo "install: version $(sed -n 's/^Version: //p' "$BUILD/lbcore.pc"), built and ran with pkg-config, uninstall left nothing"
