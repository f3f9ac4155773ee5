/*
 * Floor 2, network. Trust anchors: the compiled-in roots or PEM files.
 *
 * BearSSL knows the name and the key of an anchor only. So anchors outside
 * their validity or with name constraints are left out here, and path lengths
 * are kept separately.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <bearssl.h>

#include "base/bounds.h"
#include "base/status.h"
#include "sys/clock.h"

/* Caller-owned; private to trust.c but for the counts and the anchors. */
struct trust {
	size_t count;     /* anchors in use */
	size_t skipped;   /* certificates of the files that cannot be used */
	size_t expired;   /* anchors outside their validity now */
	char source[256]; /* "the compiled-in roots" or the file, for people */
	/* Those of one name stand together, the least limited first. */
	br_x509_trust_anchor anchor[ANCHORS_MAX];
	unsigned char path_length[ANCHORS_MAX]; /* or PATH_UNLIMITED */
	size_t pool_used;
	unsigned char pool[ANCHOR_POOL_SIZE];
	unsigned char der[ROOT_MAX]; /* the one being read */
};

/*
 * The anchors with a name (DER, compared by name_equal()) that allow a path
 * with so many intermediates, self-issued ones not counted (RFC 5280 section
 * 4.2.1.9): the first of them, and how many.
 */
const br_x509_trust_anchor *trust_find(const struct trust *trust,
				       struct str name, size_t intermediates,
				       size_t *count);

/* Takes the compiled-in roots that are valid at `now` (Unix seconds). */
void trust_use_roots(struct trust *trust, int64_t now);

/*
 * Takes the certificates of a PEM file instead, which `what` names in messages,
 * as in "SSL_CERT_FILE": text around them, CRLF and a missing final newline
 * are allowed, duplicates are taken once, certificates that cannot be used
 * (unknown key type or critical extension, RSA under 2048 or over 4096 bits,
 * broken, expired) are skipped and counted. One that is no CA is trusted for
 * itself only: users pin a server's own certificate. INVALID_ARGUMENT if the
 * file cannot be read, is not PEM, is larger than PEM_FILES_SIZE, yields no
 * usable certificate, or holds more than ANCHORS_MAX; while it waits for a
 * pipe, DEADLINE_EXCEEDED (`until` passed) and CANCELLED (a signal came).
 */
MUST_CHECK enum code trust_use_file(struct trust *trust, const char *what,
				    const char *path, int64_t now,
				    struct deadline until, struct status *st);

/*
 * The same with every file of the folders, a list with ':' in between, and of
 * `file` too, unless that is NULL; files without certificates are skipped, as
 * are folders that are missing while one exists.
 */
MUST_CHECK enum code trust_use_folders(struct trust *trust, const char *folders,
				       const char *file, int64_t now,
				       struct deadline until,
				       struct status *st);

/*
 * The same with the system's own bundle, at the first of the usual paths that
 * can be read. INVALID_ARGUMENT without one.
 */
MUST_CHECK enum code trust_use_system(struct trust *trust, int64_t now,
				      struct deadline until, struct status *st);

#endif
