#include "net/x509.h"

#include <string.h>

#include "net/name.h"
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

/*
 * BearSSL compares names by their hashes, byte by byte. Here all have the same
 * hash, for it sees only certificates and anchors that name_equal() matched.
 */
static void
hash_nothing(const br_hash_class **context)
{
	(void)context;
}

static void
hash_no_bytes(const br_hash_class **context, const void *bytes, size_t len)
{
	(void)context;
	(void)bytes;
	(void)len;
}

static void
hash_out(const br_hash_class *const *context, void *out)
{
	(void)context;
	*(unsigned char *)out = 0;
}

static const br_hash_class NAME_HASH = {
	.context_size = sizeof(br_hash_compat_context),
	.desc = BR_HASHDESC_OUT(1),
	.init = hash_nothing,
	.update = hash_no_bytes,
	.out = hash_out,
};

static void
start_chain(const br_x509_class **context, const char *server_name)
{
	struct x509 *x = self(context);

	(void)server_name;
	(*inner(x))->start_chain(inner(x), x->host);
}

bool
x509_refused(const struct x509 *x)
{
	return x->verdict.code != CODE_OK ||
	       (x->minimal.err != 0 && x->minimal.err != BR_ERR_X509_OK);
}

/*
 * Refused, or the path has reached an anchor: what a server sends after that,
 * often an expired cross-signed root, is no part of it.
 */
static bool
is_decided(const struct x509 *x)
{
	return x->minimal.err != 0 || x->verdict.code != CODE_OK;
}

static void
start_cert(const br_x509_class **context, uint32_t length)
{
	struct x509 *x = self(context);

	x->length = 0;
	x->sent += length;
	if (x->sent > sizeof(x->der) ||
	    (x->count == CHAIN_MAX && !is_decided(x)))
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: its certificate chain is larger than "
				 "this program takes (%d certificates, %d "
				 "bytes)",
				 x->host, CHAIN_MAX, CHAIN_SIZE);
}

static void
append(const br_x509_class **context, const unsigned char *bytes, size_t len)
{
	struct x509 *x = self(context);

	if (is_decided(x) || len > sizeof(x->der) - x->used - x->length)
		return;
	memcpy(x->der + x->used + x->length, bytes, len);
	x->length += len;
}

static const char *
role(const struct x509 *x, const struct certificate *c)
{
	return c == x->certificate ? "its certificate"
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
			 "%s: %s %s %s, the local time is %s", x->host,
			 role(x, c),
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
				 x->host, role(x, c));
	else if (c->key_type == KEY_RSA &&
		 (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX))
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: %s has an RSA key of %zu bits, allowed "
				 "are %d to %d",
				 x->host, role(x, c), bits, RSA_BITS_MIN,
				 RSA_BITS_MAX);
}

/* Purposes of a certificate (RFC 5280 section 4.2.1). */
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
	else if (c == x->certificate && !certificate_has_dns_name(c))
		why = "has no DNS name in subjectAltName";
	else if (c == x->certificate && !certificate_allows_signing(c))
		why = "may not sign (keyUsage)";
	if (why != NULL)
		(void)status_set(&x->verdict, CODE_UNAVAILABLE, "%s: %s %s",
				 x->host, role(x, c), why);
}

/* Lets BearSSL see the anchors of that name that the path may end in. */
static void
offer_anchors(struct x509 *x, struct str name)
{
	size_t count;

	x->minimal.trust_anchors =
		trust_find(x->trust, name, x->intermediates, &count);
	x->minimal.trust_anchors_num = count;
}

static void
feed(struct x509 *x, const char *from, const char *to)
{
	(*inner(x))->append(inner(x), (const unsigned char *)from,
			    (size_t)(to - from));
}

/*
 * BearSSL refuses a critical extendedKeyUsage, which was checked here: its
 * parser gets it as not critical, its hash as it is.
 */
static void
feed_not_critical(struct x509 *x, const char *critical)
{
	static const char no[] = { 0 };

	if (x->minimal.do_mhash != 0)
		br_multihash_update(&x->minimal.mhash, critical, 1);
	x->minimal.do_mhash = 0;
	feed(x, no, no + 1);
	x->minimal.do_mhash = 1;
}

/* Adds a certificate to the path: the leaf, or the issuer of the last one. */
static void
extend_path(struct x509 *x, const struct certificate *c)
{
	const char *from = c->whole.ptr, *signed_end = c->tbs.ptr + c->tbs.len;

	check_validity(x, c);
	check_key(x, c);
	check_use(x, c);
	if (is_decided(x))
		return;
	x->in_path[c - x->certificate] = true;
	x->last = c;
	if (c != x->certificate && !name_equal(c->issuer, c->subject))
		x->intermediates++;
	(*inner(x))->start_cert(inner(x), (uint32_t)c->whole.len);
	/* Among these may be the leaf itself, pinned. */
	offer_anchors(x, c->subject);
	if (c->critical_purposes.len == 1) {
		feed(x, from, c->critical_purposes.ptr);
		feed_not_critical(x, c->critical_purposes.ptr);
		from = c->critical_purposes.ptr + 1;
	}
	feed(x, from, signed_end);
	offer_anchors(x, c->issuer);
	feed(x, signed_end, c->whole.ptr + c->whole.len);
	(*inner(x))->end_cert(inner(x));
}

static const struct certificate *
find_issuer(const struct x509 *x)
{
	for (size_t i = 1; i < x->count; i++)
		if (!x->in_path[i] &&
		    name_equal(x->certificate[i].subject, x->last->issuer))
			return &x->certificate[i];
	return NULL;
}

static bool
is_known(const struct x509 *x, struct str der)
{
	for (size_t i = 0; i < x->count; i++)
		if (str_eq(x->certificate[i].whole, der))
			return true;
	return false;
}

static void
end_cert(const br_x509_class **context)
{
	struct x509 *x = self(context);
	struct certificate *c = &x->certificate[x->count];
	struct str der = { (const char *)x->der + x->used, x->length };
	const struct certificate *next;

	if (is_decided(x) || is_known(x, der))
		return;
	if (!certificate_read(c, der)) {
		(void)status_set(&x->verdict, CODE_UNAVAILABLE,
				 "%s: %s is malformed", x->host, role(x, c));
		return;
	}
	x->used += x->length;
	x->count++;
	if (x->count == 1)
		extend_path(x, c);
	while (!is_decided(x) && (next = find_issuer(x)) != NULL)
		extend_path(x, next);
}

static unsigned
end_chain(const br_x509_class **context)
{
	struct x509 *x = self(context);

	if (x->verdict.code != CODE_OK)
		return BR_ERR_X509_NOT_TRUSTED;
	return (*inner(x))->end_chain(inner(x));
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
	x->sent = 0;
	x->length = 0;
	x->used = 0;
	x->count = 0;
	x->last = NULL;
	x->intermediates = 0;
	memset(x->in_path, 0, sizeof(x->in_path));
	status_clear(&x->verdict);
	br_x509_minimal_init(minimal, &NAME_HASH, NULL, 0);
	minimal->dn_hash.vtable = &NAME_HASH;
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
	char memory[128];
	struct buf issuer;
	size_t any, allowed;

	buf_init(&issuer, memory, sizeof(memory));
	name_put(x->last->issuer, &issuer);
	(void)trust_find(x->trust, x->last->issuer, 0, &any);
	(void)trust_find(x->trust, x->last->issuer, x->intermediates, &allowed);
	if (any > allowed)
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: its certificate chain is longer than "
				  "the root \"%.*s\" allows "
				  "(pathLenConstraint)",
				  x->host, (int)issuer.len, issuer.ptr);
	status_hint(st, "behind a TLS-inspecting proxy or with a private CA, "
			"set SSL_CERT_FILE to a PEM file with its root "
			"certificate");
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: its certificate leads to no trusted root: the "
			  "last issuer is \"%.*s\", trusted are %s (%zu, %zu "
			  "expired, %zu unusable)",
			  x->host, (int)issuer.len, issuer.ptr,
			  x->trust->source, x->trust->count, x->trust->expired,
			  x->trust->skipped);
}

static enum code
explain_other_names(const struct x509 *x, struct status *st)
{
	char memory[512];
	struct buf names;

	buf_init(&names, memory, sizeof(memory));
	certificate_put_dns_names(x->last, NAMES_SHOWN, &names);
	status_hint(st, "check the host name, and what answers at its address");
	return status_set(st, CODE_UNAVAILABLE,
			  "%s: its certificate is for other names: %.*s",
			  x->host, (int)names.len, names.ptr);
}

/* BearSSL's errors that need more than a fixed message. */
static enum code
explain_error(const struct x509 *x, struct status *st)
{
	switch (x->minimal.err) {
	case BR_ERR_X509_NOT_TRUSTED:
		return explain_untrusted(x, st);
	case BR_ERR_X509_BAD_SERVER_NAME:
		return explain_other_names(x, st);
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
				  x->host, x->minimal.err);
	}
}

enum code
x509_explain(const struct x509 *x, struct status *st)
{
	if (!x509_refused(x))
		return CODE_OK;
	if (x->verdict.code != CODE_OK && st->code == CODE_OK)
		*st = x->verdict;
	else
		(void)explain_error(x, st);
	st->permanent = true;
	status_hint(st, "the server, or what intercepts TLS on the way, needs "
			"another certificate");
	return st->code;
}
