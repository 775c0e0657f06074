# tn_lazy(NAME)
#   TenetLazy::NAME, for LIBS: a library that is loaded when it is first used
#   (model/base/lazy.h). A module is compiled with its headers, and with its
#   SONAME and the Debian package that has it as TN_SONAME_NAME and
#   TN_PACKAGE_NAME, and linked with nothing. NAME_LINK_LIBRARIES (a file),
#   _INCLUDE_DIRS and _CFLAGS_OTHER are as pkg_check_modules() sets them.
#
# tn_lazy_needs(NAME)
#   A plugin NAME that nobody loads: all sources that call such libraries,
#   compiled so that it is linked with these. What the linker would have noted
#   about the program can be read from it.
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
  set_property(GLOBAL APPEND PROPERTY tn_lazy_libs TenetLazy::${name})
  set_property(GLOBAL APPEND PROPERTY tn_lazy_files "${file}")
endfunction()

# Remembers those sources of a module that call such libraries.
function(tn_lazy_sources)
  foreach(source ${ARGN})
    cmake_path(ABSOLUTE_PATH source)
    if(EXISTS "${source}")
      file(STRINGS "${source}" calls REGEX "^TN_LAZY\\(")
      if(calls)
        set_property(GLOBAL APPEND PROPERTY tn_lazy_callers "${source}")
      endif()
    endif()
  endforeach()
endfunction()

function(tn_lazy_needs name)
  get_property(callers GLOBAL PROPERTY tn_lazy_callers)
  get_property(libs GLOBAL PROPERTY tn_lazy_libs)
  get_property(files GLOBAL PROPERTY tn_lazy_files)
  add_library(${name} MODULE ${callers})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE TN_LAZY_LINK)
  target_link_libraries(${name} PRIVATE ${libs} -Wl,--as-needed ${files})
endfunction()
