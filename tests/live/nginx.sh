#!/bin/bash
# lbcore beside Debian's own nginx: fresh keys, addresses and weights from SEED (the commit, or the time), ports from the kernel;
# every answer must be the server that lbcore picks. Environment: BUILD, SEED (repeats a run's keys and weights), PICKS (the
# program that picks).
set -u
BUILD=${BUILD:-build}
PICKS=${PICKS:-$BUILD/live-picks}
SEED=${SEED:-$(git rev-parse --verify -q HEAD 2>/dev/null || date +%s)}
KEYS=500 SETS=4 SERVERS=6
failed=0

for tool in nginx curl; do
	command -v $tool >/dev/null || {
		echo "  nginx            skipped  no $tool (apt-get install nginx-light curl)"
		exit 0
	}
done
dir=$(mktemp -d) || exit 1
server=
finish() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; }
	rm -rf "$dir"
}
trap finish EXIT
echo "  nginx: SEED=$SEED"

# numbers from the seed: awk's own generators differ
draw() {
	awk -v x="$(cksum <<<"$SEED $1" | cut -d ' ' -f 1)" -v n="$2" 'function next_one() { return x = x * 16807 % 2147483647 }
		BEGIN { x = x % 2147483646 + 1; for (i = 0; i < 20 + n; i++) { r = next_one(); if (i >= 20) print r } }'
}
draw keys $KEYS | awk '{printf "%x%s\n", $1, substr("-/some.key_x", 1, $1 % 13)}' >"$dir/keys"
draw addresses $((4 * KEYS)) | awk '{o = int($1 / 997) % 256; if (NR % 4 == 1) o = 1 + o % 126; printf "%d%s", o, NR % 4 ? "." : "\n"}' \
	>"$dir/addresses"
mapfile -t weights < <(draw weights $((SETS * SERVERS)) | awk '{print 1 + int($1 / 997) % 20}')
mapfile -t counts < <(draw counts $SETS | awk -v most=$SERVERS '{print 3 + int($1 / 997) % (most - 2)}')
mapfile -t ports < <("$BUILD/live-ports" $((SERVERS + 1)))
front=127.0.0.1:${ports[SERVERS]}

# The servers of a set, as nginx or as lbcore is told; the second one is down in the last two sets.
servers() {
	local set=$1 form=$2 i weight down
	for ((i = 0; i < counts[set]; i++)); do
		weight=${weights[set * SERVERS + i]} down=
		[ "$set" = 0 ] && weight=1
		[ "$set" -ge 2 ] && [ $i = 1 ] && down=$form
		case $form in
		nginx) echo "server 127.0.0.1:${ports[i]} weight=$weight max_fails=0 ${down:+down};" ;;
		lbcore) echo "127.0.0.1:${ports[i]}=$weight${down:+=down}" ;;
		esac
	done
}

declare -A directive=([hash]="hash \$arg_key;" [consistent]="hash \$arg_key consistent;" [ip_hash]="ip_hash;" [round_robin]="")

configure() {
	echo "daemon off; master_process off; pid $dir/pid; error_log $dir/error.log;"
	echo "events { worker_connections 256; } http { access_log off; keepalive_requests 100000;"
	for path in client_body proxy fastcgi uwsgi scgi; do echo "${path}_temp_path $dir/$path;"; done
	echo "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
	for method in "${!directive[@]}"; do
		for ((set = 0; set < SETS; set++)); do
			echo "upstream $method$set { ${directive[$method]} $(servers $set nginx) }"
		done
	done
	for ((i = 0; i < SERVERS; i++)); do
		printf "server { listen %s; return 200 \"%s\\\n\"; }\n" "127.0.0.1:${ports[i]}" "127.0.0.1:${ports[i]}"
	done
	echo "server { listen $front; location = /ready { return 204; }"
	for method in "${!directive[@]}"; do
		for ((set = 0; set < SETS; set++)); do
			echo "location = /$method$set { proxy_pass http://$method$set; }"
		done
	done
	echo "} }"
}
configure >"$dir/nginx.conf"

# not as root
as=()
[ "$(id -u)" = 0 ] && chown nobody "$dir" && as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
"${as[@]}" nginx -p "$dir" -c "$dir/nginx.conf" -e "$dir/error.log" 2>"$dir/said" &
server=$!
curl -sf --retry 15 --retry-delay 1 --retry-connrefused --max-time 20 "http://$front/ready" || {
	cat "$dir/said" "$dir/error.log"
	echo "  nginx            FAILED   does not answer"
	exit 1
}

compare() {
	local method=$1 set=$2 keys=$dir/keys answer
	local -a wanted
	[ "$method" = ip_hash ] && keys=$dir/addresses
	mapfile -t wanted < <(servers "$set" lbcore)
	"$PICKS" "$method" "${wanted[@]}" <"$keys" >"$dir/picked"
	answer=$?
	# one curl, one connection
	awk -v url="http://$front/$method$set" '{printf "%surl = \"%s?key=%s\"\nheader = \"X-Forwarded-For: %s\"\nsilent\n",
		(NR > 1 ? "next\n" : ""), url, $1, $1}' "$keys" | curl -K - >"$dir/answered"
	if [ $answer = 0 ] && [ "$(wc -l <"$dir/answered")" = $KEYS ] && cmp -s "$dir/answered" "$dir/picked"; then
		printf '  nginx %-12s ok       %d: %s\n' "$method" $KEYS "${wanted[*]#127.0.0.1:}"
	else
		printf '  nginx %-12s DIFFERS  %s\n' "$method" "${wanted[*]}"
		paste -d ' ' "$keys" "$dir/answered" "$dir/picked" | awk '$2 != $3 {n++; if (n <= 5) print "    key, nginx, lbcore: " $0}
			END {print "    " n + 0 " of " NR}'
		failed=1
	fi
}

for method in round_robin hash consistent ip_hash; do
	for ((set = 0; set < SETS; set++)); do
		compare $method $set
	done
done
[ $failed = 0 ]
