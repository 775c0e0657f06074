# tn_lazy(NAME)
#   TenetLazy::NAME, for LIBS: a library that is loaded when it is first used
#   (model/base/lazy.h). A module is compiled with its headers, and with its
#   SONAME and the Debian package that has it as TN_SONAME_NAME and
#   TN_PACKAGE_NAME, and linked with nothing. NAME_LINK_LIBRARIES (a file),
#   _INCLUDE_DIRS and _CFLAGS_OTHER are as pkg_check_modules() sets them.
#   What was made is listed in TN_LAZY_FILES, for the package.
function(tn_lazy name)
  list(GET ${name}_LINK_LIBRARIES 0 file)
  execute_process(COMMAND "${CMAKE_READELF}" -d "${file}"
                  OUTPUT_VARIABLE dynamic ERROR_VARIABLE problem)
  if(NOT dynamic MATCHES "SONAME[^\n]*: *.([^\n]+)]")
    message(FATAL_ERROR "${file}: no shared library with a SONAME ${problem}")
  endif()
  set(soname "${CMAKE_MATCH_1}")
  set(package "")
  execute_process(COMMAND dpkg-query -S "*/${soname}"
                  OUTPUT_VARIABLE owner ERROR_QUIET RESULT_VARIABLE unknown)
  if(owner MATCHES "^([^:]+):")
    set(package "${CMAKE_MATCH_1}")
  endif()
  add_library(TenetLazy_${name} INTERFACE)
  add_library(TenetLazy::${name} ALIAS TenetLazy_${name})
  target_include_directories(TenetLazy_${name} SYSTEM INTERFACE
                             ${${name}_INCLUDE_DIRS})
  target_compile_options(TenetLazy_${name} INTERFACE ${${name}_CFLAGS_OTHER})
  target_compile_definitions(TenetLazy_${name} INTERFACE
    TN_SONAME_${name}="${soname}" TN_PACKAGE_${name}="${package}")
  set_property(GLOBAL APPEND PROPERTY TN_LAZY_FILES "${file}")
endfunction()
