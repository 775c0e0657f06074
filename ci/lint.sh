#!/usr/bin/env bash
# What a reviewer would say anyway: format, both compilers with warnings as
# errors, clang-tidy, the man page, shell scripts, names of symbols.
#
#   ci/lint.sh [--quick]     --quick: without clang-tidy
set -euo pipefail
cd "$(dirname "$0")/.."

ci/setup.sh --lint
mapfile -t files < <(git ls-files '*.c' '*.h')
clang-format --dry-run -Werror "${files[@]}"
shellcheck -x ci/*.sh tests/lab/*.sh .ci/run

for compiler in gcc clang; do
    cmake -S . -B "build/lint-$compiler" -G Ninja -DTN_WERROR=ON \
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_COMPILER="$compiler" >/dev/null
    cmake --build "build/lint-$compiler" -- --quiet
done

# Every symbol of ours begins with tn_.
alien=$(find build/lint-gcc -path '*tn_*.dir*' -name '*.o' -print0 |
    xargs -0 nm --defined-only -g | awk 'NF == 3 && $3 !~ /^(tn_|main$)/ {print $3}' |
    sort -u)
[ -z "$alien" ] || { echo "Symbols without prefix: $alien" >&2; exit 1; }

build/lint-gcc/tenet man >build/tenet.1
mandoc -Tlint -Wwarning build/tenet.1

[ "${1:-}" = --quick ] && exit 0
git ls-files 'model/*.c' 'drivers/*.c' 'reconciler/*.c' | grep -v _test.c |
    xargs -P2 -n4 clang-tidy -p build/lint-clang --quiet
