/*
 * Floor 2, network. A tunnel through a proxy: CONNECT (RFC 9110 section
 * 9.3.6), over an open connection to it.
 */
#ifndef NET_TUNNEL_H
#define NET_TUNNEL_H

#include "net/http_response.h"
#include "net/proxy.h"
#include "net/stream.h"

/* Caller-owned; private to tunnel.c. Holds a password: end with a wipe. */
struct tunnel {
	const struct proxy *proxy;
	struct http_response response;
	struct buf request;
	size_t sent;
	struct buf head;
	struct buf body; /* never used */
	char request_memory[2048];
	char head_memory[16384];
};

/* Prepares the request for a tunnel to `url`; arguments must stay. */
MUST_CHECK enum code tunnel_start(struct tunnel *t, const struct proxy *proxy,
				  const struct url *url, struct status *st);

/*
 * Goes on as far as it can without waiting, over the connection to the proxy.
 * Takes no byte of what follows the proxy's reply.
 * Codes: UNAUTHENTICATED (407), PERMISSION_DENIED (403), UNAVAILABLE.
 */
MUST_CHECK enum code tunnel_step(struct tunnel *t, struct stream *stream,
				 struct status *st);

/* Whether the proxy has opened the tunnel. */
bool tunnel_ready(const struct tunnel *t);

#endif
