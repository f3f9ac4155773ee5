/*
 * Floor 2, network. Addresses with a port, as connect(2) takes them.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bounds.h"
#include "base/buf.h"

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
 * Appends an IPv6 address in the form of RFC 5952; ::ffff:192.0.2.1 if mapped.
 */
void address_put_ipv6(struct buf *out, const unsigned char bytes[static 16]);

/* Makes an address of the 4 bytes of AF_INET or the 16 of AF_INET6. */
void address_set(struct address *address, sa_family_t family,
		 const unsigned char *bytes, uint16_t port);

/*
 * Reads an address literal; IPv6 without brackets, maybe with the zone of an
 * existing interface ("fe80::1%eth0", "fe80::1%2"). False if it is not one.
 */
MUST_CHECK bool address_parse(struct address *address, struct str text,
			      uint16_t port);

/* Whether it is one of 127.0.0.0/8, or ::1. */
bool address_is_loopback(const struct address *address);

#endif
