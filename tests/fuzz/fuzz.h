#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What each target defines, as libFuzzer calls it; it aborts on a mistake.
 * `data` is a heap block of exactly `size` bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
