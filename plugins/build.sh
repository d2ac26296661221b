#!/bin/sh
# Builds every plugin in this folder, and examples/first-plugin-go, into OUT_DIR/NAME.wasm. What is up to date is left alone.
#
#   plugins/build.sh OUT_DIR
#
# Go plugins are built with TinyGo if there is one, else with stock Go; GO_TOOLCHAIN=tinygo or GO_TOOLCHAIN=go
# decides. Rust plugins need a cargo with the wasm32-unknown-unknown standard library; without one they are skipped, or fail
# the build if REQUIRE_RUST=1. No network is used.
set -eu

[ $# = 1 ] || { echo "usage: $0 OUT_DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

say() { # NAME TEXT...
	name_column=$1
	shift
	printf '%-18s %s\n' "$name_column" "$*"
}
die() { echo "$0: $*" >&2; exit 1; }

go_toolchain() {
	case ${GO_TOOLCHAIN:-} in
	go) echo go ;;
	tinygo) command -v tinygo >/dev/null || die "GO_TOOLCHAIN=tinygo, but there is no tinygo on PATH: see https://tinygo.org/getting-started/install"; echo tinygo ;;
	'') if command -v tinygo >/dev/null; then echo tinygo; else echo go; fi ;;
	*) die "GO_TOOLCHAIN=$GO_TOOLCHAIN: tinygo and go are known" ;;
	esac
}

# rust_toolchain prints the rustc and cargo that can build for WebAssembly, nothing if there are none.
rust_toolchain() {
	for dir in "$(dirname "$(command -v cargo || echo /none/cargo)")" /usr/bin; do
		[ -x "$dir/cargo" ] && [ -x "$dir/rustc" ] || continue
		libs=$("$dir/rustc" --print target-libdir --target wasm32-unknown-unknown 2>/dev/null) || continue
		if ls "$libs"/libstd-*.rlib >/dev/null 2>&1; then
			echo "$dir/rustc $dir/cargo"
			return
		fi
	done
}

# fresh NAME TOOLCHAIN SOURCE...: whether it was built with that toolchain, and no source has changed since that began.
fresh() {
	file=$out/$1.wasm stamp=$out/.$1.toolchain want=$2
	shift 2
	[ -f "$file" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] || return 1
	[ -z "$(find "$@" "$here/build.sh" -name target -prune -o -type f -newer "$stamp" -print | head -n 1)" ]
}

# begin NAME TOOLCHAIN notes when and with what a build begins; tmp is the name for its files.
begin() {
	tmp=$out/.$1.$$
	trap 'rm -f "$tmp.toolchain" "$tmp.wasm"' EXIT
	echo "$2" >"$tmp.toolchain"
}

# publish NAME TOOLCHAIN puts what was built into its place at once: a gateway may be watching.
publish() {
	chmod 644 "$tmp.wasm"
	mv "$tmp.wasm" "$out/$1.wasm"
	mv "$tmp.toolchain" "$out/.$1.toolchain"
	say "$1" "built with ${2##* }, $(($(wc -c <"$out/$1.wasm") / 1024)) KiB"
}

# build_go NAME DIR SOURCE...
build_go() {
	name=$1 dir=$2
	shift 2
	if fresh "$name" "$go" "$dir" "$root/sdk/go" "$@"; then
		say "$name" "up to date"
		return
	fi
	begin "$name" "$go"
	case $go in
	tinygo) (cd "$dir" && tinygo build -target=wasm-unknown -opt=s -gc=precise -scheduler=none -no-debug -buildmode=c-shared -o "$tmp.wasm" .) ;;
	go) (cd "$dir" && GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags=-w -o "$tmp.wasm" .) ;;
	esac || die "$name does not build with $go"
	publish "$name" "$go"
}

# build_rust NAME DIR
build_rust() {
	if [ -z "$rust" ]; then
		[ "${REQUIRE_RUST:-}" != 1 ] || die "$1 needs Rust with the target wasm32-unknown-unknown"
		say "$1" "skipped: needs Rust with the target wasm32-unknown-unknown (rustup target add wasm32-unknown-unknown," \
			"or on Debian: apt install cargo libstd-rust-dev-wasm32)"
		return
	fi
	if fresh "$1" "$rust" "$2" "$root/sdk/rust"; then
		say "$1" "up to date"
		return
	fi
	begin "$1" "$rust"
	(cd "$2" && RUSTC=${rust% *} "${rust#* }" build --quiet --release --offline --target wasm32-unknown-unknown) ||
		die "$1 does not build with ${rust#* }"
	cp "$2/target/wasm32-unknown-unknown/release/$(echo "$1" | tr - _).wasm" "$tmp.wasm"
	publish "$1" "$rust"
}

go=$(go_toolchain)
rust=$(rust_toolchain)

for dir in "$here"/*/; do
	name=$(basename "$dir")
	if [ -f "$dir/Cargo.toml" ]; then
		build_rust "$name" "$dir"
	elif [ -f "$dir/main.go" ]; then
		build_go "$name" "$dir" "$here/go.mod" "$here/internal"
	fi
done
build_go first-plugin "$root/examples/first-plugin-go"
