#!/bin/sh
# What the archive asks for and shows, whether each header stands alone, and a process that may make no system call.
# Environment: CC, BUILD. A compiler that is missing is named and left out, but not in CI.
set -eu
BUILD=${BUILD:-build}
CC=${CC:-cc}
LIB=$BUILD/liblbcore.a
OUT=$BUILD/hygiene
mkdir -p "$OUT"

fail() {
	echo "hygiene: $*" >&2
	exit 1
}

# 1. the archive asks only for memory, string and clock functions
allowed='memcpy|memmove|memset|memcmp|memchr|strlen|strnlen|strcmp|strncmp|realloc|malloc|calloc|free|clock_gettime'
nm -u "$LIB" | awk '$1 == "U" {print $2}' | sort -u >"$OUT/asked"
nm --defined-only "$LIB" | awk 'NF == 3 {print $3}' | sort -u >"$OUT/defined"
strange=$(comm -23 "$OUT/asked" "$OUT/defined" | grep -Ev "^($allowed|_GLOBAL_OFFSET_TABLE_)\$" || true)
[ -z "$strange" ] || fail "the archive asks for: $strange"

# 2. it has no writable data
writable=$(nm "$LIB" | awk '$2 ~ /^[DdBbC]$/ && $3 !~ /^\./ {print $3}' | grep -v '^lb_algo\|^rows' || true)
objects=$(objdump -h "$LIB" | awk '$2 ~ /^\.(data|bss)(\.|$)/ && $2 !~ /rel\.ro/ && $3 != "00000000" {print $2}')
[ -z "$objects" ] || fail "writable data: $objects $writable"

# 3. a shared object that links it re-exports nothing
$CC -shared -o "$OUT/plugin.so" -Wl,--whole-archive "$LIB" -Wl,--no-whole-archive
exported=$(nm -D --defined-only "$OUT/plugin.so" | grep -c ' lb_' || true)
[ "$exported" = 0 ] || fail "a plug-in would re-export $exported symbols"

# 4. each header alone, as C11 and as C++17
for header in include/lbcore/*.h; do
	for compiler in gcc clang g++ clang++; do
		if ! command -v $compiler >/dev/null 2>&1; then
			[ -z "${CI:-}" ] || fail "$compiler is missing"
			continue
		fi
		case $compiler in
		*++) language="-x c++ -std=c++17" ;;
		*) language="-x c -std=c11" ;;
		esac
		# shellcheck disable=SC2086 # two words each
		printf '#include <lbcore/%s>\n' "$(basename "$header")" |
			$compiler $language -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only - ||
			fail "$header with $compiler"
	done
done

# 5. size
text=$(size -t "$LIB" | awk 'END {print $1}')
[ "$text" -lt 131072 ] || fail "text is $text bytes, more than 128 KiB"

# 6. a million requests with no system call
$CC -std=c11 -O2 -Iinclude tests/hygiene/seccomp.c "$LIB" -o "$OUT/seccomp"
"$OUT/seccomp" || fail "a system call on the request path (exit $?)"

echo "hygiene: text $text bytes; asks for $(comm -23 "$OUT/asked" "$OUT/defined" | grep -v _GLOBAL | tr '\n' ' ')"
