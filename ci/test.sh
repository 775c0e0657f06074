#!/usr/bin/env bash
# Sets up, builds with ASan and UBSan (warnings are errors) and runs all tests.
#
#   ci/test.sh [CTEST OPTION]...      e.g. ci/test.sh -L root
set -euo pipefail
cd "$(dirname "$0")/.."

ci/setup.sh --test
cmake --preset asan >/dev/null
cmake --build --preset asan -- --quiet

if [ "$(id -u)" -ne 0 ]; then
    echo "Not root: the tests that make network namespaces are left out." >&2
    set -- -LE root "$@"
fi
# Tests labelled 'root' share the machine's namespaces but use names of their
# own; two at a time is what two processors carry.
exec ctest --test-dir build/asan --output-on-failure --no-tests=error -j2 "$@"
