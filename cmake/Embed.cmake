# A script: turns file `in` into `out`/`name`.c and `out`/`name`.h, which hold and declare its bytes
# as the array `name` and their number as `name`_len.

file(READ ${in} bytes HEX)
string(LENGTH "${bytes}" length)
math(EXPR length "${length} / 2")
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,)(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?(0x..,)?)" "\\1\n"
       bytes "${bytes}")

string(TOUPPER ${name}_H guard)
file(WRITE ${out}/${name}.h "#ifndef ${guard}
#define ${guard}

#include <stddef.h>

extern const unsigned char ${name}[];
extern const size_t ${name}_len;

#endif
")
file(WRITE ${out}/${name}.c "#include \"${name}.h\"

const unsigned char ${name}[] = {
${bytes}};
const size_t ${name}_len = ${length};
")
