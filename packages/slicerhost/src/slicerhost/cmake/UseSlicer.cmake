# What include(${Slicer_USE_FILE}) brings to an extension.
if(NOT DEFINED EXTENSION_NAME)
  set(EXTENSION_NAME ${PROJECT_NAME})
endif()

option(BUILD_TESTING "Register tests" ON)
if(BUILD_TESTING)
  enable_testing()
endif()

# The launcher: the headless host, run by the Python that has its packages.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
get_filename_component(SLICERHOST_LAUNCHER ${CMAKE_CURRENT_LIST_DIR}/../launcher.py ABSOLUTE)
set(SLICERHOST_CMAKE_DIR ${CMAKE_CURRENT_LIST_DIR})
set(Slicer_LAUNCHER_EXECUTABLE ${CMAKE_BINARY_DIR}/Slicer)
file(WRITE ${Slicer_LAUNCHER_EXECUTABLE} "#!/bin/sh\nexec '${Python3_EXECUTABLE}' '${SLICERHOST_LAUNCHER}' \"$@\"\n")
file(CHMOD ${Slicer_LAUNCHER_EXECUTABLE} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)

# Every listed file must exist, scripts must end in .py (Slicer appends .py to any other name), and none may lie outside
# the folder. Files that are not listed would silently not be packaged: they are refused too.
function(_slicerhost_check_files name scripts resources)
  foreach(file IN LISTS scripts resources)
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file} OR IS_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/${file})
      message(FATAL_ERROR "slicerMacroBuildScriptedModule(${name}): nonexistent file '${file}'")
    endif()
    if(file MATCHES "^\\.\\./|/\\.\\./|^/")
      message(FATAL_ERROR "slicerMacroBuildScriptedModule(${name}): '${file}' lies outside its folder")
    endif()
  endforeach()
  foreach(file IN LISTS scripts)
    if(NOT file MATCHES "\\.py$")
      message(FATAL_ERROR "slicerMacroBuildScriptedModule(${name}): '${file}' is no script: list it under RESOURCES")
    endif()
  endforeach()
  file(GLOB_RECURSE present RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR}/*)
  list(FILTER present EXCLUDE REGEX "CMakeLists\\.txt$|(^|/)__pycache__/|\\.pyc$|^Testing/|(^|/)\\.")
  list(REMOVE_ITEM present ${scripts} ${resources} "")
  if(present)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule(${name}): not listed, so not packaged: ${present}")
  endif()
endfunction()

function(slicerMacroBuildScriptedModule)
  cmake_parse_arguments(MODULE "WITH_GENERIC_TESTS;WITH_SUBDIR;VERBOSE" "NAME" "SCRIPTS;RESOURCES" ${ARGN})
  if(MODULE_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule: unknown keywords ${MODULE_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT MODULE_NAME)
    message(FATAL_ERROR "slicerMacroBuildScriptedModule: NAME is mandatory")
  endif()
  _slicerhost_check_files("${MODULE_NAME}" "${MODULE_SCRIPTS}" "${MODULE_RESOURCES}")
  set(subfolder "")
  if(MODULE_WITH_SUBDIR)
    get_filename_component(subfolder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  endif()
  foreach(file IN LISTS MODULE_SCRIPTS MODULE_RESOURCES)
    get_filename_component(folder "${subfolder}/${file}" DIRECTORY)
    set(destination "${Slicer_QTSCRIPTEDMODULES_LIB_DIR}/${folder}")
    file(COPY ${CMAKE_CURRENT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_BINARY_DIR}/${destination})
    install(FILES ${file} DESTINATION ${destination} COMPONENT RuntimeLibraries)
  endforeach()
  if(BUILD_TESTING AND MODULE_WITH_GENERIC_TESTS)
    set(MODULENAME ${MODULE_NAME})
    string(TOLOWER ${MODULE_NAME} MODULENAME_LC)
    set(script ${CMAKE_CURRENT_BINARY_DIR}/qSlicer${MODULE_NAME}ModuleGenericTest.py)
    configure_file(${SLICERHOST_CMAKE_DIR}/ModuleGenericTest.py.in ${script} @ONLY)
    slicer_add_python_unittest(
      SCRIPT qSlicer${MODULE_NAME}ModuleGenericTest.py
      SLICER_ARGS --no-main-window --disable-cli-modules
      TESTNAME_PREFIX nomainwindow_)
  endif()
endfunction()

function(slicer_add_python_unittest)
  cmake_parse_arguments(TEST "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS" ${ARGN})
  get_filename_component(name ${TEST_SCRIPT} NAME_WE)
  get_filename_component(folder ${TEST_SCRIPT} DIRECTORY)
  if(folder STREQUAL "")
    set(folder ${CMAKE_CURRENT_SOURCE_DIR})
  endif()
  if(NOT EXISTS ${folder}/${name}.py AND NOT EXISTS ${CMAKE_CURRENT_BINARY_DIR}/${name}.py)
    message(FATAL_ERROR "slicer_add_python_unittest: nonexistent script '${TEST_SCRIPT}'")
  endif()
  add_test(
    NAME py_${TEST_TESTNAME_PREFIX}${name}
    COMMAND ${Slicer_LAUNCHER_EXECUTABLE} --no-splash --testing ${TEST_SLICER_ARGS}
      --additional-module-paths ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
      --python-code
      "import slicer.testing; slicer.testing.runUnitTest(['${CMAKE_CURRENT_BINARY_DIR}', '${folder}'], '${name}')")
  set_property(TEST py_${TEST_TESTNAME_PREFIX}${name} PROPERTY RUN_SERIAL TRUE)
endfunction()

function(slicer_add_python_test)
  cmake_parse_arguments(TEST "" "TESTNAME_PREFIX;SCRIPT" "SLICER_ARGS;SCRIPT_ARGS" ${ARGN})
  get_filename_component(name ${TEST_SCRIPT} NAME_WE)
  get_filename_component(script ${TEST_SCRIPT} ABSOLUTE)
  if(NOT EXISTS ${script})
    message(FATAL_ERROR "slicer_add_python_test: nonexistent script '${TEST_SCRIPT}'")
  endif()
  add_test(
    NAME py_${TEST_TESTNAME_PREFIX}${name}
    COMMAND ${Slicer_LAUNCHER_EXECUTABLE} --no-splash --testing ${TEST_SLICER_ARGS}
      --additional-module-paths ${CMAKE_BINARY_DIR}/${Slicer_QTSCRIPTEDMODULES_LIB_DIR}
      --python-script ${script} ${TEST_SCRIPT_ARGS})
  set_property(TEST py_${TEST_TESTNAME_PREFIX}${name} PROPERTY RUN_SERIAL TRUE)
endfunction()
