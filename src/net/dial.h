/*
 * Floor 2, network. A TCP connection to a host: look-up, then its addresses.
 *
 * They race (RFC 8305): a further one is tried every 250 ms, or as soon as one
 * has failed; the first that is connected wins, and the others are closed. So
 * a silent address costs a fraction of a second. Nothing here waits.
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/status.h"
#include "net/resolve.h"

/* Time limits in milliseconds. */
struct dial_limits {
	int64_t resolve_ms; /* for the look-up */
	int64_t connect_ms; /* for each address */
};

/* A connection under way to one of the addresses. */
struct dial_attempt {
	int fd; /* -1: it has failed */
	struct deadline until;
};

/* Caller-owned, private to dial.c, unless noted. */
struct dial {
	struct resolver resolver;
	struct addresses addresses; /* readable: those found, once resolved */
	size_t winner; /* readable: which of them is connected, once one is */
	struct dial_limits limits;
	bool resolving;
	bool loopback_only;
	int fd; /* connected; -1: none */
	struct deadline resolve_by;
	struct deadline next_at; /* when one more address is tried */
	size_t attempts;         /* one for each address, so far */
	struct dial_attempt attempt[ADDRESSES_MAX];
	struct buf tried; /* the result for each address */
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
void dial_only_loopback(struct dial *d);

/* Lets `d` use the search list as resolve_search() does; after dial_start(). */
void dial_search(struct dial *d);

/*
 * Goes on as far as it can without waiting. OK while it is under way and when
 * it is done; UNAVAILABLE if the name has no address or none of them answers:
 * the message lists what each one did. INVALID_ARGUMENT after
 * dial_only_loopback() if none of them is of the loopback.
 */
MUST_CHECK enum code dial_step(struct dial *d, struct status *st);

/*
 * The connected, non-blocking socket, which is the caller's from then on; -1
 * while there is none.
 */
int dial_release_fd(struct dial *d);

/* Adds what it waits for before the next step. */
void dial_wait(const struct dial *d, struct wait_list *list);

/* Closes what is open; also a struct that is all zero but for fd -1. */
void dial_close(struct dial *d);

#endif
