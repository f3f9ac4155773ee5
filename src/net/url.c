#include "net/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/codec.h"
#include "base/format.h"
#include "net/address.h"

static enum code
refuse(const char *name, const char *why, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "%s: %s", name, why);
}

static bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* Letters, digits, hyphens, underscores; dots between labels (RFC 1123). */
static enum code
check_name(struct str host, const char *name, struct status *st)
{
	struct str rest = host, label;

	while (str_split(&rest, '.', &label)) {
		if (label.len == 0)
			return refuse(name, "the host has an empty label", st);
		if (label.len > 63)
			return refuse(name,
				      "a label of the host is longer than 63",
				      st);
		for (size_t i = 0; i < label.len; i++) {
			if ((unsigned char)label.ptr[i] >= 0x80)
				return refuse(name,
					      "the host is not ASCII: write it "
					      "in punycode (xn--...)",
					      st);
			if (!is_alphanumeric(label.ptr[i]) &&
			    label.ptr[i] != '-' && label.ptr[i] != '_')
				return refuse(name,
					      "the host holds a character that "
					      "no host name may have",
					      st);
		}
		if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return refuse(name,
				      "a label of the host starts or ends "
				      "with a hyphen",
				      st);
	}
	return CODE_OK;
}

/* A name whose last label is a number can only be meant as an address. */
static bool
looks_numeric(struct str host)
{
	size_t at = host.len;

	while (at > 0 && host.ptr[at - 1] != '.')
		at--;
	return at < host.len && host.ptr[at] >= '0' && host.ptr[at] <= '9' &&
	       str_find(str_skip(host, at), 'x') == host.len - at;
}

static enum code
parse_host(struct url *url, struct str host, const char *name,
	   struct status *st)
{
	unsigned char address[4];

	url->absolute = str_ends(host, STR("."));
	if (url->absolute)
		host.len--;
	if (host.len == 0)
		return refuse(name, "the host is missing", st);
	if (check_name(host, name, st) != CODE_OK)
		return st->code;
	if (!str_copy(host, url->host, sizeof(url->host)))
		return refuse(name, "the host is too long", st);
	for (char *c = url->host; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (looks_numeric(host) && inet_pton(AF_INET, url->host, address) != 1)
		return refuse(name, "the host is no valid IPv4 address", st);
	return CODE_OK;
}

/* "[ADDRESS]" at the start of `*rest`. */
static enum code
take_ipv6(struct url *url, struct str *rest, const char *name,
	  struct status *st)
{
	unsigned char address[16];
	size_t end = str_find(*rest, ']');
	struct buf host;

	if (end == rest->len)
		return refuse(name, "the IPv6 address lacks its ]", st);
	if (!str_copy((struct str){ rest->ptr + 1, end - 1 }, url->host,
		      sizeof(url->host)) ||
	    inet_pton(AF_INET6, url->host, address) != 1)
		return refuse(name, "the host is no valid IPv6 address", st);
	buf_init(&host, url->host, sizeof(url->host) - 1);
	address_put_ipv6(&host, address);
	url->host[host.len] = '\0';
	*rest = str_skip(*rest, end + 1);
	return CODE_OK;
}

/* HOST[:PORT] or [IPV6][:PORT], all of `text`. */
static enum code
parse_authority(struct url *url, struct str text, uint16_t default_port,
		const char *name, struct status *st)
{
	struct str rest = text;
	uint64_t port = default_port;
	bool ipv6 = str_starts(text, STR("["));
	struct buf authority;

	if (str_find(text, '@') != text.len)
		return refuse(name, "user information is not allowed", st);
	if (ipv6) {
		if (take_ipv6(url, &rest, name, st) != CODE_OK)
			return st->code;
	} else {
		size_t colon = str_find(text, ':');

		if (parse_host(url, (struct str){ text.ptr, colon }, name,
			       st) != CODE_OK)
			return st->code;
		rest = str_skip(text, colon);
	}
	if (rest.len > 0 && (rest.ptr[0] != ':' || rest.len > 6 ||
			     !parse_uint(str_skip(rest, 1), &port) ||
			     port == 0 || port > 65535))
		return refuse(name, "the port must be a number from 1 to 65535",
			      st);
	url->port = (uint16_t)port;
	buf_init(&authority, url->authority, sizeof(url->authority) - 1);
	buf_put_cstr(&authority, ipv6 ? "[" : "");
	buf_put_cstr(&authority, url->host);
	buf_put_cstr(&authority, ipv6 ? "]" : "");
	if (port != default_port) {
		buf_put_char(&authority, ':');
		buf_put_uint(&authority, port);
	}
	if (authority.overflow)
		return refuse(name, "the host is too long", st);
	url->authority[authority.len] = '\0';
	return CODE_OK;
}

/* pchar and "/" (RFC 3986 section 3.3). */
static enum code
parse_path(struct url *url, struct str path, const char *name,
	   struct status *st)
{
	static const char others[] = "/-._~!$&'()*+,;=:@";

	for (size_t i = 0; i < path.len; i++) {
		char c = path.ptr[i];

		if (c == '?' || c == '#')
			return refuse(name,
				      "a query or fragment is not allowed", st);
		if (c == '%' && i + 2 < path.len &&
		    hex_value(path.ptr[i + 1]) >= 0 &&
		    hex_value(path.ptr[i + 2]) >= 0)
			continue;
		if (c == '\0' ||
		    (!is_alphanumeric(c) && strchr(others, c) == NULL))
			return refuse(name,
				      "the path holds a character that must "
				      "be percent-encoded",
				      st);
	}
	if (!str_copy(path, url->path, sizeof(url->path) / 2))
		return refuse(name, "the path is too long", st);
	return CODE_OK;
}

enum code
url_parse(struct url *url, struct str text, const char *name, struct status *st)
{
	char *end;

	if (url_parse_exact(url, text, name, st) != CODE_OK)
		return st->code;
	end = url->path + strlen(url->path);
	while (end > url->path && end[-1] == '/')
		*--end = '\0';
	return CODE_OK;
}

enum code
url_parse_exact(struct url *url, struct str text, const char *name,
		struct status *st)
{
	struct str rest;
	size_t end = 0;

	*url = (struct url){ .tls = false };
	if (text.len >= 8 &&
	    str_eq_nocase((struct str){ text.ptr, 8 }, STR("https://")))
		url->tls = true;
	else if (text.len < 7 ||
		 !str_eq_nocase((struct str){ text.ptr, 7 }, STR("http://")))
		return refuse(name,
			      "the URL must start with https:// or "
			      "http://",
			      st);
	rest = str_skip(text, url->tls ? 8 : 7);
	while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' &&
	       rest.ptr[end] != '#')
		end++;
	if (parse_authority(url, (struct str){ rest.ptr, end },
			    url->tls ? 443 : 80, name, st) != CODE_OK)
		return st->code;
	return parse_path(url, str_skip(rest, end), name, st);
}

enum code
url_from_host(struct url *url, struct str text, uint16_t port, const char *name,
	      struct status *st)
{
	char bracketed[64];
	size_t colon = str_find(text, ':');

	*url = (struct url){ .tls = false };
	/* Two colons are those of an IPv6 address, which then has no port. */
	if (text.ptr[0] != '[' && colon < text.len &&
	    str_contains(str_skip(text, colon + 1), STR(":")) &&
	    format_text(bracketed, sizeof(bracketed), "[%.*s]", (int)text.len,
			text.ptr))
		text = str_from(bracketed);
	return parse_authority(url, text, port, name, st);
}

bool
url_is_loopback(const struct url *url)
{
	unsigned char v4[4], v6[16];

	if (strcmp(url->host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, url->host, v4) == 1)
		return v4[0] == 127;
	return inet_pton(AF_INET6, url->host, v6) == 1 &&
	       memcmp(v6, &in6addr_loopback, sizeof(v6)) == 0;
}
