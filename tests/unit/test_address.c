/* Addresses as text, both ways. */
#include "net/address.h"

#include <arpa/inet.h>

#include "test.h"

struct literal_case {
	const char *literal;
	const char *text; /* with port 443; NULL: no address */
};

static const struct literal_case LITERALS[] = {
	{ "192.0.2.1", "192.0.2.1:443" },
	{ "0.0.0.0", "0.0.0.0:443" },
	{ "::1", "[::1]:443" },
	{ "fd20:CE::254", "[fd20:ce::254]:443" },
	{ "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:443" },
	{ "::", "[::]:443" },
	{ "::1:0:0", "[::1:0:0]:443" },
	{ "1:0:0:2::", "[1:0:0:2::]:443" },
	{ "1:0:2:3:4:5:6:7", "[1:0:2:3:4:5:6:7]:443" },
	{ "fe80::1%1", "[fe80::1]:443" },
	{ "fe80::1%lo", "[fe80::1]:443" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:443" },
	{ "", NULL },
	{ "localhost", NULL },
	{ "127.1", NULL },
	{ "1.2.3.4.5", NULL },
	{ "192.0.2.1 ", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2.1%1", NULL },
	{ "192.0.2.1:53", NULL },
	{ "[::1]", NULL },
	{ ":::1", NULL },
	{ "fe80::1%", NULL },
	{ "fe80::1%0", NULL },
	{ "fe80::1%no-such-zone", NULL },
	{ "fe80::1%4294967296", NULL },
	{ "fe80::1%1%1", NULL },
	{ "1111:2222:3333:4444:5555:6666:7777:8888%and-then-some-more-of-it",
	  NULL },
};

TEST(literals_are_read_and_written)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address address;

	for (size_t i = 0; i < sizeof(LITERALS) / sizeof(LITERALS[0]); i++) {
		const struct literal_case *c = &LITERALS[i];

		if (address_parse(&address, str_from(c->literal), 443) !=
		    (c->text != NULL))
			fail_msg("%s", c->literal);
		if (c->text == NULL)
			continue;
		address_text(&address, text);
		assert_string_equal(text, c->text);
	}
}

/* Every pattern of groups of zero, with groups of one to four digits. */
TEST(ipv6_is_written_as_inet_ntop_does)
{
	static const unsigned GROUP[8] = { 0x1,    0x20,   0x300, 0x4000,
					   0xffff, 0xabcd, 0xf,   0x1f0 };

	for (unsigned pattern = 0; pattern < 256; pattern++) {
		unsigned char bytes[16] = { 0 };
		char theirs[INET6_ADDRSTRLEN], ours[INET6_ADDRSTRLEN] = "";
		struct buf text;

		for (unsigned i = 0; i < 8; i++) {
			unsigned value = pattern >> i & 1 ? GROUP[i] : 0;

			bytes[2 * i] = (unsigned char)(value >> 8);
			bytes[2 * i + 1] = (unsigned char)value;
		}
		buf_init(&text, ours, sizeof(ours) - 1);
		address_put_ipv6(&text, bytes);
		/* glibc takes ::a.b.c.d, long out of use, for IPv4, too. */
		if ((pattern & 0x3f) == 0)
			continue;
		assert_string_equal(ours, inet_ntop(AF_INET6, bytes, theirs,
						    sizeof(theirs)));
	}
}

TEST(a_nul_ends_no_literal)
{
	struct address address;

	assert_false(address_parse(&address, STR("::1\0"), 443));
}

TEST(an_address_is_what_connect_takes)
{
	struct address address;

	assert_true(address_parse(&address, STR("192.0.2.1"), 53));
	assert_int_equal(address.length, sizeof(struct sockaddr_in));
	assert_int_equal(address.sockaddr.any.sa_family, AF_INET);
	assert_int_equal(ntohs(address.sockaddr.v4.sin_port), 53);
	assert_int_equal(ntohl(address.sockaddr.v4.sin_addr.s_addr),
			 0xc0000201);
	assert_true(address_parse(&address, STR("fe80::2%7"), 53));
	assert_int_equal(address.length, sizeof(struct sockaddr_in6));
	assert_int_equal(address.sockaddr.any.sa_family, AF_INET6);
	assert_int_equal(ntohs(address.sockaddr.v6.sin6_port), 53);
	assert_int_equal(address.sockaddr.v6.sin6_scope_id, 7);
	assert_int_equal(address.sockaddr.v6.sin6_addr.s6_addr[15], 2);
}
