/*
 * Floor 2, network. Which hosts a proxy is for, by the rules of Go's clients
 * (golang.org/x/net/http/httpproxy), which users of Google's SDKs know.
 *
 * Only https is ever sent through a proxy, with CONNECT: plain http goes to
 * the metadata server and to the loopback, which no proxy may see.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "net/url.h"

/* Caller-owned; holds a password: wipe it. */
struct proxy {
	bool given;              /* there is one */
	struct url url;          /* where it is; https: TLS to it, too */
	char login[400];         /* "USER:PASSWORD", or "" */
	char authorization[768]; /* its Proxy-Authorization, or "" */
	const char *exceptions;  /* NO_PROXY, or "" */
};

/*
 * Reads "http://[USER[:PASSWORD]@]HOST[:PORT]", "https://..." or "HOST:PORT"
 * (http), and the list of exceptions, which must stay; both may be NULL.
 * INVALID_ARGUMENT names HTTPS_PROXY and shows nothing of a password.
 */
MUST_CHECK enum code proxy_read(struct proxy *proxy, const char *address,
				const char *exceptions, struct status *st);

/* Overwrites user and password in the text of a proxy's address; NULL: none. */
void proxy_wipe_text(const char *address);

/* Wipes user and password. */
void proxy_wipe(struct proxy *proxy);

/*
 * Whether `url` is reached through the proxy. Not so for http, for "localhost"
 * and addresses of the loopback, and for the exceptions, separated by commas:
 * "*"; an address, with a port or a prefix length (10.0.0.0/8); "example.com"
 * for the domain and all below it, ".example.com" and "*.example.com" for what
 * is below it only, each with an optional port.
 */
bool proxy_applies(const struct proxy *proxy, const struct url *url);

#endif
