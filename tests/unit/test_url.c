/* Which URLs are taken, and as what: RFC 3986, RFC 1123 section 2.1. */
#include "net/url.h"

#include "test.h"

#define TEN "aaaaaaaaaa"
#define LABEL_60 TEN TEN TEN TEN TEN TEN
#define LABEL_63 LABEL_60 "aaa"

static struct url url;
static struct status st;

static enum code
read_url(struct str text)
{
	status_clear(&st);
	return url_parse(&url, text, "NAME", &st);
}

TEST(urls_are_taken_apart)
{
	static const struct {
		const char *text;
		bool tls;
		const char *host;
		uint16_t port;
		const char *authority;
		const char *path;
	} rows[] = {
		{ "https://a", true, "a", 443, "a", "" },
		{ "http://a", false, "a", 80, "a", "" },
		{ "HTTPS://A.Example", true, "a.example", 443, "a.example",
		  "" },
		{ "https://a/", true, "a", 443, "a", "" },
		{ "https://a//", true, "a", 443, "a", "" },
		{ "https://a/b/C/", true, "a", 443, "a", "/b/C" },
		{ "https://a/%2F%aa~-._!$&'()*+,;=:@", true, "a", 443, "a",
		  "/%2F%aa~-._!$&'()*+,;=:@" },
		{ "https://a:443", true, "a", 443, "a", "" },
		{ "https://a:80", true, "a", 80, "a:80", "" },
		{ "http://a:443", false, "a", 443, "a:443", "" },
		{ "https://a:1/x", true, "a", 1, "a:1", "/x" },
		{ "https://a:65535", true, "a", 65535, "a:65535", "" },
		{ "https://a:00443", true, "a", 443, "a", "" },
		{ "https://a.example.", true, "a.example", 443, "a.example",
		  "" },
		{ "https://a_b.x-y", true, "a_b.x-y", 443, "a_b.x-y", "" },
		{ "https://xn--4ca", true, "xn--4ca", 443, "xn--4ca", "" },
		{ "https://10.0.0.1:8443", true, "10.0.0.1", 8443,
		  "10.0.0.1:8443", "" },
		{ "https://1.a2", true, "1.a2", 443, "1.a2", "" },
		{ "https://a.0x1", true, "a.0x1", 443, "a.0x1", "" },
		{ "https://[::1]", true, "::1", 443, "[::1]", "" },
		{ "https://[2001:DB8:0:0::1]:8443/x", true, "2001:db8::1", 8443,
		  "[2001:db8::1]:8443", "/x" },
		{ "https://[::ffff:10.0.0.1]", true, "::ffff:10.0.0.1", 443,
		  "[::ffff:10.0.0.1]", "" },
		{ "https://" LABEL_63 ".b", true, LABEL_63 ".b", 443,
		  LABEL_63 ".b", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_url(str_from(rows[i].text)) != CODE_OK)
			fail_msg("%s: %s", rows[i].text, st.message);
		assert_int_equal(url.tls, rows[i].tls);
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.port, rows[i].port);
		assert_string_equal(url.authority, rows[i].authority);
		assert_string_equal(url.path, rows[i].path);
	}
}

TEST(wrong_urls_are_told_by_name_and_rule)
{
	static const struct {
		const char *text;
		const char *rule;
	} rows[] = {
		{ "", "must start with https://" },
		{ "https:", "must start with https://" },
		{ "a.example", "must start with https://" },
		{ "//a", "must start with https://" },
		{ "ftp://a", "must start with https://" },
		{ " https://a", "must start with https://" },
		{ "https://", "the host is missing" },
		{ "https:///x", "the host is missing" },
		{ "https://.", "the host is missing" },
		{ "https://:80", "the host is missing" },
		{ "https://a..b", "empty label" },
		{ "https://.a", "empty label" },
		{ "https://a..", "empty label" },
		{ "https://-a", "starts or ends with a hyphen" },
		{ "https://a-.b", "starts or ends with a hyphen" },
		{ "https://" LABEL_63 "a", "longer than 63" },
		{ "https://a b", "no host name may have" },
		{ "https://a%41", "no host name may have" },
		{ "https://a\nb", "no host name may have" },
		{ "https://a\\b", "no host name may have" },
		{ "https://b\xc3\xbc.example", "punycode" },
		{ "https://u@a", "user information" },
		{ "https://u:p@a", "user information" },
		{ "https://@a", "user information" },
		/* what old resolvers read as other addresses */
		{ "https://1", "no valid IPv4 address" },
		{ "https://127.1", "no valid IPv4 address" },
		{ "https://010.0.0.1", "no valid IPv4 address" },
		{ "https://1.2.3.256", "no valid IPv4 address" },
		{ "https://1.2.3.4.5", "no valid IPv4 address" },
		{ "https://a.1", "no valid IPv4 address" },
		{ "https://[::1", "lacks its ]" },
		{ "https://[]", "no valid IPv6 address" },
		{ "https://[1.2.3.4]", "no valid IPv6 address" },
		{ "https://[::g]", "no valid IPv6 address" },
		{ "https://[fe80::1%25eth0]", "no valid IPv6 address" },
		{ "https://[::1]x", "the port must be" },
		{ "https://[::1]80", "the port must be" },
		{ "https://::1", "the host is missing" },
		{ "https://a:", "the port must be" },
		{ "https://a:0", "the port must be" },
		{ "https://a:65536", "the port must be" },
		{ "https://a:000443", "the port must be" },
		{ "https://a:-1", "the port must be" },
		{ "https://a:+1", "the port must be" },
		{ "https://a:8x", "the port must be" },
		{ "https://a:80:80", "the port must be" },
		{ "https://a?x", "query or fragment" },
		{ "https://a#x", "query or fragment" },
		{ "https://a/?", "query or fragment" },
		{ "https://a/b#", "query or fragment" },
		{ "https://a/b c", "percent-encoded" },
		{ "https://a/%", "percent-encoded" },
		{ "https://a/%4", "percent-encoded" },
		{ "https://a/%4g", "percent-encoded" },
		{ "https://a/\r\n", "percent-encoded" },
		{ "https://a/\"", "percent-encoded" },
		{ "https://a/\xc3\xbc", "percent-encoded" },
		{ "https://a\\@b/", "user information" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (read_url(str_from(rows[i].text)) != CODE_INVALID_ARGUMENT ||
		    strncmp(st.message, "NAME: ", 6) != 0 ||
		    strstr(st.message, rows[i].rule) == NULL)
			fail_msg("%s: %s", rows[i].text, st.message);
	}
}

TEST(a_nul_ends_nothing)
{
	assert_int_equal(read_url(STR("https://a\0.b")), CODE_INVALID_ARGUMENT);
	assert_int_equal(read_url(STR("https://a/\0")), CODE_INVALID_ARGUMENT);
	assert_int_equal(read_url(STR("https://a:8\0")), CODE_INVALID_ARGUMENT);
	assert_int_equal(read_url(STR("https://[::1\0]")),
			 CODE_INVALID_ARGUMENT);
}

/* RFC 1035 section 2.3.4; a path leaves half of its room to others. */
TEST(hosts_and_paths_have_a_ceiling)
{
	static char text[2048] = "https://";
	const size_t start = 8;

	for (size_t i = 0; i < HOST_NAME_MAX_SIZE; i++)
		text[start + i] = i % 50 == 49 ? '.' : 'a';
	assert_int_equal(read_url((struct str){
				 text, start + HOST_NAME_MAX_SIZE - 1 }),
			 CODE_OK);
	assert_int_equal(strlen(url.host), HOST_NAME_MAX_SIZE - 1);
	assert_int_equal(read_url((struct str){ text,
						start + HOST_NAME_MAX_SIZE }),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "the host is too long"));

	text[start + 1] = '/';
	memset(text + start + 2, 'b', sizeof(text) - start - 2);
	assert_int_equal(read_url((struct str){ text,
						start + URL_PATH_MAX / 2 }),
			 CODE_OK);
	assert_int_equal(strlen(url.path), URL_PATH_MAX / 2 - 1);
	assert_int_equal(read_url((struct str){ text,
						start + URL_PATH_MAX / 2 + 1 }),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "the path is too long"));
}

/* The longest host and port still fit the Host field. */
TEST(the_longest_authority_fits)
{
	static char text[512] = "https://";
	size_t len = 8 + HOST_NAME_MAX_SIZE - 1;

	for (size_t i = 8; i < len; i++)
		text[i] = i % 50 == 49 ? '.' : 'a';
	memcpy(text + len, ":65535", 6);
	assert_int_equal(read_url((struct str){ text, len + 6 }), CODE_OK);
	assert_int_equal(strlen(url.authority), HOST_NAME_MAX_SIZE - 1 + 6);
}

TEST(hosts_with_a_port_make_an_http_url)
{
	static const struct {
		const char *text;
		const char *host;
		uint16_t port;
		const char *authority;
	} rows[] = {
		{ "metadata", "metadata", 81, "metadata" },
		{ "metadata:8080", "metadata", 8080, "metadata:8080" },
		{ "169.254.169.254", "169.254.169.254", 81, "169.254.169.254" },
		{ "[fd20:ce::254]", "fd20:ce::254", 81, "[fd20:ce::254]" },
		{ "[fd20:ce::254]:8080", "fd20:ce::254", 8080,
		  "[fd20:ce::254]:8080" },
		{ "fd20:ce::254", "fd20:ce::254", 81, "[fd20:ce::254]" },
		{ "FD20:CE:0:0:0:0:0:254", "fd20:ce::254", 81,
		  "[fd20:ce::254]" },
		{ "::1", "::1", 81, "[::1]" },
		{ "fd20:ce::254:8080", "fd20:ce::254:8080", 81,
		  "[fd20:ce::254:8080]" },
	};
	static const char *const bad[] = {
		"",
		":80",
		"a/",
		"http://a",
		"a:b",
		"u@a",
		"a?",
		"a:1:2",
		"::1]",
		"::1]:80",
		"fd20:ce:254",
		"fe80::1%eth0",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:"
		"dddd:eeee",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		status_clear(&st);
		assert_int_equal(url_from_host(&url, str_from(rows[i].text), 81,
					       "NAME", &st),
				 CODE_OK);
		assert_false(url.tls);
		assert_string_equal(url.host, rows[i].host);
		assert_int_equal(url.port, rows[i].port);
		assert_string_equal(url.authority, rows[i].authority);
		assert_string_equal(url.path, "");
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		status_clear(&st);
		assert_int_equal(url_from_host(&url, str_from(bad[i]), 81,
					       "NAME", &st),
				 CODE_INVALID_ARGUMENT);
	}
}

/* RFC 6890, RFC 6761 section 6.3. */
TEST(the_loopback_is_known)
{
	static const struct {
		const char *text;
		bool loopback;
	} rows[] = {
		{ "http://localhost", true },
		{ "http://LOCALHOST:1", true },
		{ "http://localhost.", true },
		{ "http://127.0.0.1", true },
		{ "http://127.255.255.255", true },
		{ "http://[::1]", true },
		{ "http://[0:0:0:0:0:0:0:1]", true },
		{ "http://128.0.0.1", false },
		{ "http://126.0.0.1", false },
		{ "http://0.0.0.0", false },
		{ "http://[::]", false },
		{ "http://[::2]", false },
		{ "http://localhost.example", false },
		{ "http://a.localhost", false },
		{ "http://127.0.0.1.example", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(read_url(str_from(rows[i].text)), CODE_OK);
		if (url_is_loopback(&url) != rows[i].loopback)
			fail_msg("%s", rows[i].text);
	}
}
