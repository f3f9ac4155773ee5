#include "net/x509.h"

#include <string.h>

#include "net/certificate.h"
#include "sys/clock.h"

/* Days from year 0 to 1970-01-01, as br_x509_minimal_set_time() counts. */
#define EPOCH_DAYS 719528
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define NAMES_SHOWN 5

static struct x509 *
self(const br_x509_class **context)
{
	return (struct x509 *)(void *)context;
}

static const br_x509_class **
inner(struct x509 *x)
{
	return &x->minimal.vtable;
}

static void
start_chain(const br_x509_class **context, const char *server_name)
{
	struct x509 *x = self(context);

	(void)server_name; /* NULL for an address literal: we want a check */
	x->certificates = 0;
	status_clear(&x->verdict);
	(*inner(x))->start_chain(inner(x), x->host);
}

/*
 * Whether the path to an anchor is complete: what a server sends after it,
 * often an expired cross-signed root, is no part of it.
 */
static bool
path_is_complete(const struct x509 *x)
{
	return x->minimal.err == BR_ERR_X509_OK;
}

static void
start_cert(const br_x509_class **context, uint32_t length)
{
	struct x509 *x = self(context);

	x->length = 0;
	x->certificates++;
	x->examine = !path_is_complete(x);
	if (x->examine &&
	    (length > sizeof(x->der) || x->certificates > CHAIN_MAX))
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: its certificate chain is larger than "
				 "this program takes",
				 x->host);
	(*inner(x))->start_cert(inner(x), length);
}

static void
append(const br_x509_class **context, const unsigned char *bytes, size_t len)
{
	struct x509 *x = self(context);

	if (x->examine && len <= sizeof(x->der) - x->length) {
		memcpy(x->der + x->length, bytes, len);
		x->length += len;
	}
	(*inner(x))->append(inner(x), bytes, len);
}

static const char *
role(const struct x509 *x)
{
	return x->certificates == 1 ? "its certificate"
				    : "an intermediate certificate";
}

static void
check_validity(struct x509 *x, const struct certificate *c)
{
	bool early = x->now < c->not_before;
	char limit[RFC3339_SIZE], now[RFC3339_SIZE];

	if (!early && x->now <= c->not_after)
		return;
	clock_rfc3339(early ? c->not_before : c->not_after, limit);
	clock_rfc3339(x->now, now);
	(void)status_set(&x->verdict, CODE_UNAVAILABLE,
			 "%s: %s %s %s, the local time is %s", x->host, role(x),
			 early ? "is not valid before" : "expired at", limit,
			 now);
	status_hint(&x->verdict, "if the local clock is right, the server "
				 "needs a new certificate");
}

static void
check_key(struct x509 *x, const struct certificate *c)
{
	size_t bits = certificate_rsa_bits(c);

	if (c->key_type == KEY_UNSUPPORTED)
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: %s has a key of a kind that is not "
				 "supported (RSA and ECDSA on P-256, P-384, "
				 "P-521 are)",
				 x->host, role(x));
	else if (c->key_type == KEY_RSA &&
		 (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: %s has an RSA key of %zu bits, allowed "
				 "are %d to %d",
				 x->host, role(x), bits, RSA_BITS_MIN,
				 RSA_BITS_MAX);
}

/* What a certificate says of its own use (RFC 5280 section 4.2.1). */
static void
check_use(struct x509 *x, const struct certificate *c)
{
	const char *why = NULL;

	if (certificate_has_weak_signature(c))
		why = "is signed with SHA-1 or MD5";
	else if (!certificate_allows_server(c))
		why = "is not for TLS servers (extendedKeyUsage)";
	else if (c->has_name_constraints)
		why = "has name constraints, which are not supported";
	else if (x->certificates == 1 && !certificate_has_dns_name(c))
		why = "has no DNS name in subjectAltName";
	else if (x->certificates == 1 && !certificate_allows_signing(c))
		why = "may not sign (keyUsage)";
	if (why != NULL)
		(void)status_set(&x->verdict, CODE_UNAVAILABLE, "%s: %s %s",
				 x->host, role(x), why);
}

static void
remember_names(struct x509 *x, const struct certificate *c)
{
	struct buf text;

	buf_init(&text, x->issuer, sizeof(x->issuer) - 1);
	certificate_put_name(c->issuer, &text);
	x->issuer[text.len] = '\0';
	if (x->certificates > 1)
		return;
	buf_init(&text, x->names, sizeof(x->names) - 1);
	certificate_put_dns_names(c, NAMES_SHOWN, &text);
	x->names[text.len] = '\0';
}

static void
end_cert(const br_x509_class **context)
{
	struct x509 *x = self(context);
	struct certificate c;

	(*inner(x))->end_cert(inner(x));
	if (!x->examine || x->verdict.code != CODE_OK)
		return;
	if (!certificate_read(&c, (struct str){ (const char *)x->der,
						x->length })) {
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: %s is malformed", x->host, role(x));
		return;
	}
	remember_names(x, &c);
	check_validity(x, &c);
	check_key(x, &c);
	check_use(x, &c);
}

static unsigned
end_chain(const br_x509_class **context)
{
	struct x509 *x = self(context);
	unsigned error = (*inner(x))->end_chain(inner(x));

	if (error == 0 && x->verdict.code != CODE_OK)
		return BR_ERR_X509_NOT_TRUSTED;
	return error;
}

static const br_x509_pkey *
get_pkey(const br_x509_class *const *context, unsigned *usages)
{
	const struct x509 *x = (const struct x509 *)(const void *)context;

	return x->minimal.vtable->get_pkey(&x->minimal.vtable, usages);
}

static const br_x509_class X509_CLASS = {
	.context_size = sizeof(struct x509),
	.start_chain = start_chain,
	.start_cert = start_cert,
	.append = append,
	.end_cert = end_cert,
	.end_chain = end_chain,
	.get_pkey = get_pkey,
};

void
x509_init(struct x509 *x, br_ssl_engine_context *engine,
	  const struct trust *trust, const char *host, int64_t now)
{
	br_x509_minimal_context *minimal = &x->minimal;
	br_rsa_pkcs1_vrfy rsa = br_rsa_pkcs1_vrfy_get_default();
	int64_t days = (now >= 0 ? now : now - 86399) / 86400;

	x->vtable = &X509_CLASS;
	x->now = now;
	x->host = host;
	x->trust = trust;
	x->certificates = 0;
	x->length = 0;
	x->examine = false;
	x->issuer[0] = '\0';
	x->names[0] = '\0';
	status_clear(&x->verdict);
	br_x509_minimal_init(minimal, &br_sha256_vtable, trust->anchor,
			     trust->count);
	br_x509_minimal_set_hash(minimal, br_sha256_ID, &br_sha256_vtable);
	br_x509_minimal_set_hash(minimal, br_sha384_ID, &br_sha384_vtable);
	br_x509_minimal_set_hash(minimal, br_sha512_ID, &br_sha512_vtable);
	br_x509_minimal_set_rsa(minimal, rsa);
	br_x509_minimal_set_ecdsa(minimal, &br_ec_all_m31,
				  br_ecdsa_i31_vrfy_asn1);
	br_x509_minimal_set_minrsa(minimal, RSA_BITS_MIN / 8);
	br_x509_minimal_set_time(minimal, (uint32_t)(days + EPOCH_DAYS),
				 (uint32_t)(now - days * 86400));
	br_ssl_engine_set_x509(engine, &x->vtable);
}

static enum code
explain_untrusted(const struct x509 *x, struct status *st)
{
	status_hint(st, "behind a TLS-inspecting proxy or with a private CA, "
			"set SSL_CERT_FILE to a PEM file with its root "
			"certificate");
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: its certificate leads to no trusted root: the "
			  "last issuer is \"%s\", trusted are %s (%zu, %zu "
			  "expired, %zu unusable)",
			  x->host, x->issuer, x->trust->source, x->trust->count,
			  x->trust->expired, x->trust->skipped);
}

/* BearSSL's verdicts that need more than a fixed sentence, or a better one. */
static enum code
explain_error(const struct x509 *x, int error, struct status *st)
{
	switch (error) {
	case BR_ERR_X509_NOT_TRUSTED:
		return explain_untrusted(x, st);
	case BR_ERR_X509_BAD_SERVER_NAME:
		status_hint(st, "check the host name, and what answers at its "
				"address");
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: its certificate is for other names: %s",
				  x->host, x->names);
	case BR_ERR_X509_DN_MISMATCH:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: its certificate chain is out of order "
				  "or incomplete",
				  x->host);
	case BR_ERR_X509_CRITICAL_EXTENSION:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: a certificate has a critical extension "
				  "that is not supported",
				  x->host);
	case BR_ERR_X509_BAD_SIGNATURE:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: the signature of a certificate is wrong",
				  x->host);
	case BR_ERR_X509_NOT_CA:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: a certificate is signed by one that is "
				  "no certification authority",
				  x->host);
	case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: the keyUsage of a certificate forbids "
				  "this use",
				  x->host);
	case BR_ERR_X509_UNSUPPORTED:
	case BR_ERR_X509_LIMIT_EXCEEDED:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: a certificate uses an algorithm or key "
				  "size that is not supported (RSA from %d to "
				  "%d bits and ECDSA on NIST curves, with "
				  "SHA-2, are)",
				  x->host, RSA_BITS_MIN, RSA_BITS_MAX);
	default:
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: its certificate chain is malformed "
				  "(BearSSL error %d)",
				  x->host, error);
	}
}

enum code
x509_explain(const struct x509 *x, int error, struct status *st)
{
	if (error < BR_ERR_X509_OK || error > BR_ERR_X509_NOT_TRUSTED)
		return CODE_OK;
	if (x->verdict.code != CODE_OK && st->code == CODE_OK)
		*st = x->verdict;
	else
		(void)explain_error(x, error, st);
	st->permanent = true;
	status_hint(st, "the server, or what intercepts TLS on the way, needs "
			"another certificate");
	return st->code;
}
