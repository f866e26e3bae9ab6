#!/bin/sh
# Fails when a release binary holds vector intrinsics, or pulp's wrappers of them, as functions of their own. One
# missing #[inline(always)] under a kernel turns every instruction of it into a call. Takes the binaries to look at.
set -eu

for binary in "$@"; do
    symbols=$(nm --demangle "$binary")
    # The dispatched kernels themselves must be there, else the pattern below proves nothing.
    if ! printf '%s\n' "$symbols" | grep -q 'pulp::.*::vectorize::imp'; then
        echo "$binary: no dispatched kernels found; is it stripped?" >&2
        exit 2
    fi
    calls=$(printf '%s\n' "$symbols" | grep -E 'core_arch::.*::_mm|core_arch::(aarch64|arm_shared)::.*::v[a-z]+q?_|<pulp::[a-z0-9_:]+ as pulp::Simd>::' |
        grep -v '::vectorize' || true)
    if [ -n "$calls" ]; then
        printf '%s: not inlined:\n%s\n' "$binary" "$calls" >&2
        exit 1
    fi
    echo "$binary: all intrinsics are inlined"
done
