#!/bin/sh
# Checks that each public function has a comment that ends with its Threads: class (one comment may serve the prototypes
# that follow it), and that the library defines it; prints the index of functions.
set -eu
LIB=${BUILD:-build}/liblbcore.a

index=$(awk '
	FNR == 1 { class = ""; comment = "" }
	/^\/\*/ { comment = ""; inside = 1 }
	inside { comment = comment " " $0 }
	/\*\// { inside = 0; class = ""; if (match(comment, /Threads: [a-z]+/)) class = substr(comment, RSTART + 9, RLENGTH - 9) }
	/^[a-z].*[ *]lb_[a-z0-9_]+\(/ && !/^typedef/ {
		name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
		print FILENAME, name, (class == "" ? "MISSING" : class)
	}' include/lbcore/*.h)
echo "$index" | awk '{ n = split($1, path, "/"); printf "%-12s %-28s %s\n", path[n], $2, $3 }'
missing=$(echo "$index" | awk '$3 !~ /^(request|control|look|owner)$/ {print $2}')
[ -z "$missing" ] || {
	echo "docs: no Threads: class: $missing" >&2
	exit 1
}
[ -f "$LIB" ] || exit 0
nm --defined-only "$LIB" | awk '$2 == "T" {print $3}' | sort >"$LIB.defined"
undefined=$(echo "$index" | awk '{print $2}' | sort | comm -23 - "$LIB.defined")
[ -z "$undefined" ] || {
	echo "docs: declared, but not there: $undefined" >&2
	exit 1
}
