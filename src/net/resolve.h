/*
 * Floor 2, network. Host names to addresses.
 *
 * A stub resolver of our own (RFC 1035, RFC 3596), because getaddrinfo(3) has
 * no deadline, cannot be interrupted, and in musl before 1.2.4 knows no TCP.
 * Names are looked up as absolute: search lists and ndots are for names that
 * people type, not for services. /etc/hosts comes first, then the name
 * servers of /etc/resolv.conf in turn, A and AAAA at once, over TCP where an
 * answer was truncated. "localhost" and below never ask the network (RFC
 * 6761). Nothing here waits.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "base/status.h"
#include "sys/clock.h"

/* An address with a port, as connect(2) takes it. */
struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} sockaddr;
	socklen_t length;
};

/* Addresses of one host, in the order in which to try them. */
struct addresses {
	size_t count;
	struct address address[ADDRESSES_MAX];
};

/* Longest text of an address with port: "[...]:65535" and the final NUL. */
#define ADDRESS_TEXT_SIZE 64

/* The address for people, as "192.0.2.1:443" or "[2001:db8::1]:443". */
void address_text(const struct address *address,
		  char out[static ADDRESS_TEXT_SIZE]);

/*
 * What the system's files say; read once, before the network is touched.
 * Caller-owned, private to resolve.c. Missing files are fine: without name
 * servers 127.0.0.1 is asked, as musl and glibc do.
 */
struct resolver_config {
	size_t server_count;
	struct address server[NAME_SERVERS_MAX];
	unsigned timeout_ms; /* per try; resolv.conf "timeout", 5 s */
	unsigned attempts;   /* rounds over all servers; "attempts", 2 */
	size_t hosts_length;
	char hosts[65536]; /* /etc/hosts, cut after its last whole line */
};

/* Reads /etc/resolv.conf and /etc/hosts. */
void resolver_config_read(struct resolver_config *config);

/* The same from texts, for tests. Either may be empty. */
void resolver_config_parse(struct resolver_config *config,
			   struct str resolv_conf, struct str hosts);

/*
 * Reads an address literal; IPv6 without brackets, maybe with a zone. False
 * if it is none.
 */
MUST_CHECK bool address_parse(struct address *address, struct str text,
			      uint16_t port);

/* The addresses that /etc/hosts has for `host`; false if it has none. */
MUST_CHECK bool resolver_config_find(const struct resolver_config *config,
				     struct str host, uint16_t port,
				     struct addresses *v4,
				     struct addresses *v6);

/* One of the two questions of a look-up. */
struct resolver_question {
	uint16_t id;
	bool answered;  /* by some server, for good */
	bool truncated; /* ask again over TCP */
	unsigned rcode;
	struct addresses found;
};

/* One look-up under way. Caller-owned, private to resolve.c. */
struct resolver {
	const struct resolver_config *config;
	char host[HOST_NAME_MAX_SIZE];
	uint16_t port;
	bool done;
	int fd;       /* -1: none */
	bool tcp;     /* `fd` is a TCP connection */
	size_t tries; /* servers asked so far, over all rounds */
	struct deadline try_by;
	struct resolver_question question[2]; /* A, AAAA */
	char last_error[64]; /* of the servers asked so far, "" for none */
	/* A TCP exchange: what is to be sent, then what came. */
	size_t out_length;
	size_t out_sent;
	size_t in_length;
	unsigned char out[600];
	unsigned char in[DNS_MESSAGE_MAX + 2];
};

/*
 * Starts the look-up of `host` (a name or an address literal). Literals and
 * names in /etc/hosts are done at once. `config` must stay.
 */
void resolve_start(struct resolver *r, const struct resolver_config *config,
		   const char *host, uint16_t port);

/*
 * Goes on as far as it can without waiting. Returns CODE_OK while it is under
 * way (resolve_done() is false) and when it has succeeded. Codes:
 * UNAVAILABLE if no name server answered or one failed (SERVFAIL, refused),
 * NOT_FOUND never: a name that does not exist is UNAVAILABLE with its own
 * message, since names of services come and go.
 */
MUST_CHECK enum code resolve_step(struct resolver *r, struct status *st);

/* Whether it has succeeded; addresses are there then. */
bool resolve_done(const struct resolver *r);

/* What to poll(2) for, and when to step again at the latest. */
struct pollfd resolve_pollfd(const struct resolver *r);
struct deadline resolve_deadline(const struct resolver *r);

/*
 * The addresses found, IPv6 and IPv4 in turn (RFC 8305 section 4), the first
 * family being that of the first answer's preference: IPv6.
 */
void resolve_addresses(const struct resolver *r, struct addresses *out);

/* Closes what is open. Fine in any state after resolve_start(). */
void resolve_close(struct resolver *r);

#endif
