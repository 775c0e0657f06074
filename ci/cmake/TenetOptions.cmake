# Compiler flags and the libraries everyone may ask for by name.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
pkg_check_modules(GIT2 REQUIRED IMPORTED_TARGET libgit2)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(NL REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
pkg_check_modules(NFTABLES REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(MHD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(SSL REQUIRED IMPORTED_TARGET libssl)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(CRITERION REQUIRED IMPORTED_TARGET criterion)
# libjq has no pkg-config file in Debian 12.
find_library(JQ_LINK_LIBRARIES jq REQUIRED)

# Those that are loaded when they are first used.
include(TenetLazy)
foreach(name CURL MHD SYSTEMD JQ SSL CRYPTO NFTABLES)
  tn_lazy(${name})
endforeach()

add_library(tn_options INTERFACE)
target_include_directories(tn_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(tn_options INTERFACE _GNU_SOURCE)
target_compile_options(tn_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wformat=2 -Wimplicit-fallthrough
  -Wswitch-enum -Wundef -Wpointer-arith -Wcast-align -Wwrite-strings
  -fno-common -fvisibility=hidden)
target_link_libraries(tn_options INTERFACE Threads::Threads)
if(TN_WERROR)
  target_compile_options(tn_options INTERFACE -Werror)
endif()
if(TN_SANITIZE)
  set(san -fsanitize=address,undefined -fno-sanitize-recover=undefined
      -fno-omit-frame-pointer)
  target_compile_options(tn_options INTERFACE ${san})
  target_link_options(tn_options INTERFACE ${san})
endif()
if(TN_TSAN)
  target_compile_options(tn_options INTERFACE -fsanitize=thread)
  target_link_options(tn_options INTERFACE -fsanitize=thread)
endif()
if(TN_COVERAGE)
  target_compile_options(tn_options INTERFACE --coverage)
  target_link_options(tn_options INTERFACE --coverage)
endif()
if(TN_ARENA_DEBUG)
  target_compile_definitions(tn_options INTERFACE TN_ARENA_DEBUG)
endif()
