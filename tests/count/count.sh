#!/bin/sh
# Instructions of one select and its report, counted by callgrind: the same figure on a busy machine as on an idle one. Fails
# when one is above the limit, or when a larger pool takes more of them.
set -eu
COUNT=${BUILD:-build}/count
STEPS=20000

command -v valgrind >/dev/null 2>&1 || {
	echo "count: valgrind is missing (apt-get install valgrind)" >&2
	exit 1
}

collected() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$COUNT" "$@" 2>&1 |
		awk '/Collected/ {found = 1; print $4} END {exit !found}'
}

# the difference of two runs leaves out what a run takes to start; the loop itself is part of it
each() {
	once=$(collected "$1" "$2" "$3" $STEPS)
	twice=$(collected "$1" "$2" "$3" $((2 * STEPS)))
	echo $(((twice - once) / STEPS))
}

# an average that peaks is read twice and written once; a ring is found through its index
limit_of() {
	case $1 in
	peak_ewma) echo 780 ;;
	ring_hash) echo 650 ;;
	*) echo 620 ;;
	esac
}

failed=0
printf '  %-22s %10s %10s %12s\n' 'instructions' 'own lane' 'lane 0' 'N = 1,000'
for algorithm in round_robin weighted_round_robin random two_choices peak_ewma ring_hash maglev; do
	own=$(each $algorithm 10 own)
	shared=$(each $algorithm 10 shared)
	large=$(each $algorithm 1000 own)
	printf '  %-22s %10d %10d %12d\n' $algorithm "$own" "$shared" "$large"
	for count in "$own" "$shared" "$large"; do
		[ "$count" -le "$(limit_of "$algorithm")" ] || failed=1
	done
done
[ $failed = 0 ] || {
	echo "count: more instructions than the limit" >&2
	exit 1
}
