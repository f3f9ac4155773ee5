#include "net/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/redact.h"
#include "net/certificate.h"
#include "net/pem.h"
#include "net/roots.h"
#include "sys/clock.h"
#include "sys/file.h"

/* The largest RSA key that BearSSL 0.6 takes (BR_MAX_RSA_SIZE). */
#define RSA_BITS_MAX 4096
#define RSA_BITS_MIN 2048

void
trust_use_roots(struct trust *trust, int64_t now)
{
	trust->count = 0;
	trust->skipped = 0;
	trust->expired = 0;
	(void)snprintf(trust->source, sizeof(trust->source),
		       "the compiled-in roots");
	for (size_t i = 0; i < ROOTS_COUNT && i < ANCHORS_MAX; i++)
		if (now < ROOTS[i].not_before || now > ROOTS[i].not_after)
			trust->expired++;
		else
			trust->anchor[trust->count++] = ROOTS[i].anchor;
}

/* A copy that lasts; NULL if the pool is full. */
static unsigned char *
keep(struct trust *trust, struct str bytes)
{
	unsigned char *at = trust->pool + trust->pool_used;

	if (bytes.len > sizeof(trust->pool) - trust->pool_used)
		return NULL;
	memcpy(at, bytes.ptr, bytes.len);
	trust->pool_used += bytes.len;
	return at;
}

static bool
keep_rsa_key(struct trust *trust, const struct certificate *c,
	     br_x509_pkey *key)
{
	key->key_type = BR_KEYTYPE_RSA;
	key->key.rsa.n = keep(trust, c->rsa_modulus);
	key->key.rsa.nlen = c->rsa_modulus.len;
	key->key.rsa.e = keep(trust, c->rsa_exponent);
	key->key.rsa.elen = c->rsa_exponent.len;
	return key->key.rsa.n != NULL && key->key.rsa.e != NULL;
}

static bool
keep_ec_key(struct trust *trust, const struct certificate *c, br_x509_pkey *key)
{
	key->key_type = BR_KEYTYPE_EC;
	key->key.ec.curve = c->key_type == KEY_P256   ? BR_EC_secp256r1
			    : c->key_type == KEY_P384 ? BR_EC_secp384r1
						      : BR_EC_secp521r1;
	key->key.ec.q = keep(trust, c->ec_point);
	key->key.ec.qlen = c->ec_point.len;
	return key->key.ec.q != NULL;
}

static bool
same_bytes(const unsigned char *a, size_t a_len, struct str b)
{
	return a_len == b.len && memcmp(a, b.ptr, a_len) == 0;
}

/* Whether an anchor with this name and key is there already. */
static bool
is_known(const struct trust *trust, const struct certificate *c)
{
	for (size_t i = 0; i < trust->count; i++) {
		const br_x509_trust_anchor *a = &trust->anchor[i];

		if (!same_bytes(a->dn.data, a->dn.len, c->subject))
			continue;
		if (a->pkey.key_type == BR_KEYTYPE_RSA
			    ? same_bytes(a->pkey.key.rsa.n,
					 a->pkey.key.rsa.nlen, c->rsa_modulus)
			    : same_bytes(a->pkey.key.ec.q, a->pkey.key.ec.qlen,
					 c->ec_point))
			return true;
	}
	return false;
}

/*
 * Constraints that nobody would check make a root worthless. BearSSL reads
 * neither keyUsage nor extendedKeyUsage of an anchor.
 */
static bool
is_usable(const struct certificate *c)
{
	size_t bits = certificate_rsa_bits(c);

	if (c->has_name_constraints || !certificate_allows_server(c) ||
	    c->is_ca != certificate_allows_issuing(c))
		return false;
	if (c->key_type == KEY_RSA)
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	return c->key_type != KEY_UNSUPPORTED;
}

/* Takes one certificate as an anchor, or counts why not. */
static enum code
add_anchor(struct trust *trust, struct str der, int64_t now, const char *path,
	   struct status *st)
{
	br_x509_trust_anchor *anchor = &trust->anchor[trust->count];
	struct certificate c;
	bool kept;

	if (!certificate_read(&c, der) || !is_usable(&c)) {
		trust->skipped++;
		return CODE_OK;
	}
	if (now < c.not_before || now > c.not_after) {
		trust->expired++;
		return CODE_OK;
	}
	if (is_known(trust, &c))
		return CODE_OK;
	if (trust->count == ANCHORS_MAX)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "SSL_CERT_FILE: %s holds more than %d "
				  "certificates",
				  path, ANCHORS_MAX);
	anchor->dn.data = keep(trust, c.subject);
	anchor->dn.len = c.subject.len;
	anchor->flags = c.is_ca ? BR_X509_TA_CA : 0;
	kept = c.key_type == KEY_RSA ? keep_rsa_key(trust, &c, &anchor->pkey)
				     : keep_ec_key(trust, &c, &anchor->pkey);
	if (!kept || anchor->dn.data == NULL)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "SSL_CERT_FILE: the certificates in %s are "
				  "too large",
				  path);
	trust->count++;
	return CODE_OK;
}

/* The certificate being decoded; its bytes lie in trust->der. */
struct reading {
	br_pem_decoder_context pem;
	struct trust *trust;
	const char *path;
	int64_t now;
	bool in_certificate;
	bool too_long;
	size_t length;
	size_t blocks;
};

static void
take_bytes(void *context, const void *bytes, size_t len)
{
	struct reading *r = context;

	if (len > sizeof(r->trust->der) - r->length) {
		r->too_long = true;
		return;
	}
	memcpy(r->trust->der + r->length, bytes, len);
	r->length += len;
}

/* White space after the label leaves the dashes in between in it. */
static bool
is_certificate(const char *block)
{
	struct str label = str_from(block);

	while (label.len > 0 && (label.ptr[label.len - 1] == ' ' ||
				 label.ptr[label.len - 1] == '\t' ||
				 label.ptr[label.len - 1] == '-'))
		label.len--;
	return str_eq(label, STR("CERTIFICATE")) ||
	       str_eq(label, STR("X509 CERTIFICATE"));
}

static enum code
end_block(struct reading *r, struct status *st)
{
	if (!r->in_certificate)
		return CODE_OK;
	r->in_certificate = false;
	r->blocks++;
	if (r->too_long) {
		r->trust->skipped++;
		return CODE_OK;
	}
	return add_anchor(r->trust,
			  (struct str){ (const char *)r->trust->der,
					r->length },
			  r->now, r->path, st);
}

/* What the decoder has just met (RFC 7468). */
static enum code
handle_event(struct reading *r, struct status *st)
{
	switch (br_pem_decoder_event(&r->pem)) {
	case BR_PEM_BEGIN_OBJ:
		r->in_certificate =
			is_certificate(br_pem_decoder_name(&r->pem));
		r->length = 0;
		r->too_long = false;
		br_pem_decoder_setdest(&r->pem,
				       r->in_certificate ? take_bytes : NULL,
				       r);
		return CODE_OK;
	case BR_PEM_END_OBJ:
		return end_block(r, st);
	case BR_PEM_ERROR:
		if (r->in_certificate) {
			r->blocks++;
			r->trust->skipped++;
		}
		r->in_certificate = false;
		return CODE_OK;
	default:
		return CODE_OK;
	}
}

static enum code
feed(struct reading *r, struct str bytes, struct status *st)
{
	while (bytes.len > 0) {
		bytes = str_skip(bytes, pem_push(&r->pem, bytes));
		if (handle_event(r, st) != CODE_OK)
			return st->code;
	}
	return CODE_OK;
}

static enum code
read_pem(struct reading *r, int fd, struct status *st)
{
	char bytes[4096];
	unsigned failures = 0;
	ssize_t got;

	br_pem_decoder_init(&r->pem);
	while ((got = read(fd, bytes, sizeof(bytes))) != 0) {
		if (got < 0 && (errno == EINTR || errno == EAGAIN) &&
		    ++failures < 100)
			continue;
		if (got < 0)
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "SSL_CERT_FILE: cannot read %s: %s",
					  r->path, strerror(errno));
		if (feed(r, (struct str){ bytes, (size_t)got }, st) != CODE_OK)
			return st->code;
	}
	/* The last line may lack its end, which the decoder waits for. */
	return feed(r, STR("\n"), st);
}

/* All that happens while anchors are collected. */
struct collecting {
	struct trust *trust;
	int64_t now;
	size_t blocks;
	char folder[256];
	struct status *st;
};

static void
start_empty(struct trust *trust, const char *source)
{
	trust->count = 0;
	trust->skipped = 0;
	trust->expired = 0;
	trust->pool_used = 0;
	(void)snprintf(trust->source, sizeof(trust->source), "%s",
		       shown(source));
}

static enum code
add_file(struct collecting *c, const char *path)
{
	struct reading r = { .trust = c->trust, .path = path, .now = c->now };
	int fd = file_open(path);

	if (fd < 0)
		return status_set(c->st, CODE_INVALID_ARGUMENT,
				  "SSL_CERT_FILE: cannot open %s: %s",
				  shown(path), strerror(errno));
	(void)read_pem(&r, fd, c->st);
	(void)close(fd);
	c->blocks += r.blocks;
	return c->st->code;
}

/* One entry of a folder: a file, or a link to one; others are passed over. */
static bool
add_entry(void *context, const char *name)
{
	struct collecting *c = context;
	struct stat info;
	char path[512];
	int len = snprintf(path, sizeof(path), "%s/%s", c->folder, name);

	if (len < 0 || (size_t)len >= sizeof(path) || stat(path, &info) != 0 ||
	    !S_ISREG(info.st_mode) || access(path, R_OK) != 0)
		return true;
	return add_file(c, path) == CODE_OK;
}

static enum code
add_folders(struct collecting *c, const char *list)
{
	struct str rest = str_from(list), part;

	while (str_split(&rest, ':', &part)) {
		if (part.len == 0)
			continue;
		if (!str_copy(part, c->folder, sizeof(c->folder)) ||
		    !file_list(c->folder, add_entry, c))
			return status_set(c->st, CODE_INVALID_ARGUMENT,
					  "SSL_CERT_DIR: cannot read %.*s: %s",
					  (int)part.len, part.ptr,
					  strerror(errno));
		if (c->st->code != CODE_OK)
			return c->st->code;
	}
	return CODE_OK;
}

/* An empty store would only show when the first server is refused. */
static enum code
check_store(const struct collecting *c, const char *variable)
{
	const struct trust *trust = c->trust;
	char now[RFC3339_SIZE];

	if (c->st->code != CODE_OK || trust->count > 0)
		return c->st->code;
	if (c->blocks == 0)
		return status_set(c->st, CODE_INVALID_ARGUMENT,
				  "%s: %s holds no PEM certificate", variable,
				  trust->source);
	clock_rfc3339(c->now, now);
	if (trust->expired > 0)
		status_hint(c->st, "if the local clock is right, the file "
				   "needs new certificates");
	return status_set(c->st, CODE_INVALID_ARGUMENT,
			  "%s: %s holds no usable certificate (%zu unusable, "
			  "%zu not valid at the local time, %s)",
			  variable, trust->source, trust->skipped,
			  trust->expired, now);
}

enum code
trust_use_file(struct trust *trust, const char *path, int64_t now,
	       struct status *st)
{
	struct collecting c = { .trust = trust, .now = now, .st = st };

	start_empty(trust, path);
	(void)add_file(&c, path);
	return check_store(&c, "SSL_CERT_FILE");
}

enum code
trust_use_folders(struct trust *trust, const char *folders, const char *file,
		  int64_t now, struct status *st)
{
	struct collecting c = { .trust = trust, .now = now, .st = st };

	start_empty(trust, folders);
	if (file == NULL || add_file(&c, file) == CODE_OK)
		(void)add_folders(&c, folders);
	return check_store(&c, "SSL_CERT_DIR");
}

enum code
trust_use_system(struct trust *trust, int64_t now, struct status *st)
{
	/* Where Debian, Red Hat, SUSE, Alpine and others keep it. */
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/etc/ssl/cert.pem",
	};

	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (access(bundles[i], R_OK) == 0)
			return trust_use_file(trust, bundles[i], now, st);
	status_hint(st, "mount one there, such as %s, or set SSL_CERT_FILE",
		    bundles[0]);
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "SYSTEM_ROOTS: this system has no bundle of roots in "
			  "any of the usual places");
}
