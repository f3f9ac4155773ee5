/*
 * Floor 2, network. The validation of a server's certificate chain.
 *
 * BearSSL's br_x509_minimal engine checks signatures, names and the path to
 * an anchor. This wraps it with what it leaves out (RFC 5280): validity of
 * every certificate told apart into expired and not yet valid, a
 * subjectAltName in the leaf, serverAuth where a certificate limits the key
 * usage, no name constraints that nobody would check. SHA-1 signatures and
 * RSA keys under 2048 bits are never accepted.
 */
#ifndef NET_X509_H
#define NET_X509_H

#include <bearssl.h>

#include "base/bounds.h"
#include "base/status.h"
#include "net/trust.h"

/*
 * A BearSSL X.509 engine (the vtable is its first field). Caller-owned,
 * private to x509.c.
 */
struct x509 {
	const br_x509_class *vtable;
	br_x509_minimal_context minimal;
	const struct trust *trust;
	int64_t now;
	const char *host;
	size_t certificates;   /* seen in this chain */
	size_t length;         /* of the certificate being received */
	bool examine;          /* it is part of the path */
	char issuer[128];      /* of the last one of the path, for people */
	char names[512];       /* of the leaf, for people */
	struct status verdict; /* what our own checks found, first cause */
	unsigned char der[CERTIFICATE_MAX];
};

/*
 * Makes `x` ready for one handshake with `host` (for the name check and for
 * messages; must stay) at `now` (Unix seconds), and installs it in `engine`.
 */
void x509_init(struct x509 *x, br_ssl_engine_context *engine,
	       const struct trust *trust, const char *host, int64_t now);

/*
 * After a handshake failed with a certificate error (BR_ERR_X509_*), or with
 * one of our own: fills `st` with the sentence for it: what is wrong with
 * which certificate, and what to do. UNAVAILABLE and permanent. `error` is
 * what br_ssl_engine_last_error() says; other errors leave `st` alone and
 * return CODE_OK.
 */
enum code x509_explain(const struct x509 *x, int error, struct status *st);

#endif
