/* What is read of a certificate: RFC 5280 section 4. */
#include "net/certificate.h"

#include "make_certificate.h"
#include "test.h"

#define NONE STR("")

static struct certificate c;

/* Reads a copy without a byte to spare. */
static bool
read_copy(struct str text)
{
	char *copy = malloc(text.len > 0 ? text.len : 1);
	bool good;

	if (copy == NULL)
		abort();
	memcpy(copy, text.ptr, text.len);
	good = certificate_read(&c, (struct str){ copy, text.len });
	free(copy);
	return good;
}

static bool
read_recipe(const struct recipe *recipe)
{
	return certificate_read(&c, make_certificate(recipe));
}

TEST(the_fields_are_read)
{
	struct recipe r = good_recipe();

	assert_true(read_recipe(&r));
	assert_true(str_eq(c.signature_oid, OID_SHA256_RSA));
	assert_true(str_eq(c.signature_algorithm, r.algorithm));
	assert_true(str_eq(c.issuer, r.issuer));
	assert_true(str_eq(c.subject, r.subject));
	assert_int_equal(c.not_before, 1577836800);
	assert_int_equal(c.not_after, 1893455999);
	assert_int_equal(c.key_type, KEY_P256);
	assert_int_equal(c.ec_point.len, 65);
	assert_false(c.is_ca);
	assert_false(c.has_name_constraints);
	assert_null(c.subject_alt_name.ptr);
	assert_null(c.extended_key_usage.ptr);
	assert_null(c.key_usage.ptr);
	assert_int_equal(c.critical_purposes.len, 0);
	assert_int_equal(c.path_length, PATH_UNLIMITED);
	assert_false(c.has_unknown_critical);
	assert_int_equal(certificate_rsa_bits(&c), 0);
	made_reset();
}

TEST(a_certificate_of_version_1_is_read)
{
	struct recipe r = good_recipe();

	r.version = NONE;
	assert_true(read_recipe(&r));
	made_reset();
}

TEST(a_certificate_cut_anywhere_is_none)
{
	struct recipe r = good_recipe();
	struct str whole;

	r.extensions = extension_list(extension(15, STR("\3\2\7\200")), NONE);
	whole = make_certificate(&r);
	assert_true(read_copy(whole));
	for (size_t len = 0; len < whole.len; len++)
		assert_false(read_copy((struct str){ whole.ptr, len }));
	made_reset();
}

TEST(a_byte_more_is_refused)
{
	struct recipe r = good_recipe();
	struct str whole = make_certificate(&r);

	memcpy(made_room(1), "", 1);
	assert_false(read_copy((struct str){ whole.ptr, whole.len + 1 }));
	r.signature = der(DER_BIT_STRING, STR("\0x"), END);
	/* the next one made lies right behind it */
	r.signature.len += der(DER_INTEGER, STR("\1"), END).len;
	assert_false(read_recipe(&r));
	made_reset();
}

TEST(whatever_byte_changes_nothing_breaks)
{
	struct recipe r = good_recipe();
	struct str whole;
	char *bytes;

	r.extensions = extension_list(extension(19, STR("\x30\0")),
				      extension(17, STR("\x30\3\x82\1a")));
	whole = make_certificate(&r);
	bytes = made_room(whole.len);
	memcpy(bytes, whole.ptr, whole.len);
	for (size_t i = 0; i < whole.len; i++) {
		for (int value = 0; value < 256; value++) {
			bytes[i] = (char)value;
			(void)read_copy((struct str){ bytes, whole.len });
		}
		bytes[i] = whole.ptr[i];
	}
	made_reset();
}

/* Section 4.1.1.2: else the signature could be taken for another. */
TEST(two_signature_algorithms_are_refused)
{
	struct recipe r = good_recipe();

	r.outer_algorithm =
		algorithm(STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"));
	assert_false(read_recipe(&r));
	r.outer_algorithm = der(DER_SEQUENCE, der(DER_OID, OID_SHA256_RSA, END),
				der(5, END), END);
	assert_false(read_recipe(&r));
	r.algorithm = r.outer_algorithm;
	assert_true(read_recipe(&r));
	made_reset();
}

TEST(wrong_parts_are_refused)
{
	const struct str number = der(DER_INTEGER, STR("\1"), END);
	const struct str empty = der(DER_SEQUENCE, END);
	const size_t offsets[] = {
		offsetof(struct recipe, serial),
		offsetof(struct recipe, algorithm),
		offsetof(struct recipe, issuer),
		offsetof(struct recipe, validity),
		offsetof(struct recipe, subject),
		offsetof(struct recipe, key),
		offsetof(struct recipe, outer_algorithm),
		offsetof(struct recipe, signature),
	};

	for (size_t i = 0; i < COUNT(offsets); i++) {
		struct recipe r = good_recipe();
		struct str *part = (struct str *)((char *)&r + offsets[i]);

		*part = offsets[i] == offsetof(struct recipe, serial) ? empty
								      : number;
		if (read_recipe(&r))
			fail_msg("part %zu of another type", i);
		*part = NONE;
		if (read_recipe(&r))
			fail_msg("part %zu left out", i);
	}
	made_reset();
}

TEST(validity_is_read_in_both_forms)
{
	struct recipe r = good_recipe();

	r.validity =
		der(DER_SEQUENCE, der(DER_UTC_TIME, STR("491231235959Z"), END),
		    der(DER_GENERALIZED_TIME, STR("99991231235959Z"), END),
		    END);
	assert_true(read_recipe(&r));
	assert_int_equal(c.not_before, 2524607999);
	assert_int_equal(c.not_after, 253402300799);
	r.validity = valid_times("200101000000Z", "2");
	assert_false(read_recipe(&r));
	r.validity = der(DER_SEQUENCE,
			 der(DER_UTC_TIME, STR("491231235959Z"), END), END);
	assert_false(read_recipe(&r));
	made_reset();
}

/* RFC 5480 section 2.1: the curve must be named, the point uncompressed. */
TEST(keys_of_the_three_curves_are_known)
{
	const struct {
		struct str curve;
		size_t length;
		enum key_type type;
	} rows[] = {
		{ OID_P256, 65, KEY_P256 },
		{ OID_P384, 97, KEY_P384 },
		{ OID_P521, 133, KEY_P521 },
		{ OID_P256, 33, KEY_UNSUPPORTED },
		{ OID_P256, 64, KEY_UNSUPPORTED },
		{ OID_P256, 97, KEY_UNSUPPORTED },
		{ OID_P384, 65, KEY_UNSUPPORTED },
		{ OID_P521, 97, KEY_UNSUPPORTED },
		/* secp256k1 */
		{ STR("\x2b\x81\x04\x00\x0a"), 65, KEY_UNSUPPORTED },
		{ STR(""), 65, KEY_UNSUPPORTED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.key = ec_key(rows[i].curve, rows[i].length, 1);
		assert_true(read_recipe(&r));
		if (c.key_type != rows[i].type)
			fail_msg("row %zu", i);
	}
	made_reset();
}

TEST(explicit_curves_and_unknown_keys_are_unsupported)
{
	struct recipe r = good_recipe();
	const struct str point = bytes_of(65, 4, 1);

	r.key = public_key(der(DER_SEQUENCE, der(DER_OID, OID_EC, END),
			       der(DER_SEQUENCE, END), END),
			   point);
	assert_true(read_recipe(&r));
	assert_int_equal(c.key_type, KEY_UNSUPPORTED);
	r.key = public_key(algorithm(OID_EC), point);
	assert_true(read_recipe(&r));
	assert_int_equal(c.key_type, KEY_UNSUPPORTED);
	/* Ed25519, RFC 8410 */
	r.key = public_key(algorithm(STR("\x2b\x65\x70")), bytes_of(32, 1, 1));
	assert_true(read_recipe(&r));
	assert_int_equal(c.key_type, KEY_UNSUPPORTED);
	made_reset();
}

TEST(a_key_must_be_a_bit_string_of_whole_bytes)
{
	struct recipe r = good_recipe();

	r.key = der(DER_SEQUENCE, algorithm(OID_RSA),
		    der(DER_BIT_STRING, STR("\1ab"), END), END);
	assert_false(read_recipe(&r));
	r.key = der(DER_SEQUENCE, algorithm(OID_RSA),
		    der(DER_BIT_STRING, STR("\0"), END), END);
	assert_false(read_recipe(&r));
	r.key = der(DER_SEQUENCE, algorithm(OID_RSA), der(DER_BIT_STRING, END),
		    END);
	assert_false(read_recipe(&r));
	r.key = public_key(algorithm(OID_RSA), STR("no DER"));
	assert_false(read_recipe(&r));
	made_reset();
}

/* RFC 8017 sections 3.1 and A.1.1. */
TEST(rsa_keys_need_an_odd_exponent_above_1)
{
	const struct {
		struct str exponent;
		bool good;
		enum key_type type;
	} rows[] = {
		{ STR("\1\0\1"), true, KEY_RSA },
		{ STR("\3"), true, KEY_RSA },
		{ STR("\x11"), true, KEY_RSA },
		{ STR("\0\x81"), true, KEY_RSA },
		{ STR("\1"), true, KEY_UNSUPPORTED },
		{ STR("\2"), true, KEY_UNSUPPORTED },
		{ STR("\0"), true, KEY_UNSUPPORTED },
		{ STR("\1\0\0"), true, KEY_UNSUPPORTED },
		{ STR("\xff"), false, KEY_UNSUPPORTED },
		{ STR("\0\3"), false, KEY_UNSUPPORTED },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.key = rsa_key(2048, rows[i].exponent, 1);
		if (read_recipe(&r) != rows[i].good ||
		    c.key_type != rows[i].type)
			fail_msg("row %zu", i);
	}
	made_reset();
}

TEST(the_bits_of_rsa_keys_are_counted)
{
	static const size_t rows[] = { 512,  1024, 2040, 2041, 2047,
				       2048, 2049, 3072, 4096, 8192 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.key = rsa_key(rows[i], STR("\1\0\1"), 1);
		assert_true(read_recipe(&r));
		assert_int_equal(certificate_rsa_bits(&c), rows[i]);
	}
	made_reset();
}

TEST(extensions_are_told_apart)
{
	struct recipe r = good_recipe();

	r.extensions =
		extension_list(extension(17, STR("\x30\3\x82\1a")),
			       der(DER_SEQUENCE,
				   extension(15, STR("\3\2\7\200")), END));
	assert_false(read_recipe(&r)); /* one of them nested too deep */
	r.extensions = extension_list(extension(17, STR("names")),
				      extension(15, STR("usage")));
	assert_true(read_recipe(&r));
	assert_true(str_eq(c.subject_alt_name, STR("names")));
	assert_true(str_eq(c.key_usage, STR("usage")));
	r.extensions = extension_list(extension(37, STR("purposes")),
				      extension(30, STR("constraints")));
	assert_true(read_recipe(&r));
	assert_true(str_eq(c.extended_key_usage, STR("purposes")));
	assert_true(c.has_name_constraints);
	/* one that nobody knows, with `critical` */
	r.extensions =
		extension_list(der(DER_SEQUENCE,
				   der(DER_OID, STR("\x2a\x03"), END),
				   der(DER_BOOLEAN, STR("\xff"), END),
				   der(DER_OCTET_STRING, STR("x"), END), END),
			       extension(14, STR("id")));
	assert_true(read_recipe(&r));
	r.extensions = der(0xa3, der(DER_SET, END), END);
	assert_false(read_recipe(&r));
	r.extensions =
		extension_list(der(DER_SEQUENCE,
				   der(DER_OID, STR("\x55\x1d\x0f"), END), END),
			       NONE);
	assert_false(read_recipe(&r));
	made_reset();
}

/* Section 4.2.1.9. */
TEST(only_basic_constraints_make_a_ca)
{
	const struct {
		struct str value;
		bool good;
		bool ca;
	} rows[] = {
		{ STR("\x30\x03\x01\x01\xff"), true, true },
		{ STR("\x30\x06\x01\x01\xff\x02\x01\x00"), true, true },
		{ STR("\x30\x00"), true, false },
		{ STR("\x30\x03\x01\x01\x00"), true, false },
		{ STR("\x30\x03\x02\x01\x00"), true, false },
		{ STR("\x30\x02\x01\x00"), true, false },
		{ STR(""), false, false },
		{ STR("\x02\x01\x05"), false, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.extensions =
			extension_list(extension(19, rows[i].value), NONE);
		if (read_recipe(&r) != rows[i].good || c.is_ca != rows[i].ca)
			fail_msg("row %zu", i);
	}
	made_reset();
}

TEST(signatures_with_broken_hashes_are_weak)
{
	const struct {
		struct str oid;
		bool weak;
	} rows[] = {
		{ STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), true },
		{ STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), true },
		{ STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), true },
		{ STR("\x2a\x86\x48\xce\x3d\x04\x01"), true },
		{ STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), false },
		{ STR("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), false },
		{ STR("\x2a\x86\x48\xce\x3d\x04\x03\x02"), false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.algorithm = r.outer_algorithm = algorithm(rows[i].oid);
		assert_true(read_recipe(&r));
		if (certificate_has_weak_signature(&c) != rows[i].weak)
			fail_msg("row %zu", i);
	}
	made_reset();
}

/* Section 4.2.1.12. */
TEST(purposes_decide_who_is_a_server)
{
	static const struct {
		struct str value;
		bool server;
	} rows[] = {
		{ { NULL, 0 }, true },
		/* serverAuth, alone and behind clientAuth */
		{ { "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12 },
		  true },
		{ { "\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
		    "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01",
		    22 },
		  true },
		/* anyExtendedKeyUsage */
		{ { "\x30\x06\x06\x04\x55\x1d\x25\x00", 8 }, true },
		/* clientAuth */
		{ { "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 12 },
		  false },
		{ { "\x30\x00", 2 }, false },
		{ { "", 0 }, false },
		{ { "\x06\x04\x55\x1d\x25\x00", 6 }, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		c = (struct certificate){ .extended_key_usage = rows[i].value };
		if (certificate_allows_server(&c) != rows[i].server)
			fail_msg("row %zu", i);
	}
}

/* Section 4.2.1.3. */
TEST(usages_decide_who_may_sign)
{
	static const struct {
		struct str value;
		bool signs;
	} rows[] = {
		{ { NULL, 0 }, true },
		{ { "\x03\x02\x07\x80", 4 }, true },
		{ { "\x03\x02\x05\xa0", 4 }, true },
		{ { "\x03\x03\x07\x86\x80", 5 }, true },
		{ { "\x03\x02\x05\x20", 4 }, false },
		{ { "\x03\x02\x01\x06", 4 }, false },
		{ { "\x03\x01\x00", 3 }, false },
		{ { "", 0 }, false },
		{ { "\x04\x02\x07\x80", 4 }, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		c = (struct certificate){ .key_usage = rows[i].value };
		if (certificate_allows_signing(&c) != rows[i].signs)
			fail_msg("row %zu", i);
	}
}

/* Section 4.2.1.6. */
TEST(dns_names_are_listed_for_people)
{
	const struct str a = der(0x82, STR("a.example"), END);
	const struct str b = der(0x82, STR("*.b.example"), END);
	const struct str odd = der(0x82, STR("\"x\"\n\x7f\xff"), END);
	const struct str address = der(0x87, STR("\x0a\0\0\1"), END);
	const struct str mail = der(0x81, STR("m@c.example"), END);
	const struct str lengthy = der(0x82, bytes_of(300, 'l', 'l'), END);
	const struct {
		struct str names;
		size_t most;
		const char *text;
	} rows[] = {
		{ der(DER_SEQUENCE, a, END), 3, "a.example" },
		{ der(DER_SEQUENCE, address, a, mail, b, END), 3,
		  "a.example, *.b.example" },
		{ der(DER_SEQUENCE, a, b, END), 1, "a.example, ..." },
		{ der(DER_SEQUENCE, odd, END), 1, "?x????" },
		{ der(DER_SEQUENCE, address, END), 3, "" },
		{ der(DER_SEQUENCE, END), 3, "" },
		{ STR(""), 3, "" },
		{ STR("\x30\x05\x82"), 3, "" },
		{ END, 3, "" },
	};
	char memory[512];
	struct buf out;

	for (size_t i = 0; i < COUNT(rows); i++) {
		buf_init(&out, memory, sizeof(memory));
		c = (struct certificate){ .subject_alt_name = rows[i].names };
		certificate_put_dns_names(&c, rows[i].most, &out);
		if (!str_eq(buf_view(&out), str_from(rows[i].text)))
			fail_msg("row %zu", i);
		assert_int_equal(certificate_has_dns_name(&c), out.len > 0);
	}
	buf_init(&out, memory, sizeof(memory));
	c.subject_alt_name = der(DER_SEQUENCE, lengthy, END);
	certificate_put_dns_names(&c, 1, &out);
	assert_int_equal(out.len, 80);
	made_reset();
}

/* Section 4.2.1.9. */
TEST(the_path_length_is_read)
{
	static const struct {
		struct str value;
		bool good;
		unsigned path_length;
	} rows[] = {
		{ STR("\x30\3\1\1\xff"), true, PATH_UNLIMITED },
		{ STR("\x30\6\1\1\xff\2\1\0"), true, 0 },
		{ STR("\x30\6\1\1\xff\2\1\7"), true, 7 },
		{ STR("\x30\7\1\1\xff\2\2\0\xfe"), true, 254 },
		{ STR("\x30\7\1\1\xff\2\2\0\xff"), true, PATH_UNLIMITED },
		{ STR("\x30\7\1\1\xff\2\2\1\0"), true, PATH_UNLIMITED },
		{ STR("\x30\6\1\1\xff\2\1\xff"), false, 0 },
		{ STR("\x30\5\1\1\xff\2\0"), false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.extensions =
			extension_list(extension(19, rows[i].value), NONE);
		if (read_recipe(&r) != rows[i].good ||
		    (rows[i].good && c.path_length != rows[i].path_length))
			fail_msg("row %zu", i);
		made_reset();
	}
}

/* Section 4.2: what must be understood, and is not. */
TEST(unknown_critical_extensions_are_noted)
{
	static const struct {
		struct str oid;
		struct str critical;
		bool noted;
	} rows[] = {
		{ STR("\x2a\3"), STR("\1\1\xff"), true },
		{ STR("\x2a\3"), STR("\1\1\1"), true },
		{ STR("\x2a\3"), STR("\1\1\0"), false },
		{ STR("\x2a\3"), STR(""), false },
		/* policyConstraints, inhibitAnyPolicy, policyMappings */
		{ STR("\x55\x1d\x24"), STR("\1\1\xff"), true },
		{ STR("\x55\x1d\x36"), STR("\1\1\xff"), true },
		{ STR("\x55\x1d\x21"), STR("\1\1\xff"), true },
		{ STR("\x55\x1d\x13\1"), STR("\1\1\xff"), true },
		/* keyUsage, certificatePolicies, extKeyUsage */
		{ STR("\x55\x1d\x0f"), STR("\1\1\xff"), false },
		{ STR("\x55\x1d\x20"), STR("\1\1\xff"), false },
		{ STR("\x55\x1d\x25"), STR("\1\1\xff"), false },
		/* authorityInfoAccess, and its neighbour */
		{ STR("\x2b\6\1\5\5\7\1\1"), STR("\1\1\xff"), false },
		{ STR("\x2b\6\1\5\5\7\1\2"), STR("\1\1\xff"), true },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe r = good_recipe();

		r.extensions = extension_list(
			der(DER_SEQUENCE, der(DER_OID, rows[i].oid, END),
			    rows[i].critical,
			    der(DER_OCTET_STRING, STR("\x30\0"), END), END),
			NONE);
		assert_true(read_recipe(&r));
		if (c.has_unknown_critical != rows[i].noted)
			fail_msg("row %zu", i);
		made_reset();
	}
}
