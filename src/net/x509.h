/*
 * Floor 2, network. The validation of a server's certificate chain.
 *
 * BearSSL's br_x509_minimal engine checks signatures, names and constraints
 * along a path to an anchor. This wraps it with what it leaves out (RFC 5280):
 * it finds the path among the certificates that were sent, in whatever order
 * and however often; compares names as section 7.1 says; tells expired from not
 * yet valid; wants a subjectAltName in the leaf, and serverAuth wherever
 * extendedKeyUsage limits a certificate; refuses name constraints, which
 * BearSSL does not check. SHA-1 signatures and RSA keys under 2048 bits are
 * never accepted.
 *
 * The first verdict is the last: nothing is parsed or verified after it.
 */
#ifndef NET_X509_H
#define NET_X509_H

#include <bearssl.h>

#include "base/bounds.h"
#include "base/status.h"
#include "net/certificate.h"
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
	size_t sent;   /* bytes of certificates that the server announced */
	size_t length; /* of the certificate that is arriving */
	size_t used;   /* of `der`, by those that have arrived */
	size_t count;  /* of different ones that have arrived */
	struct certificate certificate[CHAIN_MAX]; /* the first is the leaf */
	bool in_path[CHAIN_MAX];
	const struct certificate *last; /* of the path so far; or NULL */
	size_t intermediates;  /* of the path, without self-issued ones */
	struct status verdict; /* of our own checks */
	unsigned char der[CHAIN_SIZE];
};

/*
 * Makes `x` ready for one handshake with `host`, a name (for the check and for
 * messages; must stay), at `now` (Unix seconds), and installs it in `engine`.
 */
void x509_init(struct x509 *x, br_ssl_engine_context *engine,
	       const struct trust *trust, const char *host, int64_t now);

/*
 * Whether the chain is refused, complete or not: the handshake must end without
 * another byte.
 */
bool x509_refused(const struct x509 *x);

/*
 * If the chain is refused, fills `st`: what is wrong with which certificate,
 * and what to do; UNAVAILABLE and permanent. Else leaves `st` alone and returns
 * CODE_OK.
 */
enum code x509_explain(const struct x509 *x, struct status *st);

#endif
