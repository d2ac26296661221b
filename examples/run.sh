#!/usr/bin/env bash
# Starts the sample services and the gateway, says what to try, and stops all on Ctrl-C. Without an argument it takes the root gateway.toml,
# with one examples/NAME/gateway.toml. `make run` and `make build plugins backend` build what is needed.
#
#   examples/run.sh [NAME]
set -euo pipefail
cd "$(dirname "$0")/.."

example=${1:-}
bin=${BIN:-bin}
readme=${README:-examples/$example/README.md}
config=${CONFIG:-${example:+examples/$example/}gateway.toml}
started=()

if [ ! -f "$config" ]; then
	echo "run: there is no $config" >&2
	exit 1
fi

# addresses KEY prints the addresses on this machine that the config has in lines that begin with KEY.
addresses() { { grep -E "^$1 *=" "$config" || true; } | grep -oE '127\.0\.0\.1:[0-9]+'; }

gateway=$(sed -n '/^\[server\]/,/^\[admin\]/p' "$config" | grep -oE '127\.0\.0\.1:[0-9]+' | head -n 1)
admin=$(addresses listen | tail -n 1)
services=$(addresses endpoints | paste -sd, -)
issuer=$(addresses jwks_url || true) # only one example has one

# With job control on, each of the two is a process group of its own: Ctrl-C reaches only this script, which then lets
# the gateway drain before the service behind it goes.
set -m

stop() {
	trap - EXIT
	trap '' INT TERM
	for ((i = ${#started[@]} - 1; i >= 0; i--)); do
		kill -TERM "${started[i]}" 2>/dev/null || true
		wait "${started[i]}" 2>/dev/null || true
	done
}
trap stop EXIT
trap 'exit 0' INT TERM

# status ADDRESS PATH prints the status of a GET, or nothing when nobody answers.
status() {
	(
		exec 3<>"/dev/tcp/${1%:*}/${1##*:}"
		printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$2" "$1" >&3
		read -r -t 5 _ code _ <&3
		echo "$code"
	) 2>/dev/null || true
}

# wait_for PID ADDRESS PATH waits, for at most a minute, until a GET answers 200. Go alone builds larger plugins than
# TinyGo, and the first start compiles them.
wait_for() {
	for _ in {1..600}; do
		if ! kill -0 "$1" 2>/dev/null; then
			echo "run: it ended before it was ready; its reason stands above" >&2
			exit 1
		fi
		if [ "$(status "$2" "$3")" = 200 ]; then return; fi
		sleep 0.1
	done
	echo "run: no answer from http://$2$3 within a minute" >&2
	exit 1
}

# A stranger on one of the ports would answer in place of what is started here.
for address in ${services//,/ } $issuer "$admin" "$gateway"; do
	if (exec 3<>"/dev/tcp/${address%:*}/${address##*:}") 2>/dev/null; then
		echo "run: something listens on $address already; stop it first" >&2
		exit 1
	fi
done

"$bin/backend" -listen "$services" &
started+=($!)
wait_for "${started[-1]}" "${services%%,*}" /
if [ -n "$issuer" ]; then
	"$bin/issuer" -listen "$issuer" &
	started+=($!)
	wait_for "${started[-1]}" "$issuer" /jwks.json
fi
"$bin/sallyport" run -c "$config" &
started+=($!)
wait_for "${started[-1]}" "$admin" /readyz

if [ -n "$example" ]; then
	printf '\nSallyport is ready on http://%s with %s. In another terminal, try:\n\n' "$gateway" "$config"
	grep -E '^(curl|for .*curl) ' "$readme" | sed 's/^/  /'
	printf '\nCtrl-C stops all.\n\n'
	wait "${started[-1]}"
	exit
fi

cat <<TEXT

Sallyport is ready on http://$gateway, with the sample service behind it. In another terminal, try:

  curl -i $gateway/hello/world                            # 200, through a plugin and a native filter
  curl -i $gateway/private/x                              # no key: 401
  curl -i -H 'X-Api-Key: demo-key' $gateway/private/x     # with the key: 200
  curl -i $gateway/internal/x                             # refused by address: 403
  curl -s -o /dev/null -w '%{http_code}\n' '$gateway/limited?[1-10]'   # past the limit: 429

Each request is a line of JSON here. Change gateway.toml and see it take effect. Ctrl-C stops both.

TEXT
wait "${started[-1]}"
