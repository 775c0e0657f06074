# tn_module(NAME SOURCES ... [DEPS module ...] [LIBS target ...])
#   An OBJECT library 'tn_NAME'.  DEPS are our modules, LIBS foreign ones; the
#   latter are PRIVATE: no header of ours shows a foreign type.
# tn_test(NAME SOURCES ... [DEPS module ...] [LIBS target ...] [LABELS ...]
#         [TIMEOUT s])
#   A Criterion program, run by CTest.  Criterion lets a test pass although
#   LeakSanitizer reported a leak, hence FAIL_REGULAR_EXPRESSION.
set(TN_FAIL_REGEX
  "ERROR: (Leak|Address)Sanitizer|runtime error:|Assertion Failed|crashed during its setup or teardown|WARNING: ThreadSanitizer")

function(tn_module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPS;LIBS" ${ARGN})
  add_library(tn_${name} OBJECT ${M_SOURCES})
  target_link_libraries(tn_${name} PRIVATE tn_options ${M_LIBS})
  set_property(GLOBAL PROPERTY tn_${name}_deps "${M_DEPS}")
  set_property(GLOBAL PROPERTY tn_${name}_libs "${M_LIBS}")
  tn_lazy_sources(${M_SOURCES})
endfunction()

# Collects a module, what it depends on, and the foreign libraries of all.
function(tn_closure out_modules out_libs)
  set(todo ${ARGN})
  set(seen "")
  set(libs "")
  while(todo)
    list(POP_FRONT todo m)
    if(NOT m IN_LIST seen)
      list(APPEND seen ${m})
      get_property(d GLOBAL PROPERTY tn_${m}_deps)
      get_property(l GLOBAL PROPERTY tn_${m}_libs)
      list(APPEND todo ${d})
      list(APPEND libs ${l})
    endif()
  endwhile()
  list(REMOVE_DUPLICATES libs)
  set(${out_modules} ${seen} PARENT_SCOPE)
  set(${out_libs} ${libs} PARENT_SCOPE)
endfunction()

# Links a program with modules (and all that they need).
function(tn_link program)
  tn_closure(mods libs ${ARGN})
  foreach(m ${mods})
    target_sources(${program} PRIVATE $<TARGET_OBJECTS:tn_${m}>)
  endforeach()
  target_link_libraries(${program} PRIVATE tn_options ${libs})
endfunction()

function(tn_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "SOURCES;DEPS;LIBS;LABELS;ARGS" ${ARGN})
  if(TN_FUZZ)
    return()
  endif()
  add_executable(${name} ${T_SOURCES})
  tn_link(${name} ${T_DEPS})
  target_link_libraries(${name} PRIVATE PkgConfig::CRITERION ${T_LIBS})
  # Criterion's own macros are not -Wpedantic clean.
  target_compile_options(${name} PRIVATE -Wno-pedantic -Wno-missing-prototypes)
  add_test(NAME ${name} COMMAND ${name} ${T_ARGS}
           WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
    set_property(TEST ${name} PROPERTY TIMEOUT 120)
  else()
    set_property(TEST ${name} PROPERTY TIMEOUT ${T_TIMEOUT})
  endif()
  set_tests_properties(${name} PROPERTIES
    FAIL_REGULAR_EXPRESSION "${TN_FAIL_REGEX}" LABELS "${T_LABELS}")
endfunction()
