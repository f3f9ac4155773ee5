/*
 * Floor 2, network. Host names to addresses.
 *
 * A stub resolver of our own (RFC 1035, RFC 3596), because musl's
 * getaddrinfo(3) has no deadline and cannot be interrupted, opens files, which
 * Landlock forbids by then, and takes memory from the heap. As there, all name
 * servers of /etc/resolv.conf are asked at once and the first usable answer
 * counts; A and AAAA at once, over TCP where an answer was truncated.
 *
 * /etc/hosts comes first. Names are looked up as absolute, unless
 * resolve_search() says otherwise: search lists are for names that people
 * type, not for services. "localhost" and below never ask the network (RFC
 * 6761). Nothing here waits.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/bounds.h"
#include "base/status.h"
#include "net/address.h"
#include "net/resolver_config.h"
#include "sys/wait.h"

/* The result of a name server's last query, for the error message. */
enum resolver_outcome {
	RESOLVER_UNASKED,
	RESOLVER_SILENT,
	RESOLVER_RCODE,     /* `detail` is the response code */
	RESOLVER_MALFORMED, /* its answer is broken */
	RESOLVER_CLOSED,    /* it ended the TCP connection */
	RESOLVER_ERRNO      /* `detail` is the error of the socket */
};

struct resolver_server {
	int fd;         /* UDP, for the whole look-up; -1: none */
	bool failed[2]; /* by question: no answer to expect in this try */
	bool truncated; /* it is still to be asked over TCP */
	bool asked_tcp; /* and was in this try */
	enum resolver_outcome outcome;
	int detail;
	bool tcp; /* `outcome` was over TCP */
};

/* An exchange over TCP with one of the servers. */
struct resolver_tcp {
	int fd; /* -1: none */
	size_t server;
	struct deadline until;
	size_t out_length;
	size_t out_sent;
	size_t in_length;
	unsigned char out[600];
	unsigned char in[DNS_MESSAGE_MAX + 2];
};

struct resolver_question {
	bool answered; /* for good, maybe with no address */
	uint16_t id;
	unsigned rcode;
	size_t server; /* that answered */
	struct addresses found;
};

/* One look-up under way. Caller-owned, private to resolve*.c. */
struct resolver {
	const struct resolver_config *config;
	char host[HOST_NAME_MAX_SIZE]; /* as it was given, without final dot */
	char name[HOST_NAME_MAX_SIZE]; /* that is asked for */
	size_t names;                  /* asked for so far */
	bool search;
	uint16_t port;
	bool done;
	unsigned tries;              /* begun so far */
	struct deadline try_until;   /* over UDP */
	struct deadline resend_at;   /* a datagram may be lost */
	struct deadline grace_until; /* for the other family's answer */
	struct resolver_question question[2]; /* A, AAAA */
	struct resolver_server server[NAME_SERVERS_MAX];
	struct resolver_tcp tcp;
};

/*
 * Starts the look-up of `host` (a name or an address literal). Literals and
 * names in /etc/hosts are done at once. `config` must stay.
 */
void resolve_start(struct resolver *r, const struct resolver_config *config,
		   const char *host, uint16_t port);

/*
 * Lets `r`, after resolve_start(), use the search list: for a name without a
 * dot before the name itself, for one with fewer dots than ndots after it. The
 * next name is asked for only where a name does not exist (NXDOMAIN).
 */
void resolve_search(struct resolver *r);

/*
 * Goes on as far as it can without waiting. Returns CODE_OK while it is under
 * way (resolve_done() is false) and when it has succeeded. Codes:
 * UNAVAILABLE if no name server answered, all failed (SERVFAIL, refused), or
 * the name does not exist, since names of services come and go;
 * INVALID_ARGUMENT if `host` cannot be a host name.
 */
MUST_CHECK enum code resolve_step(struct resolver *r, struct status *st);

/* Whether it has succeeded; addresses are there then. */
bool resolve_done(const struct resolver *r);

/* Adds what it waits for before the next step, while it is not done. */
void resolve_wait(const struct resolver *r, struct wait_list *list);

/*
 * The addresses found, IPv6 and IPv4 in turn, IPv6 first (RFC 8305 section 4).
 */
void resolve_addresses(const struct resolver *r, struct addresses *out);

/* Closes what is open. In any state after resolve_start(). */
void resolve_close(struct resolver *r);

#endif
