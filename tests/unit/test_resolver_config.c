/* The formats of /etc/resolv.conf and /etc/hosts. */
#include "net/resolver_config.h"

#include "test.h"

static struct resolver_config config;
static char text_memory[3 * 65536];
static struct buf text;

/* Appends the addresses as "192.0.2.1:53 [::1]:53 ". */
static void
put_addresses(const struct address *address, size_t count)
{
	char one[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < count; i++) {
		address_text(&address[i], one);
		buf_put_cstr(&text, one);
		buf_put_char(&text, ' ');
	}
}

static const char *
text_end(void)
{
	buf_put_char(&text, '\0');
	assert_false(text.overflow);
	return text.ptr;
}

struct resolv_case {
	const char *content;
	const char *servers;
	unsigned timeout_ms, attempts;
	bool use_tcp;
};

static const struct resolv_case RESOLV[] = {
	{ "", "127.0.0.1:53 ", 5000, 2, false },
	{ "nameserver 10.96.0.10\n"
	  "search ns.svc.cluster.local svc.cluster.local\n"
	  "options ndots:5\n",
	  "10.96.0.10:53 ", 5000, 2, false },
	{ "nameserver 192.0.2.1\nnameserver 2001:db8::1\n",
	  "192.0.2.1:53 [2001:db8::1]:53 ", 5000, 2, false },
	{ "nameserver 192.0.2.1", "192.0.2.1:53 ", 5000, 2, false },
	{ "nameserver\t192.0.2.1 # ours\r\n", "192.0.2.1:53 ", 5000, 2, false },
	{ "  nameserver   192.0.2.1\n", "192.0.2.1:53 ", 5000, 2, false },
	{ "#nameserver 192.0.2.1\n;nameserver 192.0.2.2\n", "127.0.0.1:53 ",
	  5000, 2, false },
	{ "nameserver fe80::1%1\n", "[fe80::1]:53 ", 5000, 2, false },
	{ "nameserver fe80::1%no-such-zone\nnameserver 192.0.2.1\n",
	  "192.0.2.1:53 ", 5000, 2, false },
	{ "nameserver\nnameserver x\nnameservers 192.0.2.1\n"
	  "NAMESERVER 192.0.2.2\n",
	  "127.0.0.1:53 ", 5000, 2, false },
	{ "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
	  "nameserver 192.0.2.4\n",
	  "192.0.2.1:53 192.0.2.2:53 192.0.2.3:53 ", 5000, 2, false },
	{ "options timeout:3 attempts:4 rotate edns0\n", "127.0.0.1:53 ", 3000,
	  4, false },
	{ "options timeout:3\noptions attempts:4\n", "127.0.0.1:53 ", 3000, 4,
	  false },
	{ "options timeout:31 attempts:6\n", "127.0.0.1:53 ", 30000, 5, false },
	{ "options timeout:18446744073709551615\n", "127.0.0.1:53 ", 30000, 2,
	  false },
	{ "options timeout:0 attempts:0\n", "127.0.0.1:53 ", 5000, 2, false },
	{ "options timeout:-1 attempts:x timeout\n", "127.0.0.1:53 ", 5000, 2,
	  false },
	{ "options use-vc\n", "127.0.0.1:53 ", 5000, 2, true },
	{ "search .\ndomain example.com\nsortlist 1.2.3.4\n", "127.0.0.1:53 ",
	  5000, 2, false },
};

TEST(resolv_conf_gives_servers_and_options)
{
	for (size_t i = 0; i < sizeof(RESOLV) / sizeof(RESOLV[0]); i++) {
		const struct resolv_case *c = &RESOLV[i];

		memset(&config, 0xff, sizeof(config));
		resolver_config_parse(&config, str_from(c->content), STR(""));
		buf_init(&text, text_memory, sizeof(text_memory));
		put_addresses(config.server, config.server_count);
		if (strcmp(text_end(), c->servers) != 0 ||
		    config.timeout_ms != c->timeout_ms ||
		    config.attempts != c->attempts ||
		    config.use_tcp != c->use_tcp)
			fail_msg("%s: %s, %u ms, %u", c->content, text.ptr,
				 config.timeout_ms, config.attempts);
	}
}

static const struct {
	const char *content;
	const char *domains;
	unsigned ndots;
} SEARCHES[] = {
	{ "", "", 1 },
	{ "search a.example b.example\noptions ndots:5\n",
	  "a.example b.example ", 5 },
	{ "domain a.example\n", "a.example ", 1 },
	{ "search a.example\ndomain b.example\n", "b.example ", 1 },
	{ "search a.example\nsearch b.example. c\r\n", "b.example c ", 1 },
	{ "search\t a.example  .\n", "a.example ", 1 },
	{ "options ndots:0\n", "", 0 },
	{ "options ndots:99\n", "", 15 },
	{ "options ndots:-1 ndots\n", "", 1 },
	{ "searching a.example\n", "", 1 },
};

TEST(resolv_conf_gives_search_domains)
{
	for (size_t i = 0; i < sizeof(SEARCHES) / sizeof(SEARCHES[0]); i++) {
		memset(&config, 0xff, sizeof(config));
		resolver_config_parse(&config, str_from(SEARCHES[i].content),
				      STR(""));
		buf_init(&text, text_memory, sizeof(text_memory));
		for (size_t k = 0; k < resolver_config_domains(&config); k++) {
			buf_put_str(&text, resolver_config_domain(&config, k));
			buf_put_char(&text, ' ');
		}
		if (strcmp(text_end(), SEARCHES[i].domains) != 0 ||
		    config.ndots != SEARCHES[i].ndots || config.cut)
			fail_msg("%s: %s, %u", SEARCHES[i].content, text.ptr,
				 config.ndots);
	}
}

TEST(a_search_list_that_is_too_long_ends_after_a_whole_domain)
{
	char content[4096];
	struct buf out;
	size_t count = (SEARCH_LIST_SIZE - 1) / 20;

	buf_init(&out, content, sizeof(content));
	buf_put_cstr(&out, "search");
	for (size_t i = 0; i < count + 2; i++)
		buf_put_cstr(&out, " 123456789.123456789");
	resolver_config_parse(&config, buf_view(&out), STR(""));
	assert_int_equal(resolver_config_domains(&config), count);
	assert_true(str_eq(resolver_config_domain(&config, count - 1),
			   STR("123456789.123456789")));
	assert_true(config.cut);
}

/* What hosts(5) has for a name: first IPv4, then IPv6. */
static const char *
look_up(const char *host)
{
	struct addresses v4 = { .count = 0 }, v6 = { .count = 0 };
	bool found =
		resolver_config_find(&config, str_from(host), 443, &v4, &v6);

	assert_int_equal(found, v4.count + v6.count > 0);
	buf_init(&text, text_memory, sizeof(text_memory));
	put_addresses(v4.address, v4.count);
	put_addresses(v6.address, v6.count);
	return text_end();
}

static const char HOSTS[] = "# Kubernetes-managed hosts file.\n"
			    "127.0.0.1\tlocalhost\n"
			    "\n"
			    "192.0.2.1 one\n"
			    "192.0.2.2\ttwo.example.com two  zwei # drei\n"
			    "  2001:db8::2 TWO.example.com\r\n"
			    "#192.0.2.9 one\n"
			    "192.0.2.3 one#tail\n"
			    "192.0.2.300 bad\n"
			    "fe80::1%1 zone\n"
			    "192.0.2.5\n"
			    "name 192.0.2.6\n"
			    "192.0.2.7 last";

static const struct {
	const char *host;
	const char *found;
} LOOK_UPS[] = {
	{ "one", "192.0.2.1:443 192.0.2.3:443 " },
	{ "two", "192.0.2.2:443 " },
	{ "zwei", "192.0.2.2:443 " },
	{ "Two.Example.Com", "192.0.2.2:443 [2001:db8::2]:443 " },
	{ "zone", "[fe80::1]:443 " },
	{ "last", "192.0.2.7:443 " },
	{ "drei", "" },
	{ "tail", "" },
	{ "bad", "" },
	{ "tw", "" },
	{ "two.example", "" },
	{ "192.0.2.5", "" },
	{ "192.0.2.6", "" },
	{ "#", "" },
	{ "", "" },
};

TEST(hosts_gives_every_address_of_a_name)
{
	resolver_config_parse(&config, STR(""), STR(HOSTS));
	for (size_t i = 0; i < sizeof(LOOK_UPS) / sizeof(LOOK_UPS[0]); i++)
		if (strcmp(look_up(LOOK_UPS[i].host), LOOK_UPS[i].found) != 0)
			fail_msg("%s: %s", LOOK_UPS[i].host, text.ptr);
}

TEST(no_hosts_give_no_address)
{
	resolver_config_parse(&config, STR(""), (struct str){ NULL, 0 });
	assert_string_equal(look_up("localhost"), "");
}

TEST(addresses_beyond_the_limit_are_left_out)
{
	static char hosts[4096];
	struct addresses v4 = { .count = 0 }, v6 = { .count = 0 };
	struct buf out;

	buf_init(&out, hosts, sizeof(hosts));
	for (unsigned i = 1; i <= ADDRESSES_MAX + 2; i++) {
		buf_put_cstr(&out, "192.0.2.");
		buf_put_uint(&out, i);
		buf_put_cstr(&out, " many\n2001:db8::");
		buf_put_uint(&out, i);
		buf_put_cstr(&out, " many\n");
	}
	assert_false(out.overflow);
	resolver_config_parse(&config, STR(""), buf_view(&out));
	assert_true(resolver_config_find(&config, STR("many"), 443, &v4, &v6));
	assert_int_equal(v4.count, ADDRESSES_MAX);
	assert_int_equal(v6.count, ADDRESSES_MAX);
}

/* A line that is cut would name another host, or another address. */
TEST(hosts_that_are_too_long_end_after_a_whole_line)
{
	static char hosts[2 * sizeof(config.hosts)];
	static const char line[] = "192.0.2.1 abcdef\n";
	struct buf out;

	buf_init(&out, hosts, sizeof(hosts));
	while (out.len <= sizeof(config.hosts))
		buf_put_cstr(&out, line);
	resolver_config_parse(&config, STR(""), buf_view(&out));
	assert_int_equal(config.hosts_length,
			 sizeof(config.hosts) -
				 sizeof(config.hosts) % (sizeof(line) - 1));
	assert_int_equal(config.hosts[config.hosts_length - 1], '\n');
	/* One line that never ends. */
	memset(hosts, 'x', sizeof(hosts));
	resolver_config_parse(&config, STR(""),
			      (struct str){ hosts, sizeof(hosts) });
	assert_int_equal(config.hosts_length, 0);
}

TEST(the_files_of_the_system_can_be_read)
{
	resolver_config_read(&config);
	assert_true(config.server_count >= 1);
	assert_true(config.server_count <= NAME_SERVERS_MAX);
	assert_true(config.timeout_ms >= 1000 && config.timeout_ms <= 30000);
	assert_true(config.attempts >= 1 && config.attempts <= 5);
}
