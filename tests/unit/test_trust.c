/* Which anchors are taken from PEM files and folders (RFC 7468). */
#include "net/trust.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "make_certificate.h"
#include "net/roots.h"
#include "test.h"

/* Within the validity of good_recipe(), and its two ends. */
#define NOW 1795492240
#define FIRST 1577836800
#define LAST 1893455999

static char folder[] = "/tmp/test_trust.XXXXXX";
static char path[256];
static struct trust trust;
static struct status st;
static char pem_memory[1 << 20];
static struct buf pem;

static const char *
in_folder(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
put(const char *name, struct str content)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	if (content.len > 0)
		assert_int_equal(fwrite(content.ptr, content.len, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

/* Appends a PEM block to `pem`, in lines of `width` characters. */
static void
add_block(const char *label, struct str bytes, size_t width, const char *eol)
{
	static char memory[1 << 16];
	struct buf text;

	buf_init(&text, memory, sizeof(memory));
	base64_encode(&text, bytes.ptr, bytes.len);
	buf_put_cstr(&pem, "-----BEGIN ");
	buf_put_cstr(&pem, label);
	buf_put_cstr(&pem, "-----");
	for (size_t i = 0; i < text.len; i++) {
		if (i % width == 0)
			buf_put_cstr(&pem, eol);
		buf_put_char(&pem, memory[i]);
	}
	buf_put_cstr(&pem, eol);
	buf_put_cstr(&pem, "-----END ");
	buf_put_cstr(&pem, label);
	buf_put_cstr(&pem, "-----");
	assert_false(pem.overflow);
}

/* Appends a certificate with its line end. */
static void
add_certificate(const struct recipe *recipe)
{
	add_block("CERTIFICATE", make_certificate(recipe), 64, "\n");
	buf_put_char(&pem, '\n');
	assert_false(pem.overflow);
}

static void
start_pem(void)
{
	made_reset();
	buf_init(&pem, pem_memory, sizeof(pem_memory));
}

static enum code
use_pem(int64_t now)
{
	put("ca.pem", buf_view(&pem));
	status_clear(&st);
	return trust_use_file(&trust, "SSL_CERT_FILE", in_folder("ca.pem"), now,
			      DEADLINE_NEVER, &st);
}

TEST(anchors_are_taken_as_they_are)
{
	const br_x509_trust_anchor *a = trust.anchor;
	struct recipe r;

	start_pem();
	r = good_recipe();
	r.extensions =
		extension_list(extension(19, STR("\x30\x03\x01\x01\xff")),
			       STR(""));
	add_certificate(&r);
	r = good_recipe();
	r.subject = common_name("RSA");
	r.key = rsa_key(2048, STR("\1\0\1"), 7);
	add_certificate(&r);
	assert_int_equal(use_pem(NOW), CODE_OK);
	assert_int_equal(trust.count, 2);
	assert_string_equal(trust.source, in_folder("ca.pem"));

	assert_int_equal(a[0].flags, BR_X509_TA_CA);
	assert_int_equal(a[0].pkey.key_type, BR_KEYTYPE_EC);
	assert_int_equal(a[0].pkey.key.ec.curve, BR_EC_secp256r1);
	assert_int_equal(a[0].pkey.key.ec.qlen, 65);
	assert_int_equal(a[0].pkey.key.ec.q[0], 4);

	assert_int_equal(a[1].flags, 0);
	assert_int_equal(a[1].pkey.key_type, BR_KEYTYPE_RSA);
	assert_int_equal(a[1].pkey.key.rsa.nlen, 256);
	assert_int_equal(a[1].pkey.key.rsa.n[255], 7);
	assert_int_equal(a[1].pkey.key.rsa.elen, 3);
	assert_int_equal(a[1].dn.len, r.subject.len);
	assert_memory_equal(a[1].dn.data, r.subject.ptr, r.subject.len);
}

TEST(all_curves_are_taken)
{
	const struct {
		struct str oid;
		size_t length;
		int curve;
	} rows[] = {
		{ OID_P256, 65, BR_EC_secp256r1 },
		{ OID_P384, 97, BR_EC_secp384r1 },
		{ OID_P521, 133, BR_EC_secp521r1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r;

		start_pem();
		r = good_recipe();
		r.key = ec_key(rows[i].oid, rows[i].length, 1);
		add_certificate(&r);
		assert_int_equal(use_pem(NOW), CODE_OK);
		assert_int_equal(trust.anchor[0].pkey.key.ec.curve,
				 rows[i].curve);
	}
}

/* RFC 7468 sections 2 and 5. */
TEST(pem_comes_in_many_shapes)
{
	static const struct {
		const char *before;
		const char *label;
		size_t width;
		const char *eol;
		const char *after;
	} rows[] = {
		{ "", "CERTIFICATE", 64, "\n", "\n" },
		{ "", "CERTIFICATE", 64, "\n", "" },
		{ "", "CERTIFICATE", 64, "\r\n", "\r\n" },
		{ "", "CERTIFICATE", 64, "\r\n", "" },
		{ "", "CERTIFICATE", 76, "\n", "\n" },
		{ "", "CERTIFICATE", 4, "\n", "\n" },
		{ "", "CERTIFICATE", 100000, "\n", "\n" },
		{ "", "CERTIFICATE", 64, "  \n", "  \n" },
		{ "", "CERTIFICATE", 64, "\n\n", "\n" },
		{ "", "X509 CERTIFICATE", 64, "\n", "\n" },
		{ "\n\n", "CERTIFICATE", 64, "\n", "\n\n\n" },
		{ "# My CA\nsubject=/CN=x\n", "CERTIFICATE", 64, "\n",
		  "\nmore text" },
		{ "# My CA -----\n", "CERTIFICATE", 64, "\n",
		  "\n-- \n----- \n" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r;

		start_pem();
		r = good_recipe();
		buf_put_cstr(&pem, rows[i].before);
		add_block(rows[i].label, make_certificate(&r), rows[i].width,
			  rows[i].eol);
		buf_put_cstr(&pem, rows[i].after);
		if (use_pem(NOW) != CODE_OK || trust.count != 1)
			fail_msg("row %zu: %s", i, st.message);
		assert_int_equal(trust.skipped, 0);
	}
}

TEST(other_blocks_are_passed_over)
{
	static const char *const labels[] = {
		"PRIVATE KEY", "TRUSTED CERTIFICATE", "CERTIFICATE REQUEST",
		"X509 CRL",    "CERTIFICATES",
	};

	start_pem();
	for (size_t i = 0; i < COUNT(labels); i++) {
		struct recipe r = good_recipe();

		add_block(labels[i], make_certificate(&r), 64, "\n");
		buf_put_char(&pem, '\n');
	}
	assert_int_equal(use_pem(NOW), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "holds no PEM certificate"));
	assert_int_equal(trust.skipped, 0);
}

/* The one with another key has the same name: a rolled-over CA. */
TEST(duplicates_are_taken_once)
{
	struct recipe r;

	start_pem();
	for (int i = 0; i < 6; i++) {
		r = good_recipe();
		r.key = i % 2 == 0 ? ec_key(OID_P256, 65, 1 + i / 4)
				   : rsa_key(2048, STR("\3"), 1 + 2 * (i / 4));
		add_certificate(&r);
	}
	assert_int_equal(use_pem(NOW), CODE_OK);
	assert_int_equal(trust.count, 4);
	assert_int_equal(trust.skipped, 0);
}

/* Appends what cannot be used: number `i`; false if there are no more. */
static bool
add_unusable(int i)
{
	struct recipe r = good_recipe();

	switch (i) {
	case 0:
		r.key = rsa_key(2047, STR("\3"), 1);
		break;
	case 1:
		r.key = rsa_key(4097, STR("\3"), 1);
		break;
	case 2:
		r.key = rsa_key(2048, STR("\1"), 1);
		break;
	case 3:
		r.key = ec_key(OID_P384, 65, 1);
		break;
	case 4:
		r.extensions =
			extension_list(extension(30, STR("\x30\0")), STR(""));
		break;
	case 5:
		r.validity = valid_times("200101000000Z", "tomorrow");
		break;
	case 6: /* more than a certificate may have */
		r.signature = der(DER_BIT_STRING, STR("\0"),
				  bytes_of(ROOT_MAX, 1, 1), END);
		break;
	case 7:
		buf_put_cstr(&pem, "-----BEGIN CERTIFICATE-----\n!!!\n"
				   "-----END CERTIFICATE-----\n");
		return true;
	case 8:
		buf_put_cstr(&pem, "-----BEGIN CERTIFICATE-----\n"
				   "-----END CERTIFICATE-----\n");
		return true;
	case 9:
		buf_put_cstr(&pem, "-----BEGIN CERTIFICATE-----\nMAA=\n"
				   "-----END CERTIFICATE-----\n");
		return true;
	default:
		return false;
	}
	add_certificate(&r);
	return true;
}

TEST(what_cannot_be_used_is_counted)
{
	for (int i = 0;; i++) {
		struct recipe r;

		start_pem();
		if (!add_unusable(i))
			break;
		if (use_pem(NOW) != CODE_INVALID_ARGUMENT ||
		    strstr(st.message, "(1 unusable, 0 not valid") == NULL)
			fail_msg("case %d: %s", i, st.message);
		r = good_recipe();
		add_certificate(&r);
		if (use_pem(NOW) != CODE_OK || trust.count != 1 ||
		    trust.skipped != 1)
			fail_msg("case %d and a good one", i);
	}
}

TEST(validity_decides_to_the_second)
{
	static const struct {
		int64_t now;
		bool good;
	} rows[] = {
		{ FIRST - 1, false }, { FIRST, true },      { NOW, true },
		{ LAST, true },       { LAST + 1, false },  { 0, false },
		{ INT64_MIN, false }, { INT64_MAX, false },
	};
	struct recipe r;

	start_pem();
	r = good_recipe();
	add_certificate(&r);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(use_pem(rows[i].now) == CODE_OK, rows[i].good);
		assert_int_equal(trust.count, rows[i].good);
		assert_int_equal(trust.expired, !rows[i].good);
		if (!rows[i].good)
			assert_non_null(
				strstr(st.message,
				       "(0 unusable, 1 not valid at the "
				       "local time, "));
	}
}

TEST(files_that_give_nothing_are_told)
{
	start_pem();
	assert_int_equal(use_pem(NOW), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "holds no PEM certificate"));
	put("ca.pem", STR("\x30\x82\x01\x00 this is DER"));
	status_clear(&st);
	assert_int_equal(trust_use_file(&trust, "SSL_CERT_FILE", path, NOW,
					DEADLINE_NEVER, &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "SSL_CERT_FILE: "));
	assert_non_null(strstr(st.message, "holds no PEM certificate"));
	status_clear(&st);
	assert_int_equal(trust_use_file(&trust, "SSL_CERT_FILE",
					in_folder("none"), NOW, DEADLINE_NEVER,
					&st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "cannot open"));
	status_clear(&st);
	assert_int_equal(trust_use_file(&trust, "SSL_CERT_FILE", folder, NOW,
					DEADLINE_NEVER, &st),
			 CODE_INVALID_ARGUMENT);
}

/* A block that the end of the file cuts short is no certificate. */
TEST(a_file_cut_anywhere_gives_whole_certificates_only)
{
	struct recipe r;
	size_t whole;

	start_pem();
	r = good_recipe();
	add_certificate(&r);
	whole = (size_t)str_find(str_skip(buf_view(&pem), 30), '-') + 30;
	for (size_t len = 0; len <= whole; len++) {
		pem.len = len;
		if (use_pem(NOW) != CODE_INVALID_ARGUMENT)
			fail_msg("%zu bytes", len);
	}
}

TEST(anchors_have_a_ceiling)
{
	start_pem();
	for (int i = 0; i <= ANCHORS_MAX; i++) {
		char name[16];
		struct recipe r;

		if (i == ANCHORS_MAX)
			assert_int_equal(use_pem(NOW), CODE_OK);
		made_reset();
		(void)snprintf(name, sizeof(name), "CA %d", i);
		r = good_recipe();
		r.subject = common_name(name);
		add_certificate(&r);
	}
	assert_int_equal(trust.count, ANCHORS_MAX);
	assert_int_equal(use_pem(NOW), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "more than 1024"));
}

TEST(their_memory_has_a_ceiling)
{
	char name[ROOT_MAX - 1024];
	size_t files = 0;

	/* a file for each, for together they are larger than `pem` */
	assert_int_equal(mkdir(in_folder("many"), 0700), 0);
	for (; files * sizeof(name) < ANCHOR_POOL_SIZE + sizeof(name);
	     files++) {
		char file[32];
		struct recipe r;

		start_pem();
		r = good_recipe();
		memset(name, 'x', sizeof(name));
		name[sizeof(name) - 1] = '\0';
		name[0] = (char)('0' + files / 10);
		name[1] = (char)('0' + files % 10);
		r.subject = common_name(name);
		add_certificate(&r);
		(void)snprintf(file, sizeof(file), "many/%zu", files);
		put(file, buf_view(&pem));
	}
	status_clear(&st);
	assert_int_equal(trust_use_folders(&trust, in_folder("many"), NULL, NOW,
					   DEADLINE_NEVER, &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "too large"));
}

/* Two folders with a certificate each, and with things that are none. */
static void
make_folders(void)
{
	struct recipe r;

	assert_int_equal(mkdir(in_folder("a"), 0700), 0);
	assert_int_equal(mkdir(in_folder("b"), 0700), 0);
	assert_int_equal(mkdir(in_folder("a/sub"), 0700), 0);
	assert_int_equal(symlink("nowhere", in_folder("a/dangling")), 0);
	assert_int_equal(symlink("one.pem", in_folder("a/12345678.0")), 0);
	assert_int_equal(mkfifo(in_folder("a/pipe"), 0600), 0);
	put("a/README", STR("no certificate"));
	start_pem();
	r = good_recipe();
	add_certificate(&r);
	put("a/one.pem", buf_view(&pem));
	start_pem();
	r = good_recipe();
	r.subject = common_name("two");
	add_certificate(&r);
	put("b/two.crt", buf_view(&pem));
	start_pem();
	r = good_recipe();
	r.subject = common_name("three");
	add_certificate(&r);
	put("three.pem", buf_view(&pem));
}

TEST(folders_are_read_with_all_their_files)
{
	static const struct {
		const char *folders; /* each '@' stands for the test's own */
		bool file;
		bool good;
		size_t count;
		const char *message;
	} rows[] = {
		{ "@/a", false, true, 1, "" },
		{ "@/a:@/b", false, true, 2, "" },
		{ ":@/b::", false, true, 1, "" },
		{ "@/a:@/a", false, true, 1, "" },
		{ "@/b", true, true, 2, "" },
		{ "@/a/sub", true, true, 1, "" },
		{ "", true, true, 1, "" },
		{ "@/a/sub", false, false, 0, "holds no PEM certificate" },
		{ "", false, false, 0, "holds no PEM certificate" },
		{ "@/a:@/none", false, true, 1, "" },
		{ "@/none:@/b", false, true, 1, "" },
		{ "@/none/sub:@/a", false, true, 1, "" },
		{ "@/none", false, false, 0, "no such folder" },
		{ "@/none::@/none2", false, false, 0, "/none2: no such" },
		{ "@/none", true, false, 0, "no such folder" },
		{ "@/a:@/a/one.pem", false, false, 0, "cannot read" },
		{ "@/none:@/a/sub", false, false, 0, "holds no PEM" },
		{ "@/a/one.pem", false, false, 0, "cannot read" },
	};

	make_folders();
	for (size_t i = 0; i < COUNT(rows); i++) {
		char list[256];
		struct buf out;

		buf_init(&out, list, sizeof(list) - 1);
		for (const char *at = rows[i].folders; *at != '\0'; at++)
			if (*at == '@')
				buf_put_cstr(&out, folder);
			else
				buf_put_char(&out, *at);
		list[out.len] = '\0';
		status_clear(&st);
		if ((trust_use_folders(&trust, list,
				       rows[i].file ? in_folder("three.pem")
						    : NULL,
				       NOW, DEADLINE_NEVER, &st) == CODE_OK) !=
			    rows[i].good ||
		    strstr(st.message, rows[i].message) == NULL)
			fail_msg("row %zu: %s", i, st.message);
		if (rows[i].good)
			assert_int_equal(trust.count, rows[i].count);
		else
			assert_int_equal(strncmp(st.message,
						 "SSL_CERT_DIR: ", 14),
					 0);
	}
}

TEST(the_compiled_in_roots_follow_the_clock)
{
	trust_use_roots(&trust, NOW);
	assert_true(trust.count > 0);
	assert_int_equal(trust.count + trust.expired, ROOTS_COUNT);
	assert_string_equal(trust.source, "the compiled-in roots");
	for (size_t i = 0; i < trust.count; i++) {
		const br_x509_trust_anchor *a = &trust.anchor[i];

		assert_int_equal(a->dn.data[0], 0x30);
		if (a->dn.data[1] == 0x81)
			assert_int_equal(a->dn.data[2] + 3, a->dn.len);
		else
			assert_int_equal(a->dn.data[1] + 2, a->dn.len);
		assert_int_equal(a->flags, BR_X509_TA_CA);
		if (a->pkey.key_type == BR_KEYTYPE_RSA) {
			assert_true(a->pkey.key.rsa.nlen >= 256);
			assert_true(a->pkey.key.rsa.n[0] >= 0x80);
			assert_true(
				a->pkey.key.rsa.n[a->pkey.key.rsa.nlen - 1] &
				1);
			assert_int_equal(a->pkey.key.rsa.elen, 3);
			assert_memory_equal(a->pkey.key.rsa.e, "\1\0\1", 3);
		} else {
			assert_int_equal(a->pkey.key_type, BR_KEYTYPE_EC);
			assert_int_equal(a->pkey.key.ec.q[0], 4);
			assert_int_equal(a->pkey.key.ec.qlen,
					 a->pkey.key.ec.curve == BR_EC_secp256r1
						 ? 65
						 : 97);
		}
	}
	trust_use_roots(&trust, 0);
	assert_int_equal(trust.count, 0);
	assert_int_equal(trust.expired, ROOTS_COUNT);
}

static int
remove_entry(const char *name, const struct stat *info, int type,
	     struct FTW *place)
{
	(void)info;
	(void)type;
	(void)place;
	return remove(name);
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

AROUND_ALL(make_folder, remove_folder)
