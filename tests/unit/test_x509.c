/* Which certificates of a chain are looked at, and when that ends. */
#include "net/x509.h"

#include "make_certificate.h"
#include "test.h"

#define NOW 1795492240
#define NO_LIMIT (-1)

static br_ssl_client_context client;
static struct x509 x;
static struct trust trust;
static struct status st;
static size_t verified;

/* What is judged here is which signatures are verified at all. */
static uint32_t
count_and_accept(const br_ec_impl *impl, const void *hash, size_t hash_len,
		 const br_ec_public_key *key, const void *signature,
		 size_t signature_len)
{
	(void)impl;
	(void)hash;
	(void)hash_len;
	(void)key;
	(void)signature;
	(void)signature_len;
	verified++;
	return 1;
}

static struct recipe
between(const char *subject, const char *issuer)
{
	struct recipe r = good_recipe();

	r.algorithm = algorithm(STR("\x2a\x86\x48\xce\x3d\x04\x03\x02"));
	r.outer_algorithm = r.algorithm;
	r.subject = common_name(subject);
	r.issuer = common_name(issuer);
	return r;
}

static struct str
authority(const char *subject, const char *issuer)
{
	struct recipe r = between(subject, issuer);

	r.extensions =
		extension_list(extension(19, STR("\x30\3\1\1\xff")), STR(""));
	return make_certificate(&r);
}

static struct recipe
leaf_recipe(const char *issuer)
{
	struct recipe r = between("Leaf", issuer);

	r.extensions = extension_list(
		extension(17, der(DER_SEQUENCE,
				  der(0x82, STR("host.example"), END), END)),
		STR(""));
	return r;
}

static struct str
leaf(const char *issuer)
{
	struct recipe r = leaf_recipe(issuer);

	return make_certificate(&r);
}

/* One root, whose path length may be limited; until made_reset(). */
static void
trust_root(int path_length)
{
	struct str root = authority("Root", "Root");
	struct certificate c;

	assert_true(certificate_read(&c, root));
	trust.count = 1;
	trust.path_length[0] = path_length == NO_LIMIT
				       ? PATH_UNLIMITED
				       : (unsigned char)path_length;
	trust.anchor[0] = (br_x509_trust_anchor){
		.dn = { (unsigned char *)(uintptr_t)c.subject.ptr,
			c.subject.len },
		.flags = BR_X509_TA_CA,
		.pkey = { .key_type = BR_KEYTYPE_EC,
			  .key.ec = { BR_EC_secp256r1,
				      (unsigned char *)(uintptr_t)
					      c.ec_point.ptr,
				      c.ec_point.len } },
	};
}

static void
start(void)
{
	verified = 0;
	status_clear(&st);
	x509_init(&x, &client.eng, &trust, "host.example", NOW);
	x.minimal.iecdsa = count_and_accept;
	x.vtable->start_chain(&x.vtable, "host.example");
}

/* As BearSSL does, in pieces of 256 bytes. */
static void
push(struct str bytes)
{
	x.vtable->start_cert(&x.vtable, (uint32_t)bytes.len);
	while (bytes.len > 0) {
		size_t len = bytes.len < 256 ? bytes.len : 256;

		x.vtable->append(&x.vtable, (const unsigned char *)bytes.ptr,
				 len);
		bytes = str_skip(bytes, len);
	}
	x.vtable->end_cert(&x.vtable);
}

static bool
is_accepted(void)
{
	return x.vtable->end_chain(&x.vtable) == 0 && !x509_refused(&x);
}

static void
assert_refused(const char *message)
{
	assert_false(is_accepted());
	assert_true(x509_refused(&x));
	assert_int_equal(x509_explain(&x, &st), CODE_UNAVAILABLE);
	assert_true(st.permanent);
	if (strstr(st.message, message) == NULL)
		fail_msg("%s", st.message);
}

/* The order is free, and what is no part of the path costs nothing. */
TEST(the_path_is_found_in_any_order)
{
	static const char *const orders[] = {
		"lab",    "lba",  "lalb",  "lllllllllllllab",        "lrab",
		"lrrbba", "lxab", "lxbax", "labxxxxxxxxxxxxxxxxxxx",
	};

	trust_root(NO_LIMIT);
	for (size_t i = 0; i < COUNT(orders); i++) {
		struct str a = authority("A", "B"), b = authority("B", "Root");
		struct str r = authority("Root", "Root"), l = leaf("A");
		struct str other = authority("Other", "Other");

		start();
		for (const char *at = orders[i]; *at != '\0'; at++)
			push(*at == 'l'   ? l
			     : *at == 'a' ? a
			     : *at == 'b' ? b
			     : *at == 'r' ? r
					  : other);
		if (!is_accepted() || verified != 3)
			fail_msg("%s: %zu", orders[i], verified);
	}
	made_reset();
}

TEST(a_gap_is_no_path)
{
	trust_root(NO_LIMIT);
	start();
	push(leaf("A"));
	push(authority("B", "Root"));
	assert_refused("the last issuer is \"A\"");
	assert_int_equal(verified, 0);
	made_reset();
}

/* Neither more certificates nor more signatures than the limit. */
TEST(a_long_chain_ends_at_the_limit)
{
	size_t taken = 0;
	char subject[16], issuer[16];

	trust_root(NO_LIMIT);
	start();
	push(leaf("0"));
	for (size_t i = 0; i < 2000; i++) {
		(void)snprintf(subject, sizeof(subject), "%zu", i);
		(void)snprintf(issuer, sizeof(issuer), "%zu", i + 1);
		taken += x509_refused(&x) ? 0 : 1;
		push(authority(subject, issuer));
	}
	assert_int_equal(taken, CHAIN_MAX);
	assert_int_equal(verified, CHAIN_MAX - 1);
	assert_int_equal(x.count, CHAIN_MAX);
	assert_refused("10 certificates, 102400 bytes");
	made_reset();
}

/* Told before the bytes are there. */
TEST(all_bytes_count)
{
	struct str l = leaf("A"), a = authority("A", "Root");
	size_t room = CHAIN_SIZE - l.len - a.len;

	trust_root(NO_LIMIT);
	start();
	push(l);
	x.vtable->start_cert(&x.vtable, (uint32_t)(CHAIN_SIZE - l.len));
	assert_false(x509_refused(&x));
	start();
	push(l);
	x.vtable->start_cert(&x.vtable, (uint32_t)(CHAIN_SIZE - l.len + 1));
	assert_true(x509_refused(&x));
	/* and behind a path that is complete */
	start();
	push(l);
	push(a);
	x.vtable->start_cert(&x.vtable, (uint32_t)room);
	assert_false(x509_refused(&x));
	start();
	push(l);
	push(a);
	x.vtable->start_cert(&x.vtable, (uint32_t)room + 1);
	assert_true(x509_refused(&x));
	start();
	x.vtable->start_cert(&x.vtable, 0xffffff);
	assert_refused("larger than");
	made_reset();
}

TEST(nothing_is_verified_after_a_verdict)
{
	struct recipe r = between("A", "B");
	struct str client_only, l = leaf("A"), b = authority("B", "Root");

	r.extensions = extension_list(
		extension(19, STR("\x30\3\1\1\xff")),
		extension(37, STR("\x30\x0a\6\x8\x2b\6\1\5\5\7\3\2")));
	client_only = make_certificate(&r);
	trust_root(NO_LIMIT);
	start();
	push(l);
	push(client_only);
	assert_true(x509_refused(&x));
	push(b);
	assert_int_equal(verified, 0);
	assert_refused("an intermediate certificate is not for TLS servers");
	made_reset();
}

/* RFC 5280 section 4.2.1.9: self-issued intermediates do not count. */
TEST(a_root_limits_the_path)
{
	static const struct {
		int limit;
		const char *path;
		bool good;
	} rows[] = {
		{ 0, "l", true },   { 0, "la", false },
		{ 1, "la", true },  { 1, "lab", false },
		{ 2, "lab", true }, { NO_LIMIT, "lab", true },
		{ 1, "lsa", true }, { 0, "lsa", false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *path = rows[i].path;
		bool good;

		trust_root(rows[i].limit);
		start();
		push(leaf(path[1] == '\0' ? "Root" : "A"));
		for (const char *at = path + 1; *at != '\0'; at++)
			push(authority(*at == 'b' ? "B" : "A",
				       *at == 's'     ? "A"
				       : at[1] == 'b' ? "B"
						      : "Root"));
		good = is_accepted();
		if (good != rows[i].good)
			fail_msg("row %zu", i);
		if (!good)
			assert_refused("longer than the root \"Root\" allows");
		made_reset();
	}
}
