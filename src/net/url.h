/*
 * Floor 2, network. The URLs of services.
 *
 * Only what a base URL needs (RFC 3986): http or https, a host, a port, a
 * path. User information, queries and fragments are refused: in a base URL they
 * are mistakes.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/bounds.h"
#include "base/status.h"

struct url {
	bool tls;      /* https */
	bool absolute; /* the host was written with a dot at its end */
	uint16_t port;
	/*
	 * Name or address literal; IPv6 without brackets. Lower case, and
	 * without a dot at the end.
	 */
	char host[HOST_NAME_MAX_SIZE];
	/* The Host field: brackets if IPv6, the port if not the default one. */
	char authority[HOST_NAME_MAX_SIZE + 8];
	/* Path or ""; at most half of its size, since more is appended. */
	char path[URL_PATH_MAX];
};

/*
 * Reads a base URL `text`, which the user knows as `name` (for the error
 * message); slashes at the end of its path are cut off. INVALID_ARGUMENT says
 * what is wrong with it.
 */
MUST_CHECK enum code url_parse(struct url *url, struct str text,
			       const char *name, struct status *st);

/* The same for a URL that is requested as it is: its path stays. */
MUST_CHECK enum code url_parse_exact(struct url *url, struct str text,
				     const char *name, struct status *st);

/*
 * Makes an http URL of "HOST", "HOST:PORT", "IPV6" or "[IPV6]:PORT", the form
 * of GCE_METADATA_HOST; `port` is that of the others. Errors as url_parse().
 */
MUST_CHECK enum code url_from_host(struct url *url, struct str text,
				   uint16_t port, const char *name,
				   struct status *st);

/* Whether the host is "localhost" or an address literal of the loopback. */
bool url_is_loopback(const struct url *url);

#endif
