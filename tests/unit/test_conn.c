/* Where a connection in clear text may lead. */
#include "net/conn.h"

#include "net/address.h"

#include "test.h"

static struct conn conn;
static struct network network;
static const struct conn_limits LIMITS = {
	.dial = { .resolve_ms = 1000, .connect_ms = 1 },
	.handshake_ms = 1,
	.first_byte_ms = 1,
	.exchange_ms = 1,
};

/* What opening a connection to `url` by way of `via` ends with. */
static enum code
open_via(const char *url, const char *via, struct status *st)
{
	struct url to, other;

	status_clear(st);
	assert_int_equal(url_parse(&to, str_from(url), "URL", st), CODE_OK);
	conn_init(&conn, &to, &network, &LIMITS);
	if (via != NULL) {
		assert_int_equal(url_from_host(&other, str_from(via), 9, "VIA",
					       st),
				 CODE_OK);
		conn_connect_to(&conn, &other);
	}
	(void)conn_open(&conn, deadline_in(1000), st);
	conn_close(&conn);
	return st->code;
}

TEST(clear_text_keeps_to_the_loopback)
{
	static const struct {
		const char *url;
		const char *via;
	} rows[] = {
		{ "http://localhost", "192.0.2.1" },
		{ "http://127.0.0.1", "[2001:db8::1]:80" },
		{ "http://[::1]", "[::ffff:192.0.2.1]" },
		{ "http://localhost", "peer.example" },
	};
	struct status st;

	/* The name of another machine, as a hosts file may have it. */
	resolver_config_parse(&network.resolver, STR(""),
			      STR("192.0.2.7 peer.example\n"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (open_via(rows[i].url, rows[i].via, &st) !=
		    CODE_INVALID_ARGUMENT)
			fail_msg("row %zu: %s", i, st.message);
		assert_non_null(strstr(st.message, "the loopback only"));
	}
	/* Nobody listens there, but it was tried. */
	assert_int_equal(open_via("http://localhost:9", NULL, &st),
			 CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "cannot connect"));
	assert_int_equal(open_via("http://localhost", "127.1.2.3", &st),
			 CODE_UNAVAILABLE);
}

TEST(addresses_of_the_loopback)
{
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {
		{ "127.0.0.1", true },    { "127.255.0.9", true },
		{ "::1", true },          { "126.0.0.1", false },
		{ "128.0.0.1", false },   { "0.0.0.0", false },
		{ "::", false },          { "::ffff:10.0.0.1", false },
		{ "169.254.1.1", false }, { "fe80::1", false },
	};
	struct address address;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(address_parse(&address, str_from(rows[i].text), 1));
		assert_int_equal(address_is_loopback(&address),
				 rows[i].loopback);
	}
}
