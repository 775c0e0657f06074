#!/usr/bin/env bash
# Builds the Debian package as it is released: Debian's own compiler flags with
# all hardening, assertions kept, stripped.
#
#   ci/package.sh [DIRECTORY]    where the package goes (default build/package)
#
# A commit that bears the tag v<version> gives <version>; any other one
# <version>~git<date>.<commit>, which is older for dpkg.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-build/package}")
build=build/package/tree

version=$(sed -n 's/^project(tenet VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
if ! git describe --exact-match --match "v$version" >/dev/null 2>&1; then
    version+=$(TZ=UTC git log -1 --date=format-local:%Y%m%d%H%M --format='~git%cd.%h')
fi
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
flags() { DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get "$1"; }
here="-ffile-prefix-map=$PWD=."

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None \
    -DTN_PACKAGE_VERSION="$version" -DCMAKE_INSTALL_PREFIX=/usr \
    -DCMAKE_C_FLAGS="$(flags CFLAGS) $(flags CPPFLAGS) $here" \
    -DCMAKE_EXE_LINKER_FLAGS="$(flags LDFLAGS)" >/dev/null
cmake --build "$build" --target tenet tenet_package -- --quiet
mkdir -p "$out"
cpack --config "$build/CPackConfig.cmake" -G DEB -B "$out" \
    -D CPACK_INSTALL_CMAKE_PROJECTS="$PWD/$build;tenet;ALL;/" >/dev/null
rm -rf "$out/_CPack_Packages"
ls "$out"/tenet_"$version"_*.deb
