# mayfly_module(NAME [USES module...] [LINKS target...] [DOORS header...])
#
# One library target per folder of src/. A module sees the public headers ("doors") of itself and
# of the modules that it names under USES, and no others: a forbidden include does not compile.
# Doors are reached as "module/header.h" through a folder of links in the build tree; a module's
# private headers are reached from inside its own folder only.

set(MAYFLY_SANITIZE "" CACHE STRING "value for -fsanitize=")
option(MAYFLY_FUZZ "build the libFuzzer targets" OFF)
option(MAYFLY_LTO "optimise the serving executable across modules" OFF)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")

# Warnings and sanitizers, for every target of ours.
function(mayfly_target_options target)
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wconversion -Wvla -Werror
      -Wstrict-prototypes -Wmissing-prototypes -fno-strict-aliasing -fstack-protector-strong
      -ftls-model=initial-exec>)
  if(MAYFLY_LTO)
    target_compile_options(${target} PRIVATE -flto=auto -ffat-lto-objects)
  endif()
  if(MAYFLY_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${MAYFLY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${MAYFLY_SANITIZE})
  endif()
  if(MAYFLY_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

function(mayfly_module name)
  cmake_parse_arguments(ARG "" "" "USES;LINKS;DOORS" ${ARGN})
  if(NOT ARG_DOORS)
    set(ARG_DOORS ${name}.h)
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
    ${CMAKE_CURRENT_SOURCE_DIR}/*.c ${CMAKE_CURRENT_SOURCE_DIR}/*.S)
  add_library(${name} STATIC ${sources})
  set(door_dir ${CMAKE_BINARY_DIR}/include/${name}/${name})
  file(REMOVE_RECURSE ${door_dir})
  file(MAKE_DIRECTORY ${door_dir})
  foreach(door ${ARG_DOORS})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${door} ${door_dir}/${door} SYMBOLIC)
  endforeach()
  mayfly_target_options(${name})
  foreach(used ${name} ${ARG_USES})
    target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/include/${used})
  endforeach()
  set_property(TARGET ${name} PROPERTY MAYFLY_USES "${ARG_USES}")
  target_link_libraries(${name} PUBLIC ${ARG_USES} ${ARG_LINKS})
endfunction()

# mayfly_program(NAME [SOURCES file...] USES module... [INSIDE module...] [LINKS target...])
# An executable. INSIDE gives a test or fuzz target the private headers of a module as well.
function(mayfly_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;INSIDE;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  mayfly_target_options(${name})
  foreach(used ${ARG_USES} ${ARG_INSIDE})
    target_include_directories(${name} PRIVATE ${CMAKE_BINARY_DIR}/include/${used})
  endforeach()
  foreach(inside ${ARG_INSIDE})
    target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/${inside})
  endforeach()
  target_link_libraries(${name} PRIVATE ${ARG_USES} ${ARG_INSIDE} ${ARG_LINKS} Threads::Threads)
  # Objects hold both; only what serves is worth the time of linking the other.
  if(MAYFLY_LTO AND NOT name STREQUAL "mayfly")
    target_link_options(${name} PRIVATE -fno-lto)
  endif()
endfunction()

# mayfly_test(NAME [LABELS label...] + the arguments of mayfly_program)
# A cmocka test program tests/<...>/NAME.c, registered with CTest.
function(mayfly_test name)
  cmake_parse_arguments(ARG "" "" "LABELS;SOURCES;USES;INSIDE;LINKS" ${ARGN})
  if(NOT ARG_SOURCES)
    set(ARG_SOURCES ${name}.c)
  endif()
  mayfly_program(${name} SOURCES ${ARG_SOURCES} USES ${ARG_USES} INSIDE ${ARG_INSIDE}
    LINKS ${ARG_LINKS} cmocka)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(ARG_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  endif()
endfunction()
