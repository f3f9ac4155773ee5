#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/codec.h"

void
address_text(const struct address *address, char out[static ADDRESS_TEXT_SIZE])
{
	char literal[INET6_ADDRSTRLEN] = "?";
	bool v6 = address->sockaddr.any.sa_family == AF_INET6;
	unsigned port = ntohs(v6 ? address->sockaddr.v6.sin6_port
				 : address->sockaddr.v4.sin_port);

	if (v6)
		(void)inet_ntop(AF_INET6, &address->sockaddr.v6.sin6_addr,
				literal, sizeof(literal));
	else
		(void)inet_ntop(AF_INET, &address->sockaddr.v4.sin_addr,
				literal, sizeof(literal));
	(void)snprintf(out, ADDRESS_TEXT_SIZE, v6 ? "[%s]:%u" : "%s:%u",
		       literal, port);
}

void
address_set(struct address *address, sa_family_t family,
	    const unsigned char *bytes, uint16_t port)
{
	*address = (struct address){ .length = 0 };
	address->sockaddr.any.sa_family = family;
	if (family == AF_INET6) {
		address->sockaddr.v6.sin6_port = htons(port);
		memcpy(&address->sockaddr.v6.sin6_addr, bytes, 16);
		address->length = sizeof(address->sockaddr.v6);
	} else {
		address->sockaddr.v4.sin_port = htons(port);
		memcpy(&address->sockaddr.v4.sin_addr, bytes, 4);
		address->length = sizeof(address->sockaddr.v4);
	}
}

/* As if_nametoindex(), whose socket would not be one of IP. */
static uint32_t
interface_index(const char *name)
{
	struct ifreq request = { .ifr_ifindex = 0 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found = fd >= 0 &&
		     str_copy(str_from(name), request.ifr_name,
			      sizeof(request.ifr_name)) &&
		     ioctl(fd, SIOCGIFINDEX, &request) == 0;

	if (fd >= 0)
		(void)close(fd);
	return found ? (uint32_t)request.ifr_ifindex : 0;
}

/* The number of a zone (RFC 4007 section 11.2); 0 if there is none such. */
static uint32_t
zone_index(const char *zone)
{
	uint64_t number;

	if (parse_uint(str_from(zone), &number))
		return number <= UINT32_MAX ? (uint32_t)number : 0;
	return interface_index(zone);
}

bool
address_parse(struct address *address, struct str text, uint16_t port)
{
	char literal[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
	unsigned char bytes[16];
	char *zone;

	if (!str_copy(text, literal, sizeof(literal)))
		return false;
	if (inet_pton(AF_INET, literal, bytes) == 1) {
		address_set(address, AF_INET, bytes, port);
		return true;
	}
	zone = strchr(literal, '%');
	if (zone != NULL)
		*zone++ = '\0';
	if (inet_pton(AF_INET6, literal, bytes) != 1)
		return false;
	address_set(address, AF_INET6, bytes, port);
	if (zone != NULL)
		address->sockaddr.v6.sin6_scope_id = zone_index(zone);
	return zone == NULL || address->sockaddr.v6.sin6_scope_id != 0;
}

bool
address_is_loopback(const struct address *address)
{
	if (address->sockaddr.any.sa_family == AF_INET)
		return ntohl(address->sockaddr.v4.sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&address->sockaddr.v6.sin6_addr);
}
