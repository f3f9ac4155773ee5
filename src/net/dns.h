/*
 * Floor 2, network. DNS messages (RFC 1035), as bytes only.
 *
 * Builds the one kind of query that the resolver sends and reads the answers
 * to it. Does no input or output. Nothing in a message is trusted: every
 * offset is checked, and names may not run in circles.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/bounds.h"
#include "base/buf.h"

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

/* Longest query: header, a name of 255 bytes, type and class. */
#define DNS_QUERY_MAX 280

/* Response codes (RFC 1035 section 4.1.1). */
enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_REFUSED = 5
};

/* One address record: 4 bytes for A, 16 for AAAA. */
struct dns_address {
	unsigned char bytes[16];
};

struct dns_answer {
	unsigned rcode;
	bool truncated;
	size_t count;
	struct dns_address address[ADDRESSES_MAX];
};

/*
 * Appends a query for `name` (absolute, without a final dot). Returns false if
 * `name` is no domain name (labels of 1 to 63 bytes, 253 in all).
 */
MUST_CHECK bool dns_query(struct buf *out, uint16_t id, struct str name,
			  enum dns_type type);

/*
 * Reads a response to dns_query(): false if it is none (wrong id, question or
 * form), which is to be ignored, as it may be forged (RFC 5452). Follows the
 * CNAME records of the answer; at most ADDRESSES_MAX addresses are taken.
 */
MUST_CHECK bool dns_read(struct str message, uint16_t id, struct str name,
			 enum dns_type type, struct dns_answer *answer);

#endif
