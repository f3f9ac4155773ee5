/*
 * Floor 2, network. A TLS 1.2 client over a connected, non-blocking socket.
 *
 * Our own BearSSL profile: TLS 1.2 only, ECDHE with AES-GCM or
 * ChaCha20-Poly1305, SHA-256 and better, no renegotiation, ALPN http/1.1,
 * entropy from getrandom(2). Nothing here waits: every function does what it
 * can at once and says what it waits for.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <bearssl.h>
#include <poll.h>

#include "base/status.h"
#include "net/trust.h"
#include "net/x509.h"

/* Caller-owned; private to tls.c. Holds secrets: end with tls_wipe(). */
struct tls {
	br_ssl_client_context client;
	struct x509 x509;
	const char *host;
	struct tls *outer; /* the records travel inside this one; or NULL */
	bool peer_gone;    /* the TCP connection ended */
	/* The first bytes that came, to know a peer that speaks no TLS. */
	size_t first_length;
	unsigned char first[8];
	unsigned char records[BR_SSL_BUFSIZE_BIDI];
};

/*
 * Starts a handshake with `host`: SNI and name check, brackets-free address
 * literals get no SNI and fail the name check. With `outer`, an open
 * connection to a proxy, the records travel inside it. All must stay.
 * INTERNAL if the kernel gives no entropy.
 */
MUST_CHECK enum code tls_start(struct tls *tls, const char *host,
			       const struct trust *trust, struct tls *outer,
			       struct status *st);

/*
 * Moves records between the engine and the socket `fd` as far as it goes
 * without waiting. Codes: UNAVAILABLE if TLS or the connection failed (the
 * sentence for BearSSL's error number, `permanent` where a repetition cannot
 * help: certificates, versions, an HTTP answer on a TLS port).
 * The end of the connection is not an error here; see tls_recv().
 */
MUST_CHECK enum code tls_step(struct tls *tls, int fd, struct status *st);

/* Whether the handshake is done and data may be sent. */
bool tls_ready(const struct tls *tls);

/* poll(2) events to wait for before the next tls_step(); 0 if none. */
short tls_events(const struct tls *tls);

/*
 * Takes as many bytes to send as fit into the engine now and returns their
 * number. They leave with the next tls_step(); tls_flushed() tells when all
 * have.
 */
size_t tls_send(struct tls *tls, const void *bytes, size_t len);
bool tls_flushed(const struct tls *tls);

/*
 * Takes up to `len` bytes that have arrived. 0 means none now; then `*ended`
 * tells whether none can come any more, and `*clean` whether the peer said so
 * with close_notify (without it the data may have been cut).
 */
size_t tls_recv(struct tls *tls, void *bytes, size_t len, bool *ended,
		bool *clean);

/* Wipes keys and buffers. Fine on a struct that is all zero. */
void tls_wipe(struct tls *tls);

#endif
