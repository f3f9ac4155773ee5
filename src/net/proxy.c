#include "net/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/codec.h"
#include "sys/opt.h"

static enum code
refuse(const char *why, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "%s: %s",
			  opt_origin("HTTPS_PROXY"), why);
}

/* "Basic " and the base64 of "USER:PASSWORD" (RFC 7617). */
static enum code
read_user(struct proxy *proxy, struct str user, struct status *st)
{
	size_t colon = str_find(user, ':');
	struct buf pair, out;
	bool good;

	buf_init(&pair, proxy->login, sizeof(proxy->login) - 1);
	/* Percent-encoded in a URL (RFC 3986 section 3.2.1). */
	good = percent_decode(&pair, (struct str){ user.ptr, colon });
	buf_put_char(&pair, ':');
	good = good && percent_decode(&pair, str_skip(user, colon + 1));
	buf_init(&out, proxy->authorization, sizeof(proxy->authorization) - 1);
	buf_put_cstr(&out, "Basic ");
	base64_encode(&out, pair.ptr, pair.len);
	if (!good || pair.overflow || out.overflow) {
		proxy_wipe(proxy);
		return refuse("user and password are too long, or not "
			      "percent-encoded",
			      st);
	}
	proxy->login[pair.len] = '\0';
	proxy->authorization[out.len] = '\0';
	return CODE_OK;
}

/* Where "://" ends, or 0. */
static size_t
scheme_length(struct str text)
{
	size_t colon = str_find(text, ':');

	return str_starts(str_skip(text, colon), STR("://")) ? colon + 3 : 0;
}

/* "USER:PASSWORD" in an address, cut off after its host; empty if none. */
static struct str
user_of(struct str text)
{
	struct str rest = str_skip(text, scheme_length(text));
	size_t at;

	rest.len = at = str_find(rest, '/');
	while (at > 0 && rest.ptr[at - 1] != '@')
		at--;
	rest.len = at > 0 ? at - 1 : 0;
	return rest;
}

void
proxy_wipe_text(const char *address)
{
	struct str user = user_of(str_from(address));

	/* It lies in the environment or in argv, which are ours to change. */
	wipe((char *)(uintptr_t)user.ptr, user.len);
}

void
proxy_wipe(struct proxy *proxy)
{
	wipe(proxy->login, sizeof(proxy->login));
	wipe(proxy->authorization, sizeof(proxy->authorization));
}

enum code
proxy_read(struct proxy *proxy, const char *address, const char *exceptions,
	   struct status *st)
{
	char memory[URL_PATH_MAX];
	struct str text, rest;
	struct buf url;
	size_t scheme, at;

	proxy->given = address != NULL;
	proxy->login[0] = '\0';
	proxy->authorization[0] = '\0';
	proxy->exceptions = exceptions != NULL ? exceptions : "";
	if (address == NULL)
		return CODE_OK;
	text = str_trim(str_from(address));
	scheme = scheme_length(text);
	if (scheme > 0 && str_starts(text, STR("socks")))
		return refuse("SOCKS proxies are not supported, only http and "
			      "https",
			      st);
	rest = str_skip(text, scheme);
	rest.len = str_find(rest, '/');
	at = rest.len;
	while (at > 0 && rest.ptr[at - 1] != '@')
		at--;
	if (at > 0 && read_user(proxy, user_of(text), st) != CODE_OK)
		return st->code;
	buf_init(&url, memory, sizeof(memory));
	buf_put_str(&url, scheme > 0 ? (struct str){ text.ptr, scheme }
				     : STR("http://"));
	buf_put_str(&url, str_skip(rest, at));
	if (url.overflow)
		return refuse("it is too long", st);
	return url_parse(&proxy->url, buf_view(&url), opt_origin("HTTPS_PROXY"),
			 st);
}

/* An address as bytes; returns how many, or 0 if it is not one. */
static size_t
parse_address(struct str text, unsigned char out[static 16])
{
	char copy[INET6_ADDRSTRLEN];

	if (text.len > 1 && text.ptr[0] == '[' && str_ends(text, STR("]")))
		text = (struct str){ text.ptr + 1, text.len - 2 };
	if (!str_copy(text, copy, sizeof(copy)))
		return 0;
	if (inet_pton(AF_INET, copy, out) == 1)
		return 4;
	return inet_pton(AF_INET6, copy, out) == 1 ? 16 : 0;
}

static bool
same_prefix(const unsigned char *a, const unsigned char *b, uint64_t bits)
{
	size_t whole = (size_t)(bits / 8);
	unsigned rest = (unsigned)(bits % 8);

	return memcmp(a, b, whole) == 0 &&
	       (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* "10.0.0.0/8": for addresses only, names are not looked up for this. */
static bool
matches_network(struct str entry, const struct url *url)
{
	size_t slash = str_find(entry, '/');
	unsigned char network[16], address[16];
	size_t size = parse_address((struct str){ entry.ptr, slash }, network);
	uint64_t bits;

	return size > 0 && parse_uint(str_skip(entry, slash + 1), &bits) &&
	       bits <= 8 * (uint64_t)size &&
	       parse_address(str_from(url->host), address) == size &&
	       same_prefix(network, address, bits);
}

/* Cuts ":PORT" off; false if it is another one. A bare IPv6 has no port. */
static bool
take_port(struct str *entry, uint16_t port)
{
	size_t colon = entry->len;
	unsigned char address[16];
	uint64_t number;

	if (parse_address(*entry, address) == 16)
		return true;
	while (colon > 0 && entry->ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return true;
	if (!parse_uint(str_skip(*entry, colon), &number) || number != port)
		return false;
	entry->len = colon - 1;
	return true;
}

static bool
matches_name(struct str entry, struct str host)
{
	bool below_only = false;

	if (str_starts(entry, STR("*.")))
		entry = str_skip(entry, 1);
	if (str_starts(entry, STR("."))) {
		entry = str_skip(entry, 1);
		below_only = true;
	}
	if (entry.len == 0)
		return false;
	if (host.len == entry.len)
		return !below_only && str_eq_nocase(host, entry);
	return host.len > entry.len + 1 &&
	       host.ptr[host.len - entry.len - 1] == '.' &&
	       str_eq_nocase(str_skip(host, host.len - entry.len), entry);
}

static bool
matches(struct str entry, const struct url *url)
{
	unsigned char wanted[16], address[16];
	size_t size;

	if (str_eq(entry, STR("*")))
		return true;
	if (str_find(entry, '/') < entry.len)
		return matches_network(entry, url);
	if (!take_port(&entry, url->port))
		return false;
	size = parse_address(entry, wanted);
	if (size > 0)
		return parse_address(str_from(url->host), address) == size &&
		       memcmp(wanted, address, size) == 0;
	if (parse_address(str_from(url->host), address) > 0)
		return false;
	return matches_name(entry, str_from(url->host));
}

bool
proxy_applies(const struct proxy *proxy, const struct url *url)
{
	struct str rest = str_from(proxy->exceptions), entry;

	if (!proxy->given || !url->tls || url_is_loopback(url))
		return false;
	while (str_split(&rest, ',', &entry))
		if (matches(str_trim(entry), url))
			return false;
	return true;
}
