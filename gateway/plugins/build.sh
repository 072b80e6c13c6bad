#!/bin/sh
# Compiles the plugins to built/*.wasm. Needs the target: `rustup target add wasm32-unknown-unknown`.
# A small stack keeps the memory small that each call gets. Messages of panics name sources, but no folder of this machine.
set -eu
cd "$(dirname "$0")"
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-C link-arg=-zstack-size=65536 --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo --remap-path-prefix=$PWD=plugins"
cargo build --release --target wasm32-unknown-unknown --package experiments --package old-clients "$@"
mkdir -p built
cp "${CARGO_TARGET_DIR:-target}"/wasm32-unknown-unknown/release/*.wasm built/
