#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/codec.h"

/* In lower case and without leading zeros. */
static void
put_hex(struct buf *out, unsigned value)
{
	bool begun = false;

	for (unsigned shift = 12; shift > 0; shift -= 4) {
		begun = begun || value >> shift != 0;
		if (begun)
			buf_put_char(out,
				     "0123456789abcdef"[value >> shift & 15]);
	}
	buf_put_char(out, "0123456789abcdef"[value & 15]);
}

static void
put_ipv4(struct buf *out, const unsigned char bytes[static 4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			buf_put_char(out, '.');
		buf_put_uint(out, bytes[i]);
	}
}

/* Where the longest run of groups of zero begins, the first of equals. */
static size_t
longest_zeros(const unsigned char bytes[static 16], size_t *length)
{
	size_t at = 8, zeros = 0;

	*length = 1; /* a single group is never left out */
	for (size_t group = 0; group < 8; group++) {
		bool zero = bytes[2 * group] == 0 && bytes[2 * group + 1] == 0;

		zeros = zero ? zeros + 1 : 0;
		if (zeros > *length) {
			*length = zeros;
			at = group + 1 - zeros;
		}
	}
	return at;
}

void
address_put_ipv6(struct buf *out, const unsigned char bytes[static 16])
{
	static const unsigned char MAPPED[12] = { [10] = 0xff, [11] = 0xff };
	bool mapped = memcmp(bytes, MAPPED, sizeof(MAPPED)) == 0;
	size_t length, zeros = longest_zeros(bytes, &length);

	for (size_t group = 0; group < (mapped ? 6 : 8); group++) {
		if (group == zeros) {
			buf_put_cstr(out, "::");
			group += length - 1;
			continue;
		}
		if (group > 0 && group != zeros + length)
			buf_put_char(out, ':');
		put_hex(out,
			(unsigned)bytes[2 * group] << 8 | bytes[2 * group + 1]);
	}
	if (mapped) {
		buf_put_char(out, ':');
		put_ipv4(out, bytes + sizeof(MAPPED));
	}
}

void
address_text(const struct address *address, char out[static ADDRESS_TEXT_SIZE])
{
	bool v6 = address->sockaddr.any.sa_family == AF_INET6;
	struct buf text;

	buf_init(&text, out, ADDRESS_TEXT_SIZE - 1);
	if (v6) {
		buf_put_char(&text, '[');
		address_put_ipv6(&text, address->sockaddr.v6.sin6_addr.s6_addr);
		buf_put_char(&text, ']');
	} else {
		put_ipv4(&text, (const unsigned char *)&address->sockaddr.v4
					.sin_addr.s_addr);
	}
	buf_put_char(&text, ':');
	buf_put_uint(&text, ntohs(v6 ? address->sockaddr.v6.sin6_port
				     : address->sockaddr.v4.sin_port));
	out[text.len] = '\0';
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

/* The number of a zone (RFC 4007 section 11.2); 0 if it does not exist. */
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
