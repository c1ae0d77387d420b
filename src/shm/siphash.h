/* siphash.h - a hash of keys that strangers choose. */
#ifndef SHM_SIPHASH_H
#define SHM_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012;
 * one round a word and three at the end, as in the Linux kernel's tables). */
uint64_t siphash(const uint64_t secret[2], const void *p, size_t n);

#endif
