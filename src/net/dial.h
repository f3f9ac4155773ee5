/*
 * Floor 2, network. A TCP connection to a host: look-up, then every address.
 *
 * The addresses are tried in their order, each for a short time, until one
 * answers. Nothing here waits.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/status.h"
#include "net/resolve.h"

/* Time limits in milliseconds. */
struct dial_limits {
	int64_t resolve_ms; /* for the look-up */
	int64_t address_ms; /* for one address */
	int64_t connect_ms; /* for all addresses */
};

/* Caller-owned, private to dial.c. */
struct dial {
	struct resolver resolver;
	struct addresses addresses;
	struct dial_limits limits;
	bool resolving;
	bool loopback_only;
	size_t next; /* address to try when this one fails */
	int fd;      /* -1: none */
	bool connected;
	struct deadline resolve_by;
	struct deadline connect_by;
	struct deadline address_by;
	struct buf tried; /* what each address answered */
	char tried_memory[512];
};

/* Starts; `config` must stay. */
void dial_start(struct dial *d, const struct resolver_config *config,
		const char *host, uint16_t port,
		const struct dial_limits *limits);

/*
 * Lets `d` connect to addresses of the loopback only, whatever its host's name
 * resolves to; after dial_start().
 */
void dial_keep_to_loopback(struct dial *d);

/*
 * Goes on as far as it can without waiting. OK while it is under way and when
 * it is done; UNAVAILABLE if the name has no address or none of them answers:
 * the message lists what each one did. INVALID_ARGUMENT if none of them is of
 * the loopback, and no other may be used.
 */
MUST_CHECK enum code dial_step(struct dial *d, struct status *st);

/*
 * The connected, non-blocking socket, which is the caller's from then on; -1
 * while there is none.
 */
int dial_take(struct dial *d);

/* What to poll(2) for, and when to step again at the latest. */
struct pollfd dial_pollfd(const struct dial *d);
struct deadline dial_deadline(const struct dial *d);

/* Closes what is open. Fine on a struct that is all zero but for fd -1. */
void dial_close(struct dial *d);

#endif
