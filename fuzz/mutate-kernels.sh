#!/usr/bin/env bash
# Puts faults into the kernels, one at a time, and lists those that no test of theirs notices (needs cargo-mutants).
# It works on a copy that holds the kernels and their twins alone, which builds in seconds. Arguments go to cargo-mutants;
# --re 'update|loss' picks some faults.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

mkdir "$copy/src"
cp Cargo.lock "$copy"
cp -r src/error.rs src/settings.rs src/kernels src/reference "$copy/src"
rm "$copy"/src/reference/{gemm,kfac,muon,network,svd}.rs
sed -i -E '/^(pub )?mod (gemm|kfac|muon|network|svd);|^pub use (gemm|svd)::/d' "$copy/src/reference/mod.rs"
cat > "$copy/src/lib.rs" <<'LIB'
//! The kernels and their twins.
pub mod error;
pub mod kernels;
pub mod reference;
mod settings;
pub use error::{Error, Result};
LIB
# Neither the program nor the benches.
sed -E '/^\[\[/,/^$/d; s/^default = .*/default = []/' Cargo.toml > "$copy/Cargo.toml"
printf '\n[profile.test]\nopt-level = 1\ndebug = 0\n' >> "$copy/Cargo.toml"

cargo mutants --dir "$copy" --file 'src/kernels/**' --output target --timeout 120 "$@" -- --lib kernels
