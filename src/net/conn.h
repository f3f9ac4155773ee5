/*
 * Floor 2, network. One connection to one service, kept for many exchanges.
 *
 * Opens itself when it is needed, plain or with TLS, and can be opened ahead
 * while another one waits. Any failure closes it, so that no bytes of a broken
 * exchange are left for the next one.
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "net/dial.h"
#include "net/http_request.h"
#include "net/http_response.h"
#include "net/network.h"
#include "net/tls.h"
#include "net/tunnel.h"
#include "net/url.h"
#include "sys/wait.h"

/* Time limits in milliseconds, one for each phase. */
struct conn_limits {
	struct dial_limits dial;
	int64_t handshake_ms;  /* TLS */
	int64_t first_byte_ms; /* request sent to first byte of the reply */
	int64_t exchange_ms;   /* request and reply in all */
};

enum conn_state {
	CONN_CLOSED,
	CONN_DIALING,     /* look-up and TCP */
	CONN_PROXY_TLS,   /* TLS with the proxy */
	CONN_TUNNELLING,  /* CONNECT */
	CONN_HANDSHAKING, /* TLS with the service */
	CONN_READY,       /* open; an exchange may start or be under way */
	CONN_FAILED       /* opening ahead failed; `failure` says why */
};

/* The result of one exchange for its request. */
enum delivery {
	NOT_SENT,    /* its end did not leave, so that nobody acts on it */
	MAYBE_ACTED, /* unknown: the server may have acted on it */
	ANSWERED
};

/*
 * What an exchange took, in milliseconds and bytes; -1: it has no such part, as
 * on a connection that was open.
 */
struct conn_usage {
	int64_t dns_ms;
	int64_t connect_ms;
	int64_t tls_ms;        /* with all that a proxy asks for before it */
	int64_t first_byte_ms; /* after the request was sent */
	int64_t sent;          /* bytes, without TLS */
	int64_t received;
	int64_t proxy_ms; /* the part of tls_ms that a proxy took; 0: none */
};

/* Caller-owned; private to conn.c but for the counters. */
struct conn {
	enum conn_state state;
	enum conn_state last_phase; /* readable: of the last opening */
	bool resolved;              /* readable: its name has addresses */
	const struct url *url;
	const struct trust *trust;
	const struct network *network;
	const struct conn_limits *limits;
	const struct proxy *proxy;    /* NULL: none leads to `url` */
	const struct url *connect_to; /* where to connect instead, or NULL */
	struct conn *opening_ahead;   /* goes on opening while this one waits */
	int fd;
	struct deadline phase;   /* of the handshake */
	unsigned opened;         /* connections made, for tests and the log */
	unsigned exchanges;      /* on the present connection */
	struct conn_usage usage; /* readable: of the last exchange */
	int64_t lap_ms;          /* when the present phase began */
	struct dial dial;        /* readable: see dial.h */
	struct tls tls;          /* readable: see tls.h */
	struct tls proxy_tls;
	struct socket_stream socket;
	struct stream *stream; /* the innermost one so far */
	struct tunnel tunnel;
	struct status failure;
	struct buf head; /* of the request under way */
	size_t sent;     /* bytes of head and body handed over so far */
	bool at_end;     /* the last of them were offered to the stream, */
	uint64_t before; /* when the socket had sent this much */
	char head_memory[HTTP_REQUEST_HEAD_MAX];
	unsigned char input[16384];
};

/*
 * Prepares a closed connection to the service at `url`, through the proxy of
 * `network` if that applies to the URL. All arguments must stay.
 */
void conn_init(struct conn *c, const struct url *url,
	       const struct network *network, const struct conn_limits *limits);

/* Lets `c` trust `trust` instead, which must stay; before it is opened. */
void conn_use_trust(struct conn *c, const struct trust *trust);

/*
 * Lets `c` connect to host and port of `to`, which must stay, without proxy:
 * a private endpoint. SNI, Host and the name in the certificate stay. Where the
 * URL is http to the loopback, `to` must lead there, too: else opening fails
 * with INVALID_ARGUMENT.
 */
void conn_connect_to(struct conn *c, const struct url *to);

/* Where `c` connects to: the host of its URL, or what is in its place. */
const struct url *conn_next_hop(const struct conn *c);

/*
 * Starts opening `c`, without waiting; it goes on whenever `while_waiting`
 * waits (see conn_exchange()). A failure shows when `c` is used.
 */
void conn_open_ahead(struct conn *c, struct conn *while_waiting);

/*
 * Waits until `c` is open. Codes: UNAVAILABLE (name, TCP, TLS),
 * DEADLINE_EXCEEDED (`until` passed), CANCELLED (a signal).
 */
MUST_CHECK enum code conn_open(struct conn *c, struct deadline until,
			       struct status *st);

/*
 * Sends `request` and waits for the whole response. `response` must have been
 * initialized for it. Opens the connection if need be, and leaves it open if
 * the peer does. Codes: those of conn_open() and http_feed();
 * DEADLINE_EXCEEDED for the limits of the exchange. `*delivery` is always set:
 * ANSWERED if a whole response came, whatever its status.
 */
MUST_CHECK enum code conn_exchange(struct conn *c,
				   const struct http_request *request,
				   struct http_response *response,
				   struct deadline until,
				   enum delivery *delivery, struct status *st);

/*
 * Closes and wipes. At any time after conn_init(), and also a struct that is
 * all zero.
 */
void conn_close(struct conn *c);

#endif
