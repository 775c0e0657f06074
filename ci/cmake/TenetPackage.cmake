# What 'cmake --install' puts where, and the Debian package (cpack -G DEB).
#
# Man page and completions are printed by the program itself. ci/package.sh
# builds the package as it is meant to be released.
set(pkg "${PROJECT_SOURCE_DIR}/ci/package")
set(made "${PROJECT_BINARY_DIR}/package")
set(TN_PACKAGE_VERSION "${PROJECT_VERSION}" CACHE STRING
    "Version of the Debian package")
string(TIMESTAMP TN_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file("${pkg}/changelog.in" "${made}/changelog" @ONLY)

set(run env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:tenet>)
add_custom_command(
  OUTPUT "${made}/tenet.1.gz" "${made}/changelog.gz" "${made}/bash" "${made}/zsh"
         "${made}/fish"
  COMMAND ${run} man | gzip -9n > "${made}/tenet.1.gz"
  COMMAND gzip -9nc "${made}/changelog" > "${made}/changelog.gz"
  COMMAND ${run} completion bash > "${made}/bash"
  COMMAND ${run} completion zsh > "${made}/zsh"
  COMMAND ${run} completion fish > "${made}/fish"
  DEPENDS tenet "${made}/changelog" VERBATIM)
add_custom_target(tenet_package ALL
  DEPENDS "${made}/tenet.1.gz" "${made}/bash")

# Dependencies on libraries that are loaded, not linked: see depends.cmake.
tn_lazy_needs(tenet_needs)
add_dependencies(tenet_package tenet_needs)
configure_file("${pkg}/depends.cmake.in" "${made}/depends.cmake.in" @ONLY)
file(GENERATE OUTPUT "${made}/depends.cmake" INPUT "${made}/depends.cmake.in")
set(CPACK_PROJECT_CONFIG_FILE "${made}/depends.cmake")

install(FILES "${made}/tenet.1.gz" DESTINATION share/man/man1)
install(FILES "${made}/bash" RENAME tenet
        DESTINATION share/bash-completion/completions)
install(FILES "${made}/zsh" RENAME _tenet
        DESTINATION share/zsh/vendor-completions)
install(FILES "${made}/fish" RENAME tenet.fish
        DESTINATION share/fish/vendor_completions.d)
install(DIRECTORY docs/schema/ DESTINATION share/tenet/schema
        FILES_MATCHING PATTERN "*.json")
install(FILES README.md "${pkg}/copyright" "${made}/changelog.gz"
        DESTINATION share/doc/tenet)
install(DIRECTORY docs/ DESTINATION share/doc/tenet
        FILES_MATCHING PATTERN "*.md" PATTERN "*.json" PATTERN "*.yml"
        PATTERN schema EXCLUDE PATTERN "*_test.yml" EXCLUDE)
install(FILES "${pkg}/daemon.yml" "${pkg}/remote.conf"
        DESTINATION share/doc/tenet/examples)
install(DIRECTORY ci/demo/ DESTINATION share/doc/tenet/examples/intent)

# Not below the prefix, and therefore only if that is a system's own. Debian's
# dpkg does not know yet that /lib is /usr/lib.
install(CODE "
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    file(INSTALL \"${pkg}/tenet.service\" DESTINATION /lib/systemd/system)
    file(INSTALL \"${pkg}/tenet.tmpfiles\" RENAME tenet.conf
         DESTINATION /usr/lib/tmpfiles.d)
    file(INSTALL \"${pkg}/tenet.default\" RENAME tenet
         DESTINATION /etc/default)
    file(INSTALL DESTINATION /etc/tenet TYPE DIRECTORY FILES \"\")
  endif()")

set(CPACK_GENERATOR DEB)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_NAME tenet)
set(CPACK_PACKAGE_VERSION "${TN_PACKAGE_VERSION}")
set(CPACK_PACKAGE_CONTACT "The authors of tenet <tenet@tenet.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY
    "tenant networks, reconciled from a Git repository")
set(CPACK_PACKAGE_DESCRIPTION
"Keeps the virtual networks of many tenants as a Git repository says they
should be: compiles YAML into what every device should hold, shows the
difference as a plan, applies and verifies it, heals drift, and commits the
outcome back to Git.

This package has the command line, the service, JSON Schemas for editors,
and rules and a dashboard for Prometheus and Grafana.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, graphviz, iproute2")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "git, nftables")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    "${pkg}/conffiles;${pkg}/postinst;${pkg}/prerm;${pkg}/postrm")
include(CPack)
