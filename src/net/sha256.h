/*
 * Floor 2, network. SHA-256 (FIPS 180-4), as BearSSL has it.
 */
#ifndef NET_SHA256_H
#define NET_SHA256_H

#include "base/buf.h"

#define SHA256_SIZE 32

/* The digest of `bytes`. */
void sha256(struct str bytes, unsigned char out[static SHA256_SIZE]);

/* The first 8 bytes of a digest as a number, big-endian. */
uint64_t sha256_start(const unsigned char digest[static SHA256_SIZE]);

#endif
