/* Malformed private keys. */
#include "gcp/jwt.h"

#include "base/codec.h"
#include "make_der.h"
#include "test.h"

static char pem_memory[1 << 18];

/* Reads a key into memory of exactly its size, so that a byte more is seen. */
static enum code
read_key(const char *label, struct str key, struct status *st)
{
	struct jwt_key *into = malloc(sizeof(*into));
	struct buf pem;

	buf_init(&pem, pem_memory, sizeof(pem_memory));
	assert_non_null(into);
	buf_put_cstr(&pem, "-----BEGIN ");
	buf_put_cstr(&pem, label);
	buf_put_cstr(&pem, "-----\n");
	base64_encode(&pem, key.ptr, key.len);
	buf_put_cstr(&pem, "\n-----END ");
	buf_put_cstr(&pem, label);
	buf_put_cstr(&pem, "-----\n");
	assert_false(pem.overflow);
	status_clear(st);
	(void)jwt_key_read(into, buf_view(&pem), st);
	free(into);
	return st->code;
}

/* RFC 5915 section 3. */
static struct str
ec_key(size_t secret)
{
	return der(DER_SEQUENCE, der(DER_INTEGER, STR("\1"), END),
		   der(DER_OCTET_STRING, bytes_of(secret, 1, 1), END),
		   der(0xa0, der(DER_OID, OID_P256, END), END), END);
}

/* RFC 8017 appendix A.1.2, of 2048 bits, its factors of `factor` bytes. */
static struct str
rsa_key(size_t factor)
{
	struct str whole =
		der(DER_INTEGER, STR("\0"), bytes_of(256, 0x80, 1), END);
	struct str part = der(DER_INTEGER, bytes_of(factor, 0x40, 1), END);

	return der(DER_SEQUENCE, der(DER_INTEGER, STR("\0"), END), whole,
		   der(DER_INTEGER, STR("\1\0\1"), END), whole, part, part,
		   part, part, part, END);
}

static void
assert_refused(const char *label, struct str key)
{
	struct status st = { .code = CODE_OK };

	assert_int_equal(read_key(label, key, &st), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "private_key is no unencrypted"));
}

/* The decoder works in pieces, so every length falls on another border. */
TEST(keys_longer_than_the_memory_for_them_are_refused)
{
	static const size_t HUGE[] = { 2000, 4000, 8192, 30000, 60000 };
	struct status st = { .code = CODE_OK };

	made_reset();
	assert_int_equal(read_key("EC PRIVATE KEY", ec_key(32), &st), CODE_OK);
	for (size_t len = 1537; len < 1700; len++) {
		made_reset();
		assert_refused("EC PRIVATE KEY", ec_key(len));
	}
	for (size_t i = 0; i < sizeof(HUGE) / sizeof(HUGE[0]); i++) {
		made_reset();
		assert_refused("EC PRIVATE KEY", ec_key(HUGE[i]));
	}
	made_reset();
	assert_int_equal(read_key("RSA PRIVATE KEY", rsa_key(128), &st),
			 CODE_OK);
	for (size_t len = 308; len < 1600; len += 7) {
		made_reset();
		assert_refused("RSA PRIVATE KEY", rsa_key(len));
	}
}

TEST(bytes_behind_the_key_are_refused)
{
	struct str key;

	for (size_t more = 1; more < 1100; more++) {
		made_reset();
		key = ec_key(32);
		key.len += bytes_of(more, 0x30, 0).len;
		assert_refused("EC PRIVATE KEY", key);
	}
}

/* One bit of each byte wrong: no word is needed, only no harm. */
TEST(damaged_keys_do_no_harm)
{
	struct status st = { .code = CODE_OK };
	char whole[2048];
	struct str key;

	made_reset();
	key = rsa_key(128);
	assert_true(key.len <= sizeof(whole));
	memcpy(whole, key.ptr, key.len);
	key.ptr = whole;
	for (size_t i = 0; i < key.len; i++) {
		whole[i] ^= (char)(1 << i % 8);
		(void)read_key("RSA PRIVATE KEY", key, &st);
		whole[i] ^= (char)(1 << i % 8);
	}
}
