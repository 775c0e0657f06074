# The files of policies that tenet ships, without their ending: they are built
# into the program, installed, and what 'tenet init' begins with.
set(TN_POLICIES addresses changes exposure names)

file(GLOB found RELATIVE "${CMAKE_CURRENT_LIST_DIR}" CONFIGURE_DEPENDS
     "${CMAKE_CURRENT_LIST_DIR}/*.yml")
list(TRANSFORM found REPLACE "\\.yml$" "")
list(SORT found)
if(NOT "${found}" STREQUAL "${TN_POLICIES}")
  message(FATAL_ERROR "policies/list.cmake names ${TN_POLICIES}, "
                      "but there are ${found}")
endif()
