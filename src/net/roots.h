/*
 * Floor 2, network. The compiled-in certification authorities, generated at
 * build time from the certificates that vendor/roots/pins names.
 */
#ifndef NET_ROOTS_H
#define NET_ROOTS_H

#include <bearssl.h>
#include <stddef.h>
#include <stdint.h>

#include "net/certificate.h"

/* An RSA root's exponent is 65537: a build with any other is refused. */
struct root {
	int64_t not_before, not_after; /* Unix seconds */
	uint16_t name_length;          /* of its subject, in DER */
	uint16_t key_length;           /* of its RSA modulus, or EC point */
	unsigned char curve;           /* BR_EC_*, or 0 for RSA */
	unsigned char path_length;     /* or PATH_UNLIMITED */
};

/* In the order of the pins. */
extern const struct root ROOTS[];
extern const size_t ROOTS_COUNT;

/* Name and key of each in turn; without pointers, which cost relocations. */
extern const unsigned char ROOTS_BYTES[];

/* The anchor of a root with name and key at `bytes`, which must stay. */
br_x509_trust_anchor root_anchor(const struct root *root,
				 const unsigned char *bytes);

#endif
