# A script: writes the header `out` with the macro `name`, the SHA-256 of the files in `sources` (names
# with commas between them) one after another.
string(REPLACE "," ";" sources "${sources}")
set(all "")
foreach(source IN LISTS sources)
    file(SHA256 ${source} one)
    string(APPEND all "${one}")
endforeach()
string(SHA256 digest "${all}")
file(WRITE ${out} "#define ${name} \"${digest}\"\n")
