/* fuzz.h - what a fuzz target is: libFuzzer and the replay call it. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* https://llvm.org/docs/LibFuzzer.html: tries one input; a finding aborts.
 * Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#endif
