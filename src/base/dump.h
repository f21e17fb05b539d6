#ifndef BASE_DUMP_H
#define BASE_DUMP_H

#include <stdbool.h>

/*
 * Whether the memory of this process, which holds keys, may leave it: as a core dump, or
 * to a debugger of the same user. Without a call it is as the system has it. A limit of
 * zero for core files does not keep a kernel that pipes dumps to a program (core(5)) from
 * making one; a process that is not dumpable (prctl(2)) has none.
 */
void dump_allow(bool);

#endif
