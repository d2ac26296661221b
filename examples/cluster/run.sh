#!/usr/bin/env bash
# Starts Redis, the sample service, two gateways and a TCP balancer before them; says what to try; stops all on Ctrl-C.
# `make cluster` builds what is needed first. CONFIGS and BIN can name other folders, REDIS, SAMPLE and BALANCER other addresses.
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=${BIN:-bin}
configs=${CONFIGS:-examples/cluster}
redis=${REDIS:-127.0.0.1:6390}
sample=${SAMPLE:-127.0.0.1:9001}
balancer=${BALANCER:-127.0.0.1:8080}
started=()

command -v redis-server >/dev/null || {
	echo "cluster: there is no redis-server; Debian has it in the package redis-server" >&2
	exit 1
}

# address FILE TABLE prints the first address in a table of a gateway's config.
address() { sed -n "/^\[$2\]/,/^\[/s/.*listen.*\"\(127[^\"]*\)\".*/\1/p" "$1" | head -1; }

gateways=() admins=()
for i in 1 2; do
	gateways+=("$(address "$configs/gateway-$i.toml" server)")
	admins+=("$(address "$configs/gateway-$i.toml" admin)")
done

# As in ../run.sh: each is a process group of its own, and they stop in the reverse order.
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

listens() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

# start ADDRESS COMMAND… starts a command and waits, for at most a minute, until it listens.
start() {
	local at=$1
	shift
	if listens "$at"; then
		echo "cluster: something listens on $at already; stop it first" >&2
		exit 1
	fi
	"$@" &
	started+=($!)
	for _ in {1..600}; do
		kill -0 "${started[-1]}" 2>/dev/null || {
			echo "cluster: $1 ended before it was ready; its reason stands above" >&2
			exit 1
		}
		if listens "$at"; then return; fi
		sleep 0.1
	done
	echo "cluster: $1 does not listen on $at" >&2
	exit 1
}

start "$redis" redis-server --bind "${redis%:*}" --port "${redis##*:}" --save '' --appendonly no --loglevel warning --daemonize no
start "$sample" "$bin/backend" -listen "$sample"
for i in 0 1; do
	start "${gateways[i]}" "$bin/sallyport" run -c "$configs/gateway-$((i + 1)).toml"
	echo "gateway $((i + 1)): pid ${started[-1]}, ${gateways[i]}, status at http://${admins[i]}/status"
done
start "$balancer" "$bin/balancer" -listen "$balancer" -to "${gateways[0]},${gateways[1]}"

cat <<TEXT

Two gateways are ready behind http://$balancer. In another terminal, try:

  for i in {1..60}; do curl -s -o /dev/null -w '%{http_code} ' $balancer/limited; done   # fifty 200, then 429, from whichever gateway
  curl -i -H 'X-Api-Key: me' $balancer/plans                                             # two limits, decided on together
  kill -9 ${started[2]}; curl -i $balancer/hello                                            # one gateway gone: the other answers
  kill -9 ${started[0]}; curl -i $balancer/limited                                          # Redis gone: each counts by itself

Ctrl-C stops all.

TEXT
wait "${started[-1]}"
