/* What our patches to BearSSL change: RSA with public keys, and shorter code. */
#include <bearssl.h>
#include <stdbool.h>

#include "test.h"

#define SIZE_MAX_RSA (4096 / 8)
#define SHOWN 16

static bool slow;

/* In the place of BearSSL's own: what the fast code falls back to. */
void br_i31_modpow(uint32_t *x, const unsigned char *e, size_t elen,
		   const uint32_t *m, uint32_t m0i, uint32_t *t1, uint32_t *t2);

void
br_i31_modpow(uint32_t *x, const unsigned char *e, size_t elen,
	      const uint32_t *m, uint32_t m0i, uint32_t *t1, uint32_t *t2)
{
	(void)x;
	(void)e;
	(void)elen;
	(void)m;
	(void)m0i;
	(void)t1;
	(void)t2;
	slow = true;
}

/* Python: x = x * 1103515245 + 12345 & 0xffffffff; yield x >> 24 */
static void
fill(unsigned char *bytes, size_t len, uint32_t x)
{
	for (size_t i = 0; i < len; i++) {
		x = x * 1103515245 + 12345;
		bytes[i] = (unsigned char)(x >> 24);
	}
}

struct row {
	size_t bits;
	unsigned char exponent[4];
	const char *sha256; /* of Python's pow(), the first half */
};

static const struct row ROWS[] = {
	{ 2048,
	  { 0x00, 0x00, 0x00, 0x03 },
	  "a6f45401e5f0f4daa9d67a2bce06e33d" },
	{ 2048,
	  { 0x00, 0x01, 0x00, 0x01 },
	  "76b96513df7a3e17fff8f51a9eba5510" },
	{ 2048,
	  { 0xff, 0xff, 0xff, 0xfb },
	  "a81f2c6067dc7453dbc36ba9d2797f3c" },
	{ 2784,
	  { 0x00, 0x00, 0x00, 0x03 },
	  "f7a176ff179d233df69851958d9e1ec1" },
	{ 2784,
	  { 0x00, 0x01, 0x00, 0x01 },
	  "8d25a943f4a63811eed78634b9af19f2" },
	{ 2784,
	  { 0xff, 0xff, 0xff, 0xfb },
	  "54f524f12be9ad24c1ebbf76a702fb47" },
	{ 2792,
	  { 0x00, 0x00, 0x00, 0x03 },
	  "6fa25c91935a8c5cbab2a979041c1a4c" },
	{ 2792,
	  { 0x00, 0x01, 0x00, 0x01 },
	  "7275cd2604d62bf90e28442e00ac5c31" },
	{ 2792,
	  { 0xff, 0xff, 0xff, 0xfb },
	  "6ddd7b83e2eff69668f5cb8deebc1977" },
	{ 3072,
	  { 0x00, 0x00, 0x00, 0x03 },
	  "639726c51de83b7b77657bb69c414a10" },
	{ 3072,
	  { 0x00, 0x01, 0x00, 0x01 },
	  "3e2cce884a6c52fc7481c68c993cb215" },
	{ 3072,
	  { 0xff, 0xff, 0xff, 0xfb },
	  "edc7b953e75e34d2ead0eb6ffc139147" },
	{ 4096,
	  { 0x00, 0x00, 0x00, 0x03 },
	  "772eb628c6f46c06f0b4c7b7f8d1949d" },
	{ 4096,
	  { 0x00, 0x01, 0x00, 0x01 },
	  "3ce361f170d715fa25e54940e9acfbf3" },
	{ 4096,
	  { 0xff, 0xff, 0xff, 0xfb },
	  "450bef3dde487a08e8fe14fd43253748" },
};

static void
compute(const struct row *row, unsigned char *x, size_t len,
	uint32_t (*power)(unsigned char *, size_t, const br_rsa_public_key *))
{
	unsigned char n[SIZE_MAX_RSA];
	unsigned char e[sizeof(row->exponent)];
	br_rsa_public_key key = { n, len, e, sizeof(e) };

	fill(n, len, (uint32_t)row->bits);
	n[0] |= 0x80;
	n[len - 1] |= 1;
	fill(x, len, (uint32_t)row->bits + 1);
	x[0] = 0;
	memcpy(e, row->exponent, sizeof(e));
	assert_int_equal(power(x, len, &key), 1);
}

TEST(powers_are_right_and_take_the_fast_way_at_all_sizes)
{
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		size_t len = ROWS[i].bits / 8;
		unsigned char x[SIZE_MAX_RSA], digest[32];
		char hex[2 * SHOWN + 1];
		br_sha256_context sha;

		slow = false;
		compute(&ROWS[i], x, len, br_rsa_i62_public);
		assert_false(slow);
		br_sha256_init(&sha);
		br_sha256_update(&sha, x, len);
		br_sha256_out(&sha, digest);
		for (size_t j = 0; j < SHOWN; j++)
			(void)snprintf(hex + 2 * j, 3, "%02x", digest[j]);
		assert_string_equal(hex, ROWS[i].sha256);
	}
}

/* The 31-bit code has no part of the patch. */
TEST(both_ways_agree)
{
	for (size_t i = 0; i < COUNT(ROWS); i++) {
		size_t len = ROWS[i].bits / 8;
		unsigned char fast[SIZE_MAX_RSA], other[SIZE_MAX_RSA];

		compute(&ROWS[i], fast, len, br_rsa_i62_public);
		compute(&ROWS[i], other, len, br_rsa_i31_public);
		assert_memory_equal(fast, other, len);
	}
}

TEST(an_exponent_of_zero_bits_only_gives_one)
{
	const struct row row = { 4096, { 0 }, NULL };
	unsigned char x[SIZE_MAX_RSA];

	compute(&row, x, sizeof(x), br_rsa_i62_public);
	for (size_t i = 0; i < sizeof(x); i++)
		assert_int_equal(x[i], i == sizeof(x) - 1);
}

/* Of so many letters "a": the first halves of SHA-256, quarters of SHA-512. */
static const struct {
	size_t len;
	const char *sha256, *sha512;
} DIGESTS[] = {
	{ 0, "e3b0c44298fc1c149afbf4c8996fb924",
	  "cf83e1357eefb8bdf1542850d66d8007" },
	{ 3, "9834876dcfb05cb167a5c24953eba58c",
	  "d6f644b19812e97b5d871658d6d3400e" },
	{ 111, "6374f73208854473827f6f6a3f43b1f5",
	  "fa9121c7b32b9e01733d034cfc78cbf6" },
	{ 112, "f54353008a2553262ecdc4a34749563b",
	  "c01d080efd492776a1c43bd23dd99d0a" },
	{ 119, "31eba51c313a5c08226adf18d4a359cf",
	  "130396a75cb483f2eee8c56d8a668bb3" },
	{ 1000, "41edece42d63e8d9bf515a9ba6932e1c",
	  "67ba5535a46e3f86dbfbed8cbbaf0125" },
};

static void
expect_digest(const br_hash_class *class, size_t len, const char *expected)
{
	br_hash_compat_context context;
	unsigned char digest[64];
	char hex[2 * SHOWN + 1];

	class->init(&context.vtable);
	for (size_t i = 0; i < len; i++)
		class->update(&context.vtable, "a", 1);
	class->out(&context.vtable, digest);
	for (size_t i = 0; i < SHOWN; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, expected);
}

TEST(digests_are_right)
{
	for (size_t i = 0; i < COUNT(DIGESTS); i++) {
		expect_digest(&br_sha256_vtable, DIGESTS[i].len,
			      DIGESTS[i].sha256);
		expect_digest(&br_sha512_vtable, DIGESTS[i].len,
			      DIGESTS[i].sha512);
	}
}

TEST(the_processor_hashes_as_other_code_does)
{
	br_ghash fast = br_ghash_pclmul_get();
	unsigned char h[16], data[200];

	if (fast == 0)
		skip();
	fill(h, sizeof(h), 1);
	fill(data, sizeof(data), 2);
	for (size_t len = 0; len <= sizeof(data); len++) {
		unsigned char a[16], b[16];

		fill(a, sizeof(a), (uint32_t)len);
		memcpy(b, a, sizeof(b));
		fast(a, h, data, len);
		br_ghash_ctmul64(b, h, data, len);
		assert_memory_equal(a, b, sizeof(a));
	}
}

TEST(the_processor_encrypts_as_other_code_does)
{
	const br_block_ctr_class *fast = br_aes_x86ni_ctr_get_vtable();
	unsigned char key[32], iv[12];

	if (fast == NULL)
		skip();
	fill(key, sizeof(key), 3);
	fill(iv, sizeof(iv), 4);
	for (size_t size = 16; size <= sizeof(key); size += 16) {
		br_aes_gen_ctr_keys a;
		br_aes_ct_ctr_keys b;
		unsigned char x[96] = { 0 }, y[96] = { 0 };

		fast->init(&a.vtable, key, size);
		br_aes_ct_ctr_init(&b, key, size);
		assert_int_equal(fast->run(&a.vtable, iv, 7, x, sizeof(x)),
				 br_aes_ct_ctr_run(&b, iv, 7, y, sizeof(y)));
		assert_memory_equal(x, y, sizeof(x));
	}
}
