#include "gcp/cred_url.h"

#include <arpa/inet.h>
#include <string.h>

#include "sys/opt.h"

static enum code
refuse(const char *name, const char *why, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "%s %s", name, why);
}

/* Keys from before 2016 have their token endpoint at accounts.google.com. */
static bool
is_google(struct str host, const char *universe)
{
	return str_below(host, STR("googleapis.com")) ||
	       str_below(host, str_from(universe)) ||
	       str_eq(host, STR("accounts.google.com"));
}

enum code
cred_url_read(struct url *url, struct str text, const char *name,
	      const char *universe, struct status *st)
{
	if (url_parse_exact(url, text, name, st) != CODE_OK)
		return st->code;
	if (url_is_loopback(url))
		return CODE_OK;
	if (!url->tls)
		return refuse(name, "must be https", st);
	if (!is_google(str_from(url->host), universe)) {
		status_hint(st, "tokens are sent to Google only; for a private "
				"endpoint set STS_ENDPOINT, OAUTH2_ENDPOINT or "
				"IAM_CREDENTIALS_ENDPOINT");
		return refuse(name, "leads to a host that is not Google's", st);
	}
	return CODE_OK;
}

enum code
cred_url_read_impersonation(struct url *url, struct str text,
			    const char *universe, struct status *st)
{
	static const char name[] = "service_account_impersonation_url";
	struct str path;

	if (cred_url_read(url, text, name, universe, st) != CODE_OK)
		return st->code;
	path = str_from(url->path);
	if (!str_starts(path, STR("/v1/projects/-/serviceAccounts/")) ||
	    !str_ends(path, STR(":generateAccessToken")))
		return refuse(name,
			      "is not .../v1/projects/-/serviceAccounts/"
			      "ACCOUNT:generateAccessToken",
			      st);
	return CODE_OK;
}

/* An address literal of 169.254.0.0/16, not a name that begins like one. */
static bool
is_link_local(const char *host)
{
	unsigned char address[4];

	return inet_pton(AF_INET, host, address) == 1 && address[0] == 169 &&
	       address[1] == 254;
}

enum code
cred_url_read_source(struct url *url, struct str text, const char *name,
		     struct status *st)
{
	if (url_parse_exact(url, text, name, st) != CODE_OK)
		return st->code;
	if (url->tls || url_is_loopback(url) || is_link_local(url->host))
		return CODE_OK;
	return refuse(name,
		      "must be https, or http to a loopback or link-local "
		      "address",
		      st);
}

enum code
cred_url_move(struct url *url, const char *endpoint, const char *variable,
	      struct status *st)
{
	const char *name = opt_given(variable);
	struct url moved;
	size_t len;

	if (endpoint == NULL)
		return CODE_OK;
	if (url_parse(&moved, str_from(endpoint), name, st) != CODE_OK)
		return st->code;
	if (!moved.tls && !url_is_loopback(&moved))
		return refuse(name, "must be https, or http on the loopback",
			      st);
	len = strlen(moved.path);
	if (!str_copy(str_from(url->path), moved.path + len,
		      sizeof(moved.path) - len))
		return refuse(name, "is too long", st);
	*url = moved;
	return CODE_OK;
}
