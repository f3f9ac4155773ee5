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

struct root {
	const char *name;              /* for people: the subject's CN or O */
	int64_t not_before, not_after; /* Unix seconds */
	unsigned char path_length;     /* or PATH_UNLIMITED */
	br_x509_trust_anchor anchor;
};

/* In the order of the pins. */
extern const struct root ROOTS[];
extern const size_t ROOTS_COUNT;

#endif
