/*
 * Floor 2, network. Whom we trust: the compiled-in roots or a PEM file.
 *
 * Anchors that are expired or not yet valid are left out, because BearSSL
 * knows no dates of anchors.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include <bearssl.h>

#include "base/bounds.h"
#include "base/status.h"

/* Caller-owned; private to trust.c but for the counts and the anchors. */
struct trust {
	size_t count;     /* anchors in use */
	size_t skipped;   /* certificates of the file that cannot be used */
	size_t expired;   /* anchors outside their validity now */
	char source[256]; /* "the compiled-in roots" or the file, for people */
	br_x509_trust_anchor anchor[ANCHORS_MAX];
	size_t pool_used;
	unsigned char pool[ANCHOR_POOL_SIZE];
	unsigned char der[CERTIFICATE_MAX]; /* the one being read */
};

/* Takes the compiled-in roots that are valid at `now` (Unix seconds). */
void trust_use_roots(struct trust *trust, int64_t now);

/*
 * Takes the certificates of a PEM file instead: text around them, CRLF and a
 * missing final newline are fine, duplicates are taken once, certificates
 * that cannot be used (unknown key type, RSA under 2048 or over 4096 bits,
 * broken, expired) are skipped and counted. One that is no CA is trusted for
 * itself only: users pin a server's own certificate. Reads the file piece by
 * piece. INVALID_ARGUMENT if the file cannot be read, is no PEM, yields no
 * usable certificate, or holds more than ANCHORS_MAX.
 */
MUST_CHECK enum code trust_use_file(struct trust *trust, const char *path,
				    int64_t now, struct status *st);

/*
 * The same with every file of the folders, a list with ':' in between, and of
 * `file` too, unless that is NULL; files without certificates are passed over.
 */
MUST_CHECK enum code trust_use_folders(struct trust *trust, const char *folders,
				       const char *file, int64_t now,
				       struct status *st);

/*
 * The same with the system's own bundle, at the first of the usual paths that
 * can be read. INVALID_ARGUMENT if there is none.
 */
MUST_CHECK enum code trust_use_system(struct trust *trust, int64_t now,
				      struct status *st);

#endif
