# Writes the Lua files FILES (relative to ROOT) into OUTPUT as C: the lists of core/script/embedded.h.
# As bytes in hexadecimal, because CMake's own text handling changes ';', '[' and '\'.
list(SORT FILES)
set(arrays "")
set(modules "")
set(policies "")
set(number 0)
foreach(file IN LISTS FILES)
    file(READ "${ROOT}/${file}" hex HEX)
    set(doc "")
    if(hex MATCHES "^2d2d20(([^0].|0[^a])*)") # "-- ", then anything but a line break
        set(doc "${CMAKE_MATCH_1}")
    endif()
    string(REGEX REPLACE "(..)" "0x\\1," text_bytes "${hex}")
    string(REGEX REPLACE "(..)" "0x\\1," doc_bytes "${doc}")
    string(LENGTH "${hex}" digits)
    math(EXPR len "${digits} / 2")
    string(APPEND arrays "static const unsigned char text_${number}[] = {${text_bytes}0};\n"
                         "static const unsigned char doc_${number}[] = {${doc_bytes}0};\n")

    string(REGEX REPLACE "^(lua|scripts)/(.*)\\.lua$" "\\2" name "${file}")
    string(REPLACE "/" "." name "${name}")
    set(row "    {\"${name}\", (const char *)doc_${number}, (const char *)text_${number}, ${len}},\n")
    if(file MATCHES "^lua/")
        string(APPEND modules "${row}")
    else()
        string(APPEND policies "${row}")
    endif()
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "/* Made by core/script/embed.cmake. */\n#include \"script/embedded.h\"\n\n${arrays}\n"
                       "const struct script_builtin script_modules[] = {\n${modules}    {0},\n};\n"
                       "const struct script_builtin script_policies[] = {\n${policies}    {0},\n};\n")
