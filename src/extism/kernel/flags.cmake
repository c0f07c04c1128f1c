# The kernel's memory begins with KERNEL_INITIAL_PAGES (layout.h). Its functions keep everything in
# that memory and need no stack.
set(KERNEL_CFLAGS -std=c17 -O2 -mbulk-memory -fno-builtin)
set(KERNEL_LDFLAGS -Wl,--no-entry -Wl,--strip-all -Wl,--initial-memory=1048576 -Wl,--global-base=1024
    -Wl,-z,stack-size=0)
