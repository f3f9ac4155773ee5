/*
 * Floor 2, network. A TLS 1.2 client over a stream, and a stream itself.
 *
 * Our own BearSSL profile: TLS 1.2 only, ECDHE with AES-GCM or
 * ChaCha20-Poly1305, SHA-256 and better, no renegotiation, ALPN http/1.1,
 * entropy from getrandom(2). Nothing here waits: every function does a bounded
 * part of what can be done at once. A peer that sends records without content,
 * or a handshake without end, is dropped, as other TLS stacks do.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <bearssl.h>

#include "base/status.h"
#include "net/stream.h"
#include "net/trust.h"
#include "net/x509.h"

/* Headers of incoming records (RFC 5246 section 6.2.1). */
struct tls_records {
	unsigned char header[5]; /* of the present one */
	size_t header_length;
	size_t left;      /* bytes of its content to come */
	bool zeros;       /* only zero bytes so far: HelloRequests */
	unsigned idle;    /* records in a row that led to nothing */
	size_t handshake; /* bytes in all until the session is open */
};

/* Caller-owned; private to tls.c. Holds secrets: end with tls_wipe(). */
struct tls {
	struct stream stream; /* of what the session protects */
	struct stream *below; /* carries the records; NULL: not started */
	br_ssl_client_context client;
	struct x509 x509;
	const char *host;
	bool open;      /* the handshake is done */
	bool peer_gone; /* what is below ended */
	bool cut_short; /* the last step could have gone on */
	struct tls_records incoming;
	/* The first bytes that came, to know a peer that speaks no TLS. */
	size_t first_length;
	unsigned char first[8];
	unsigned char records[BR_SSL_BUFSIZE_BIDI];
};

/*
 * Starts a handshake with `host`, for SNI and the name check. The records
 * travel over `below`: a socket, or the session with a proxy. All must stay.
 * UNAVAILABLE and permanent if `host` is an address literal, INTERNAL if the
 * kernel gives no entropy.
 */
MUST_CHECK enum code tls_start(struct tls *tls, const char *host,
			       const struct trust *trust, struct stream *below,
			       struct status *st);

/*
 * Moves records both ways, for the handshake; `stream` does so by itself.
 * Codes: UNAVAILABLE if TLS or the connection failed (the sentence for
 * BearSSL's error number, `permanent` where a repetition cannot help:
 * certificates, versions, an HTTP answer on a TLS port), or if the peer sends
 * what leads to nothing. The end of the connection after the handshake is no
 * error here; `recv` returns it: STREAM_ENDED after a close_notify.
 */
MUST_CHECK enum code tls_step(struct tls *tls, struct status *st);

/* Whether the handshake is done and data may be sent. */
bool tls_ready(const struct tls *tls);

/* The peer's own certificate, good or not; NULL if none has come. */
const struct certificate *tls_certificate(const struct tls *tls);

/* The name of the cipher suite (RFC 5289, RFC 7905); once tls_ready(). */
const char *tls_cipher_suite(const struct tls *tls);

/* Wipes keys and buffers. Also a struct that is all zero. */
void tls_wipe(struct tls *tls);

#endif
