/*
 * Floor 2, network. Host names to addresses.
 *
 * A stub resolver of our own (RFC 1035, RFC 3596), because getaddrinfo(3) has
 * no deadline, cannot be interrupted, and in musl before 1.2.4 knows no TCP.
 * Names are looked up as absolute, unless resolve_search() says otherwise:
 * search lists are for names that people type, not for services. /etc/hosts
 * comes first, then the name servers of /etc/resolv.conf in turn, A and AAAA
 * at once, over TCP where an answer was truncated. "localhost" and below never
 * ask the network (RFC 6761). Nothing here waits.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/bounds.h"
#include "base/status.h"
#include "net/address.h"
#include "sys/wait.h"

/*
 * What the system's files say; read once, before the network is touched.
 * Caller-owned, private to resolver_config.c and resolve*.c. Missing files
 * are fine: without name servers 127.0.0.1 is asked, as musl and glibc do.
 */
struct resolver_config {
	size_t server_count;
	struct address server[NAME_SERVERS_MAX];
	unsigned timeout_ms; /* per try; resolv.conf "timeout", 5 s */
	unsigned attempts;   /* rounds over all servers; "attempts", 2 */
	bool use_tcp;        /* never UDP; "use-vc" */
	unsigned ndots;      /* with fewer dots a name is searched; 1 */
	/* "search" or "domain", separated by white space. */
	char search[SEARCH_LIST_SIZE];
	bool cut; /* not all of the files was read */
	size_t hosts_length;
	char hosts[65536]; /* /etc/hosts, cut after its last whole line */
};

/* Reads /etc/resolv.conf and /etc/hosts. */
void resolver_config_read(struct resolver_config *config);

/* The same from texts, for tests. Either may be empty. */
void resolver_config_parse(struct resolver_config *config,
			   struct str resolv_conf, struct str hosts);

/* How many search domains there are, and one of them, without a final dot. */
size_t resolver_config_domains(const struct resolver_config *config);
struct str resolver_config_domain(const struct resolver_config *config,
				  size_t i);

/* The addresses that /etc/hosts has for `host`; false if it has none. */
MUST_CHECK bool resolver_config_find(const struct resolver_config *config,
				     struct str host, uint16_t port,
				     struct addresses *v4,
				     struct addresses *v6);

/* What became of one of the two questions of a look-up. */
enum resolver_state {
	RESOLVER_OPEN,
	RESOLVER_FAILED,    /* this server cannot answer it */
	RESOLVER_TRUNCATED, /* this server answers it over TCP only */
	RESOLVER_ANSWERED   /* for good, maybe with no address */
};

struct resolver_question {
	enum resolver_state state;
	uint16_t id;
	unsigned rcode;
	size_t server; /* that answered */
	struct addresses found;
};

/* What a name server did when it was asked last, for the error message. */
enum resolver_outcome {
	RESOLVER_UNASKED,
	RESOLVER_SILENT,
	RESOLVER_RCODE,     /* `detail` is the response code */
	RESOLVER_MALFORMED, /* its answer is broken */
	RESOLVER_CLOSED,    /* it ended the TCP connection */
	RESOLVER_ERRNO      /* `detail` is the error of the socket */
};

struct resolver_server {
	enum resolver_outcome outcome;
	int detail;
	bool tcp;
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
	int fd;                 /* -1: none */
	bool tcp;               /* `fd` is a TCP connection */
	size_t tries;           /* begun so far, over all rounds */
	struct deadline try_by; /* the end of this try */
	/* Ask again on the same socket: a datagram may be lost. */
	struct deadline resend_at;
	/* The end, if one question is settled by then. */
	struct deadline patience_by;
	struct resolver_question question[2]; /* A, AAAA */
	struct resolver_server server[NAME_SERVERS_MAX];
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
 * INVALID_ARGUMENT if `host` can be no host name.
 */
MUST_CHECK enum code resolve_step(struct resolver *r, struct status *st);

/* Whether it has succeeded; addresses are there then. */
bool resolve_done(const struct resolver *r);

/* Adds what it waits for before the next step, while it is not done. */
void resolve_wait(const struct resolver *r, struct wait_list *list);

/*
 * The addresses found, IPv6 and IPv4 in turn (RFC 8305 section 4), the first
 * family being that of the first answer's preference: IPv6.
 */
void resolve_addresses(const struct resolver *r, struct addresses *out);

/* Closes what is open. Fine in any state after resolve_start(). */
void resolve_close(struct resolver *r);

#endif
