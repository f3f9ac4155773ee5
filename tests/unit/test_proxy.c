/* Which proxy leads where. */
#include "net/proxy.h"

#include "test.h"

static struct proxy proxy;
static struct status st;

TEST(addresses_are_read)
{
	static const struct {
		const char *address;
		bool tls;
		const char *authority;
		uint16_t port;
		const char *authorization;
	} rows[] = {
		{ "proxy.example:3128", false, "proxy.example:3128", 3128, "" },
		{ "proxy.example", false, "proxy.example", 80, "" },
		{ "http://proxy.example", false, "proxy.example", 80, "" },
		{ "HTTP://Proxy.Example/", false, "proxy.example", 80, "" },
		{ " http://10.0.0.1:8080 ", false, "10.0.0.1:8080", 8080, "" },
		{ "https://proxy.example", true, "proxy.example", 443, "" },
		{ "https://[fd00::1]:8443", true, "[fd00::1]:8443", 8443, "" },
		{ "http://proxy.example/path?x", false, "proxy.example", 80,
		  "" },
		{ "http://user:pass@p:1", false, "p:1", 1,
		  "Basic dXNlcjpwYXNz" },
		{ "user:pass@p:1", false, "p:1", 1, "Basic dXNlcjpwYXNz" },
		{ "http://user@p", false, "p", 80, "Basic dXNlcjo=" },
		{ "http://u%40d:p%3Aq%2f@p", false, "p", 80,
		  "Basic dUBkOnA6cS8=" },
		{ "http://u:a@b@p", false, "p", 80, "Basic dTphQGI=" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status_clear(&st);
		assert_int_equal(proxy_read(&proxy, rows[i].address, NULL, &st),
				 CODE_OK);
		assert_true(proxy.given);
		assert_int_equal(proxy.url.tls, rows[i].tls);
		assert_string_equal(proxy.url.authority, rows[i].authority);
		assert_int_equal(proxy.url.port, rows[i].port);
		assert_string_equal(proxy.authorization, rows[i].authorization);
	}
}

TEST(wrong_addresses_are_told_without_the_password)
{
	static const char *const rows[] = {
		"",
		"http://",
		"ftp://p:21",
		"socks4://p:1080",
		"socks5://p:1080",
		"socks5h://p",
		"http://user:sesame@",
		"http://user:sesame@p:0",
		"http://user:sesame@p:99999",
		"http://user:ses%4@p",
		"http://user:sesame%zz@p",
		"http://user:sesame@a b",
		"http://user:sesame@p:8o",
		"http://us\ner:sesame@p\r\nx",
	};
	char lengthy[2000];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		status_clear(&st);
		assert_int_equal(proxy_read(&proxy, rows[i], NULL, &st),
				 CODE_INVALID_ARGUMENT);
		assert_non_null(strstr(st.message, "HTTPS_PROXY"));
		assert_null(strstr(st.message, "sesame"));
	}
	memset(lengthy, 'a', sizeof(lengthy));
	lengthy[sizeof(lengthy) - 1] = '\0';
	status_clear(&st);
	assert_int_equal(proxy_read(&proxy, lengthy, NULL, &st),
			 CODE_INVALID_ARGUMENT);
	lengthy[1000] = '@';
	status_clear(&st);
	assert_int_equal(proxy_read(&proxy, lengthy, NULL, &st),
			 CODE_INVALID_ARGUMENT);
}

TEST(no_address_is_no_proxy)
{
	struct url url;

	status_clear(&st);
	assert_int_equal(proxy_read(&proxy, NULL, NULL, &st), CODE_OK);
	assert_int_equal(url_parse(&url, STR("https://a.example"), "", &st),
			 CODE_OK);
	assert_false(proxy_applies(&proxy, &url));
}

TEST(exceptions_follow_go)
{
	static const struct {
		const char *exceptions;
		const char *url;
		bool applies;
	} rows[] = {
		{ "", "https://a.example", true },
		{ "", "http://a.example", false },
		{ "", "https://localhost", false },
		{ "", "https://127.0.0.1", false },
		{ "", "https://127.1.2.3:8443", false },
		{ "", "https://[::1]", false },
		{ "", "https://10.0.0.1", true },
		{ "*", "https://a.example", false },
		{ "x.example,*", "https://a.example", false },
		{ "**", "https://a.example", true },
		{ "a.example", "https://a.example", false },
		{ "A.Example", "https://a.EXAMPLE", false },
		{ "a.example", "https://b.a.example", false },
		{ "a.example", "https://ba.example", true },
		{ "a.example", "https://a.example.org", true },
		{ ".a.example", "https://a.example", true },
		{ ".a.example", "https://b.a.example", false },
		{ ".a.example", "https://c.b.a.example", false },
		{ "*.a.example", "https://a.example", true },
		{ "*.a.example", "https://b.a.example", false },
		{ "*.a.example", "https://xa.example", true },
		{ "example", "https://a.example", false },
		{ ".", "https://a.example", true },
		{ "*.", "https://a.example", true },
		{ "a.example:443", "https://a.example", false },
		{ "a.example:443", "https://a.example:8443", true },
		{ "a.example:8443", "https://b.a.example:8443", false },
		{ "a.example:x", "https://a.example", true },
		{ "a.example:", "https://a.example", true },
		{ " a.example , b.example ", "https://b.example", false },
		{ "a.example b.example", "https://a.example", true },
		{ ",,a.example,,", "https://a.example", false },
		{ ",,", "https://a.example", true },
		{ "10.0.0.1", "https://10.0.0.1", false },
		{ "10.0.0.1", "https://10.0.0.2", true },
		{ "10.0.0.1:443", "https://10.0.0.1", false },
		{ "10.0.0.1:444", "https://10.0.0.1", true },
		{ "0.0.1", "https://10.0.0.1", true },
		{ "10.0.0.0/8", "https://10.255.1.2", false },
		{ "10.0.0.0/8", "https://11.0.0.1", true },
		{ "10.1.2.128/25", "https://10.1.2.200", false },
		{ "10.1.2.128/25", "https://10.1.2.100", true },
		{ "0.0.0.0/0", "https://8.8.8.8", false },
		{ "0.0.0.0/0", "https://a.example", true },
		{ "10.0.0.0/33", "https://10.0.0.1", true },
		{ "10.0.0.0/", "https://10.0.0.1", true },
		{ "10.0.0.0/x", "https://10.0.0.1", true },
		{ "a.example/8", "https://a.example", true },
		{ "10.0.0.1/32", "https://10.0.0.1", false },
		{ "fd00::/8", "https://[fd12::1]", false },
		{ "fd00::/8", "https://[fe80::1]", true },
		{ "fd00::/8", "https://10.0.0.1", true },
		{ "::/0", "https://[2001:db8::1]", false },
		{ "fd00::1", "https://[fd00::1]", false },
		{ "fd00:0::1", "https://[fd00::1]:8443", false },
		{ "[fd00::1]:443", "https://[fd00::1]", false },
		{ "[fd00::1]:444", "https://[fd00::1]", true },
		{ "[fd00::1]", "https://[fd00::1]", false },
		{ "169.254.169.254,metadata.google.internal",
		  "https://secretmanager.googleapis.com", true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct url url;

		status_clear(&st);
		assert_int_equal(proxy_read(&proxy, "http://p",
					    rows[i].exceptions, &st),
				 CODE_OK);
		assert_int_equal(url_parse(&url, str_from(rows[i].url), "url",
					   &st),
				 CODE_OK);
		if (proxy_applies(&proxy, &url) != rows[i].applies)
			fail_msg("%s with %s", rows[i].url, rows[i].exceptions);
	}
}
