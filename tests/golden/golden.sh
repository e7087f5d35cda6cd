#!/bin/bash
# The golden picks with each compiler, optimisation and machine that is at hand, against golden.txt: a line for each, with its
# seconds. What is missing is skipped and named; a difference shows its first lines and fails. Environment: BUILD.
set -u
OUT=${BUILD:-build}/golden-of
GOLDEN=tests/golden/golden.txt
failed=0 skipped=0 same=0
mkdir -p "$OUT"

result() {
	local tenths=$(((${EPOCHREALTIME/./} - begun) / 100000))
	printf '  %-16s %-8s %3d.%d s  %s\n' "$name" "$1" $((tenths / 10)) $((tenths % 10)) "${2:-}"
}

skip() {
	result skipped "$1"
	skipped=$((skipped + 1))
}

# Name, how to run ("" = as it is), compiler and flags.
variant() {
	local name=$1 run=$2 begun=${EPOCHREALTIME/./}
	local program=$OUT/$name
	shift 2
	command -v "$1" >/dev/null || { skip "no $1" && return; }
	[ -z "$run" ] || command -v "$run" >/dev/null || { skip "no $run" && return; }
	# a compiler may be there without the C library of its machine
	echo 'int main(void) { return 0; }' | "$@" -include stdio.h -x c - -o "$program" 2>/dev/null ||
		{ skip "$1 has no C library for this" && return; }
	if ! "$@" -std=c11 -w -Ilib -Iinclude lib/*/*.c tests/golden/*.c -o "$program"; then
		result FAILED "does not build"
		failed=$((failed + 1))
	elif ! $run "$program" >"$program.txt"; then
		result FAILED "does not run"
		failed=$((failed + 1))
	elif ! cmp -s "$GOLDEN" "$program.txt"; then
		result DIFFERS "see: $run $program ALGORITHM SCENE"
		diff "$GOLDEN" "$program.txt" | head -n 10
		failed=$((failed + 1))
	else
		result ok
		same=$((same + 1))
	fi
}

# Debian has qemu as a static program or not
emulator() {
	command -v "qemu-$1-static" || command -v "qemu-$1" || echo "qemu-$1-static"
}

i386=(i686-linux-gnu-gcc -static)
command -v "${i386[0]}" >/dev/null || i386=(gcc -m32)

for level in -O0 -O2 -O3; do
	variant "gcc$level" "" gcc $level
	variant "clang$level" "" clang $level
done
variant i386 "" "${i386[@]}" -O2
variant aarch64 "$(emulator aarch64)" aarch64-linux-gnu-gcc -static -O2
variant s390x "$(emulator s390x)" s390x-linux-gnu-gcc -static -O2
variant musl "" musl-gcc -static -O2

echo "golden: $same the same, $failed not, $skipped skipped"
[ $failed = 0 ]
