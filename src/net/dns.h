/*
 * Floor 2, network. DNS messages (RFC 1035), as bytes only.
 *
 * Builds the one kind of query that the resolver sends and reads the answers
 * to it. Does no input or output. Nothing in a message is trusted: every
 * offset is checked, and compression pointers may not form a loop.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/bounds.h"
#include "base/buf.h"

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

/* Longest query: header (12), a name (255), type and class (4). */
#define DNS_QUERY_MAX 271

/* Response codes that are told apart (RFC 1035 section 4.1.1). */
#define DNS_NOERROR 0
#define DNS_NXDOMAIN 3

/* How a message relates to a query. */
enum dns_reading {
	DNS_UNRELATED, /* not its answer, maybe forged: ignored */
	DNS_MALFORMED, /* its answer, but broken */
	DNS_TRUNCATED, /* its answer, cut short: to be asked for over TCP */
	DNS_COMPLETE   /* its answer */
};

/* One address record: 4 bytes for A, 16 for AAAA. */
struct dns_address {
	unsigned char bytes[16];
};

struct dns_answer {
	unsigned rcode;
	size_t count;
	struct dns_address address[ADDRESSES_MAX];
};

/*
 * Appends a query for `name` (absolute, without a final dot). Returns false if
 * `name` is not a domain name (labels of 1 to 63 bytes, 253 in all) or `out` is
 * full.
 */
MUST_CHECK bool dns_query(struct buf *out, uint16_t id, struct str name,
			  enum dns_type type);

/*
 * Reads a message as the answer to dns_query(): the same id and question, as
 * RFC 5452 section 9 demands, where a server that reports an error may leave
 * the question out. `answer` is filled for DNS_COMPLETE: the response code,
 * and the addresses of the name or of the last of its aliases (CNAME), at
 * most ADDRESSES_MAX.
 */
MUST_CHECK enum dns_reading dns_read(struct str message, uint16_t id,
				     struct str name, enum dns_type type,
				     struct dns_answer *answer);

/* A response code for people, as "server failure (SERVFAIL)". */
const char *dns_rcode_text(unsigned rcode);

#endif
