/* Encodings of the wire, against vectors of their RFCs. */
#include "base/codec.h"

#include "test.h"

/* RFC 4648 section 10, and bytes that need the last two digits. */
static const struct {
	struct str bytes;
	struct str text;
} VECTORS[] = {
	{ STR(""), STR("") },
	{ STR("f"), STR("Zg==") },
	{ STR("fo"), STR("Zm8=") },
	{ STR("foo"), STR("Zm9v") },
	{ STR("foob"), STR("Zm9vYg==") },
	{ STR("fooba"), STR("Zm9vYmE=") },
	{ STR("foobar"), STR("Zm9vYmFy") },
	{ STR("\0"), STR("AA==") },
	{ STR("\0\0\0"), STR("AAAA") },
	{ STR("\xff\xff\xff"), STR("////") },
	{ STR("\xfb\xef\xbe"), STR("++++") },
	{ STR("\x14\xfb\x9c\x03\xd9\x7e"), STR("FPucA9l+") },
};

#define VECTORS_COUNT (sizeof(VECTORS) / sizeof(VECTORS[0]))

TEST(base64_vectors)
{
	for (size_t i = 0; i < VECTORS_COUNT; i++) {
		char memory[16];
		struct buf out;

		/* exactly as much room as needed, both ways */
		buf_init(&out, memory, VECTORS[i].text.len);
		base64_encode(&out, VECTORS[i].bytes.ptr, VECTORS[i].bytes.len);
		assert_false(out.overflow);
		assert_true(str_eq(buf_view(&out), VECTORS[i].text));
		assert_int_equal(base64_length(VECTORS[i].bytes.len),
				 VECTORS[i].text.len);
		buf_init(&out, memory, VECTORS[i].bytes.len);
		assert_true(base64_decode(&out, VECTORS[i].text));
		assert_true(str_eq(buf_view(&out), VECTORS[i].bytes));
		buf_init(&out, memory, VECTORS[i].bytes.len);
		assert_true(base64_decode_any(&out, VECTORS[i].text));
		assert_true(str_eq(buf_view(&out), VECTORS[i].bytes));
	}
}

/* The digits as RFC 4648 table 1 lists them. */
static const char DIGITS[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

TEST(base64_digits_in_every_place)
{
	for (size_t place = 0; place < 4; place++) {
		for (uint32_t value = 0; value < 64; value++) {
			uint32_t bits = value << (18 - 6 * place);
			unsigned char bytes[3] = { (unsigned char)(bits >> 16),
						   (unsigned char)(bits >> 8),
						   (unsigned char)bits };
			char text[5] = "AAAA", memory[4];
			struct buf out;

			text[place] = DIGITS[value];
			buf_init(&out, memory, 4);
			base64_encode(&out, bytes, 3);
			assert_memory_equal(memory, text, 4);
			buf_init(&out, memory, 3);
			assert_true(base64_decode(&out, str_from(text)));
			assert_memory_equal(memory, bytes, 3);
		}
	}
}

/* Every byte in every place: 64 digits, and '=' only as padding. */
TEST(base64_takes_no_other_byte)
{
	for (size_t place = 0; place < 8; place++) {
		for (unsigned byte = 0; byte < 256; byte++) {
			char text[8] = "AAAAAAAA", memory[8];
			struct buf out;
			bool digit =
				byte != 0 && strchr(DIGITS, (int)byte) != NULL;
			bool padding = byte == '=' && place == 7;
			bool any =
				digit || padding || byte == '-' || byte == '_';

			text[place] = (char)byte;
			buf_init(&out, memory, sizeof(memory));
			assert_int_equal(base64_decode(&out,
						       (struct str){ text, 8 }),
					 digit || padding);
			buf_init(&out, memory, sizeof(memory));
			assert_int_equal(base64_decode_any(&out,
							   (struct str){ text,
									 8 }),
					 any);
		}
	}
}

TEST(base64_refuses_what_is_not_canonical)
{
	static const struct {
		const char *text;
		bool any; /* base64_decode_any() takes it */
	} ROWS[] = {
		{ "A", false },          { "AA", true },
		{ "AAA", true },         { "AAAAA", false },
		{ "AAAAAA", true },      { "AA=", false },
		{ "A=", false },         { "=", false },
		{ "==", false },         { "===", false },
		{ "====", false },       { "A===", false },
		{ "AA==AA==", false },   { "AA==A", false },
		{ "AAA=AAAA", false },   { "AAAA====", false },
		{ "AAAA=", false },      { "AAAA==", false },
		{ "=AAA", false },       { "A=AA", false },
		{ "AA=A", false },       { "AB==", false },
		{ "AP==", false },       { "AAB=", false },
		{ "AAD=", false },       { "AB", false },
		{ "AAB", false },        { "AA==\n", false },
		{ "AA ==", false },      { " AA==", false },
		{ "AAAA\n", false },     { "AA\nAA", false },
		{ "AA\r\nAA==", false }, { "-_-_", true },
		{ "-_-", false },        { "-_A", true },
		{ "+_+_", true },        { "_w==", true },
		{ "_w", true },          { "_x==", false },
		{ "A\xc3\xa9=", false },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char memory[16];
		struct buf out;

		buf_init(&out, memory, sizeof(memory));
		buf_put_char(&out, '#');
		if (base64_decode(&out, str_from(ROWS[i].text)))
			fail_msg("strict took row %zu", i);
		assert_int_equal(out.len, 1);
		assert_false(out.overflow);
		if (base64_decode_any(&out, str_from(ROWS[i].text)) !=
		    ROWS[i].any)
			fail_msg("any was wrong on row %zu", i);
		assert_true(ROWS[i].any || out.len == 1);
	}
}

TEST(base64_leaves_no_trace_of_what_it_refused)
{
	static const char GONE[6] = { 0 };
	char memory[8] = "########";
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	assert_false(base64_decode(&out, STR("Zm9vYmF!")));
	assert_memory_equal(memory, GONE, 6);
	assert_memory_equal(memory + 6, "##", 2);
}

TEST(base64_needs_room)
{
	char memory[8];
	struct buf out;

	buf_init(&out, memory, 5);
	buf_put_cstr(&out, "12");
	base64_encode(&out, "foo", 3);
	assert_true(out.overflow);
	assert_int_equal(out.len, 2);
	/* an overflow is not forgotten by what would fit */
	base64_encode(&out, "", 0);
	assert_true(out.overflow);
	assert_false(base64_decode(&out, STR("Zm8=")));
	assert_false(base64_decode_any(&out, STR("")));
	buf_init(&out, memory, 5);
	buf_put_cstr(&out, "123");
	assert_false(base64_decode(&out, STR("Zm9v")));
	assert_int_equal(out.len, 3);
	assert_false(out.overflow);
	assert_true(base64_decode(&out, STR("Zm8=")));
	assert_memory_equal(memory, "123fo", 5);
}

TEST(base64_lengths_do_not_wrap)
{
	char memory[4];
	struct buf out;

	assert_int_equal(base64_length(65536), 87384);
	buf_init(&out, memory, sizeof(memory));
	base64_encode(&out, memory, SIZE_MAX);
	assert_true(out.overflow);
	buf_init(&out, memory, sizeof(memory));
	base64_encode(&out, memory, SIZE_MAX / 4 * 3 + 3);
	assert_true(out.overflow);
	assert_int_equal(out.len, 0);
}

/* All lengths around a group, all byte values. */
TEST(base64_round_trip)
{
	unsigned char bytes[300];
	char text[400], back[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 89 + i / 7);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct buf encoded, decoded;

		buf_init(&encoded, text, sizeof(text));
		base64_encode(&encoded, bytes, len);
		assert_false(encoded.overflow);
		assert_int_equal(encoded.len, base64_length(len));
		buf_init(&decoded, back, len);
		assert_true(base64_decode(&decoded, buf_view(&encoded)));
		assert_int_equal(decoded.len, len);
		assert_memory_equal(back, bytes, len);
	}
}

TEST(percent_encodes_all_but_the_unreserved)
{
	static const char UNRESERVED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "abcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	for (unsigned byte = 0; byte < 256; byte++) {
		char memory[4], c = (char)byte, expected[4];
		struct buf out;

		(void)snprintf(expected, sizeof(expected), "%%%02X",
			       byte & 0xff);
		if (byte != 0 && strchr(UNRESERVED, (int)byte) != NULL)
			(void)snprintf(expected, sizeof(expected), "%c", c);
		buf_init(&out, memory, sizeof(memory));
		percent_encode(&out, (struct str){ &c, 1 });
		assert_true(str_eq(buf_view(&out), str_from(expected)));
	}
}

TEST(percent_decodes_in_place)
{
	char memory[] = "a%20b+%c3%A9%00";
	struct str text = { memory, sizeof(memory) - 1 };
	struct buf out;

	buf_init(&out, memory, text.len);
	assert_true(percent_decode(&out, text));
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.ptr, "a b+\xc3\xa9\0", 7);
}

TEST(percent_needs_two_digits_and_room)
{
	static const char *const wrong[] = { "%",   "%4",  "a%",
					     "%4g", "%g4", "%%41" };
	char memory[16];
	struct buf out;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		buf_init(&out, memory, sizeof(memory));
		assert_false(percent_decode(&out, str_from(wrong[i])));
	}
	/* what stands behind the text is no part of it */
	for (size_t len = 1; len < 3; len++) {
		buf_init(&out, memory, sizeof(memory));
		assert_false(percent_decode(&out, (struct str){ "%41", len }));
	}
	buf_init(&out, memory, 2);
	assert_true(percent_decode(&out, STR("%41%42")));
	assert_false(percent_decode(&out, STR("%43")));
}

TEST(hexadecimal_digits_are_these)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (int c = -128; c < 128; c++) {
		const char *at = c != 0 ? strchr(digits, c) : NULL;
		int value = at == NULL ? -1 : (int)(at - digits);

		assert_int_equal(hex_value((char)c),
				 value > 15 ? value - 6 : value);
	}
}

TEST(percent_encodes_whole_texts)
{
	char memory[64];
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	percent_encode(&out, STR("a b+c/\xc3\xa9%20&=~"));
	assert_true(
		str_eq(buf_view(&out), STR("a%20b%2Bc%2F%C3%A9%2520%26%3D~")));
	buf_init(&out, memory, 5);
	percent_encode(&out, STR("a b/"));
	assert_true(out.overflow);
}

/* RFC 3720 appendix B.4 (its CRCs are given low byte first). */
TEST(crc32c_vectors)
{
	unsigned char zeros[32], ones[32], up[32], down[32];
	static const unsigned char READ_PDU[48] = {
		0x01, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00,
		0x00, 0x18, 0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};

	for (unsigned i = 0; i < 32; i++) {
		zeros[i] = 0;
		ones[i] = 0xff;
		up[i] = (unsigned char)i;
		down[i] = (unsigned char)(31 - i);
	}
	assert_int_equal(crc32c(zeros, 32), 0x8a9136aa);
	assert_int_equal(crc32c(ones, 32), 0x62a8ab43);
	assert_int_equal(crc32c(up, 32), 0x46dd794e);
	assert_int_equal(crc32c(down, 32), 0x113fdb5c);
	assert_int_equal(crc32c(READ_PDU, 48), 0xd9963a56);
	assert_int_equal(crc32c("123456789", 9), 0xe3069283);
	assert_int_equal(crc32c("", 0), 0);
	assert_int_equal(crc32c(NULL, 0), 0);
	assert_int_equal(crc32c("a", 1), 0xc1d04330);
}

TEST(crc32c_sees_each_bit)
{
	unsigned char bytes[64] = { 0 };
	uint32_t crc = crc32c(bytes, sizeof(bytes));

	for (size_t i = 0; i < 8 * sizeof(bytes); i++) {
		bytes[i / 8] ^= (unsigned char)(1u << i % 8);
		assert_true(crc32c(bytes, sizeof(bytes)) != crc);
		bytes[i / 8] ^= (unsigned char)(1u << i % 8);
	}
}

TEST(parse_uint_takes_digits_that_fit)
{
	static const struct {
		struct str text;
		bool valid;
		uint64_t value;
	} ROWS[] = {
		{ STR("0"), true, 0 },
		{ STR("7"), true, 7 },
		{ STR("007"), true, 7 },
		{ STR("00000000000000000007"), true, 7 },
		{ STR("18446744073709551615"), true, UINT64_MAX },
		{ STR("9223372036854775808"), true, UINT64_C(1) << 63 },
		{ STR("18446744073709551616"), false, 0 },
		{ STR("18446744073709551620"), false, 0 },
		{ STR("28446744073709551615"), false, 0 },
		{ STR("99999999999999999999"), false, 0 },
		{ STR("000000000000000000007"), false, 0 },
		{ STR(""), false, 0 },
		{ { NULL, 0 }, false, 0 },
		{ STR("-1"), false, 0 },
		{ STR("+1"), false, 0 },
		{ STR(" 1"), false, 0 },
		{ STR("1 "), false, 0 },
		{ STR("1\0"), false, 0 },
		{ STR("1.0"), false, 0 },
		{ STR("0x1"), false, 0 },
		{ STR("1/"), false, 0 },
		{ STR("1:"), false, 0 },
		{ STR("\xb1"), false, 0 },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		uint64_t value = 42;

		if (parse_uint(ROWS[i].text, &value) != ROWS[i].valid)
			fail_msg("row %zu", i);
		assert_int_equal(value, ROWS[i].valid ? ROWS[i].value : 42);
	}
}
