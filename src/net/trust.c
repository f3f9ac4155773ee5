#include "net/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/format.h"
#include "base/redact.h"
#include "net/certificate.h"
#include "net/name.h"
#include "net/pem.h"
#include "net/roots.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/file_guard.h"
#include "sys/opt.h"

/* The largest RSA key that BearSSL 0.6 takes (BR_MAX_RSA_SIZE). */
#define RSA_BITS_MAX 4096
#define RSA_BITS_MIN 2048

static struct str
name_of(const br_x509_trust_anchor *anchor)
{
	return (struct str){ (const char *)anchor->dn.data, anchor->dn.len };
}

/* The first anchor with a name; `count` without one. */
static size_t
first_of(const struct trust *trust, struct str name)
{
	size_t i = 0;

	while (i < trust->count &&
	       !name_equal(name_of(&trust->anchor[i]), name))
		i++;
	return i;
}

const br_x509_trust_anchor *
trust_find(const struct trust *trust, struct str name, size_t intermediates,
	   size_t *count)
{
	size_t first = first_of(trust, name), end = first;

	while (end < trust->count && trust->path_length[end] >= intermediates &&
	       name_equal(name_of(&trust->anchor[end]), name))
		end++;
	*count = end - first;
	return &trust->anchor[first];
}

/* There must be room for it. */
static void
insert(struct trust *trust, const br_x509_trust_anchor *anchor,
       unsigned char path_length)
{
	struct str name = name_of(anchor);
	size_t at = first_of(trust, name), behind;

	while (at < trust->count && trust->path_length[at] >= path_length &&
	       name_equal(name_of(&trust->anchor[at]), name))
		at++;
	behind = trust->count - at;
	memmove(&trust->anchor[at + 1], &trust->anchor[at],
		behind * sizeof(trust->anchor[0]));
	memmove(&trust->path_length[at + 1], &trust->path_length[at], behind);
	trust->anchor[at] = *anchor;
	trust->path_length[at] = path_length;
	trust->count++;
}

void
trust_use_roots(struct trust *trust, int64_t now)
{
	const unsigned char *bytes = ROOTS_BYTES;

	trust->count = 0;
	trust->skipped = 0;
	trust->expired = 0;
	(void)format_text(trust->source, sizeof(trust->source),
			  "the compiled-in roots");
	for (size_t i = 0; i < ROOTS_COUNT && i < ANCHORS_MAX; i++) {
		const struct root *root = &ROOTS[i];
		br_x509_trust_anchor anchor = root_anchor(root, bytes);

		if (now < root->not_before || now > root->not_after)
			trust->expired++;
		else
			insert(trust, &anchor, root->path_length);
		bytes += root->name_length + root->key_length;
	}
}

/* A copy that lasts; NULL if the pool is full. */
static unsigned char *
pool_copy(struct trust *trust, struct str bytes)
{
	unsigned char *at = trust->pool + trust->pool_used;

	if (bytes.len > sizeof(trust->pool) - trust->pool_used)
		return NULL;
	memcpy(at, bytes.ptr, bytes.len);
	trust->pool_used += bytes.len;
	return at;
}

static bool
copy_rsa_key(struct trust *trust, const struct certificate *c,
	     br_x509_pkey *key)
{
	key->key_type = BR_KEYTYPE_RSA;
	key->key.rsa.n = pool_copy(trust, c->rsa_modulus);
	key->key.rsa.nlen = c->rsa_modulus.len;
	key->key.rsa.e = pool_copy(trust, c->rsa_exponent);
	key->key.rsa.elen = c->rsa_exponent.len;
	return key->key.rsa.n != NULL && key->key.rsa.e != NULL;
}

static bool
copy_ec_key(struct trust *trust, const struct certificate *c, br_x509_pkey *key)
{
	key->key_type = BR_KEYTYPE_EC;
	key->key.ec.curve = c->key_type == KEY_P256   ? BR_EC_secp256r1
			    : c->key_type == KEY_P384 ? BR_EC_secp384r1
						      : BR_EC_secp521r1;
	key->key.ec.q = pool_copy(trust, c->ec_point);
	key->key.ec.qlen = c->ec_point.len;
	return key->key.ec.q != NULL;
}

static bool
same_bytes(const unsigned char *a, size_t a_len, struct str b)
{
	return a_len == b.len && memcmp(a, b.ptr, a_len) == 0;
}

/* Whether an anchor with this name, key and path length is there already. */
static bool
is_known(const struct trust *trust, const struct certificate *c)
{
	for (size_t i = first_of(trust, c->subject); i < trust->count; i++) {
		const br_x509_trust_anchor *a = &trust->anchor[i];

		if (!name_equal(name_of(a), c->subject))
			return false;
		if (trust->path_length[i] != c->path_length ||
		    ((a->flags & BR_X509_TA_CA) != 0) != c->is_ca)
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
 * BearSSL reads no extension of an anchor: a root with constraints cannot be
 * used.
 */
static bool
is_usable(const struct certificate *c)
{
	size_t bits = certificate_rsa_bits(c);

	if (c->has_name_constraints || c->has_unknown_critical ||
	    !certificate_allows_server(c) ||
	    c->is_ca != certificate_allows_issuing(c))
		return false;
	if (c->key_type == KEY_RSA)
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
	return c->key_type != KEY_UNSUPPORTED;
}

/* State while anchors are read. */
struct anchor_reader {
	struct trust *trust;
	const char *what; /* variable of the file or folder being read */
	int64_t now;
	struct deadline until;
	struct status *st;
	size_t blocks; /* of PEM with a certificate's label */
	size_t bytes;  /* of all files so far */
	/* The file being read; its certificate's bytes are in trust->der. */
	struct pem_reader pem;
	const char *path;
	bool in_certificate;
	bool too_long;
	size_t length;
	/* The folder being read. */
	char folder[256];
};

/* Takes one certificate as an anchor, or counts why not. */
static enum code
add_anchor(struct anchor_reader *in, struct str der)
{
	struct trust *trust = in->trust;
	br_x509_trust_anchor anchor = { .flags = 0 };
	struct certificate c;
	bool copied;

	if (!certificate_read(&c, der) || !is_usable(&c)) {
		trust->skipped++;
		return CODE_OK;
	}
	if (in->now < c.not_before || in->now > c.not_after) {
		trust->expired++;
		return CODE_OK;
	}
	if (is_known(trust, &c))
		return CODE_OK;
	if (trust->count == ANCHORS_MAX)
		return status_set(in->st, CODE_INVALID_ARGUMENT,
				  "%s: %s holds more than %d certificates",
				  in->what, redact_argument(in->path),
				  ANCHORS_MAX);
	anchor.dn.data = pool_copy(trust, c.subject);
	anchor.dn.len = c.subject.len;
	anchor.flags = c.is_ca ? BR_X509_TA_CA : 0;
	copied = c.key_type == KEY_RSA ? copy_rsa_key(trust, &c, &anchor.pkey)
				       : copy_ec_key(trust, &c, &anchor.pkey);
	if (!copied || anchor.dn.data == NULL)
		return status_set(in->st, CODE_INVALID_ARGUMENT,
				  "%s: the certificates in %s are too large",
				  in->what, redact_argument(in->path));
	insert(trust, &anchor, c.path_length);
	return CODE_OK;
}

static void
take_bytes(struct anchor_reader *in)
{
	if (in->pem.count > sizeof(in->trust->der) - in->length) {
		in->too_long = true;
		return;
	}
	memcpy(in->trust->der + in->length, in->pem.bytes, in->pem.count);
	in->length += in->pem.count;
}

static bool
is_certificate(const char *label)
{
	return strcmp(label, "CERTIFICATE") == 0 ||
	       strcmp(label, "X509 CERTIFICATE") == 0;
}

static enum code
end_block(struct anchor_reader *in)
{
	if (!in->in_certificate)
		return CODE_OK;
	in->in_certificate = false;
	in->blocks++;
	if (in->too_long) {
		in->trust->skipped++;
		return CODE_OK;
	}
	return add_anchor(in, (struct str){ (const char *)in->trust->der,
					    in->length });
}

static enum code
handle_event(struct anchor_reader *in, enum pem_event event)
{
	switch (event) {
	case PEM_BEGIN:
		in->in_certificate = is_certificate(in->pem.label);
		in->length = 0;
		in->too_long = false;
		break;
	case PEM_BYTES:
		if (in->in_certificate)
			take_bytes(in);
		break;
	case PEM_END:
		return end_block(in);
	case PEM_ERROR:
		if (in->in_certificate) {
			in->blocks++;
			in->trust->skipped++;
		}
		in->in_certificate = false;
		break;
	case PEM_MORE:
		break;
	}
	return CODE_OK;
}

static bool
take_piece(void *context, struct str bytes)
{
	struct anchor_reader *in = context;

	in->bytes += bytes.len;
	if (in->bytes > PEM_FILES_SIZE)
		return status_set(in->st, CODE_INVALID_ARGUMENT,
				  "%s: %s is no list of certificates: it has "
				  "more than %d MiB",
				  in->what, in->trust->source,
				  PEM_FILES_SIZE >> 20) == CODE_OK;
	while (bytes.len > 0)
		if (handle_event(in, pem_next(&in->pem, &bytes)) != CODE_OK)
			return false;
	return true;
}

static void
start_empty(struct trust *trust, const char *source)
{
	trust->count = 0;
	trust->skipped = 0;
	trust->expired = 0;
	trust->pool_used = 0;
	(void)format_text(trust->source, sizeof(trust->source), "%s",
			  redact_argument(source));
}

static enum code
add_file(struct anchor_reader *in, const char *path)
{
	struct status *st = in->st;

	in->path = path;
	in->in_certificate = false;
	in->pem = (struct pem_reader){ .count = 0 };
	/* The last line may lack its end. */
	if (file_stream(path, in->what, in->until, take_piece, in, st) ==
	    CODE_OK)
		(void)take_piece(in, STR("\n"));
	if (st->code != CODE_OK && st->code != CODE_CANCELLED &&
	    st->code != CODE_DEADLINE_EXCEEDED && st->code != CODE_INTERNAL)
		st->code = CODE_INVALID_ARGUMENT;
	return st->code;
}

/*
 * One entry of a folder: a file, or a link to one; others are skipped. After an
 * error it is not read, but still none that may be written to.
 */
static bool
add_entry(void *context, const char *name)
{
	struct anchor_reader *in = context;
	struct stat info;
	char path[512];

	if (!format_text(path, sizeof(path), "%s/%s", in->folder, name) ||
	    stat(path, &info) != 0 || !S_ISREG(info.st_mode) ||
	    access(path, R_OK) != 0)
		return true;
	if (in->st->code == CODE_OK)
		(void)add_file(in, path);
	else
		file_guard_compare(-1, path);
	return in->st->code == CODE_OK || in->st->code == CODE_INVALID_ARGUMENT;
}

static void
add_folder(struct anchor_reader *in, struct str folder, bool *missing)
{
	errno = ENAMETOOLONG;
	*missing = false;
	if (str_copy(folder, in->folder, sizeof(in->folder)) &&
	    file_list(in->folder, add_entry, in))
		return;
	*missing = errno == ENOENT;
	if (!*missing)
		(void)status_set(in->st, CODE_INVALID_ARGUMENT,
				 "%s: cannot read %.*s: %s", in->what,
				 (int)folder.len, folder.ptr, strerror(errno));
}

/* Lists name folders of other systems, too: one that exists suffices. */
static void
add_folders(struct anchor_reader *in, const char *list)
{
	struct str rest = str_from(list), part;
	bool missing, found = false, any_missing = false;

	while (str_split(&rest, ':', &part)) {
		if (part.len == 0)
			continue;
		add_folder(in, part, &missing);
		found = found || !missing;
		any_missing = any_missing || missing;
	}
	if (any_missing && !found)
		(void)status_set(in->st, CODE_INVALID_ARGUMENT,
				 "%s: %s: no such folder", in->what,
				 redact_argument(list));
}

/* An empty store would only show when the first server is refused. */
static enum code
check_store(const struct anchor_reader *in)
{
	const struct trust *trust = in->trust;
	char now[RFC3339_SIZE];

	if (in->st->code != CODE_OK || trust->count > 0)
		return in->st->code;
	if (in->blocks == 0)
		return status_set(in->st, CODE_INVALID_ARGUMENT,
				  "%s: %s holds no PEM certificate", in->what,
				  trust->source);
	clock_rfc3339(in->now, now);
	if (trust->expired > 0)
		status_hint(in->st, "if the local clock is right, the file "
				    "needs new certificates");
	return status_set(in->st, CODE_INVALID_ARGUMENT,
			  "%s: %s holds no usable certificate (%zu unusable, "
			  "%zu not valid at the local time, %s)",
			  in->what, trust->source, trust->skipped,
			  trust->expired, now);
}

enum code
trust_use_file(struct trust *trust, const char *what, const char *path,
	       int64_t now, struct deadline until, struct status *st)
{
	struct anchor_reader in = { .trust = trust,
				    .what = what,
				    .now = now,
				    .until = until,
				    .st = st };

	start_empty(trust, path);
	(void)add_file(&in, path);
	return check_store(&in);
}

enum code
trust_use_folders(struct trust *trust, const char *folders, const char *file,
		  int64_t now, struct deadline until, struct status *st)
{
	struct anchor_reader in = { .trust = trust,
				    .what = opt_origin("SSL_CERT_FILE"),
				    .now = now,
				    .until = until,
				    .st = st };

	start_empty(trust, folders);
	if (file != NULL)
		(void)add_file(&in, file);
	in.what = opt_origin("SSL_CERT_DIR");
	add_folders(&in, folders);
	return check_store(&in);
}

enum code
trust_use_system(struct trust *trust, int64_t now, struct deadline until,
		 struct status *st)
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
	const char *what = opt_origin("SYSTEM_ROOTS");

	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (access(bundles[i], R_OK) == 0)
			return trust_use_file(trust, what, bundles[i], now,
					      until, st);
	status_hint(st, "mount one there, such as %s, or set SSL_CERT_FILE",
		    bundles[0]);
	return status_set(
		st, CODE_INVALID_ARGUMENT,
		"%s: this system has no bundle of roots in any of the "
		"usual places",
		what);
}
