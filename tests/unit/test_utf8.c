/* RFC 3629, tried on every character. */
#include "base/utf8.h"

#include "test.h"

static bool
is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

TEST(every_character_has_one_encoding)
{
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		char bytes[UTF8_MAX];
		size_t length, expected = c < 0x80      ? 1
					  : c < 0x800   ? 2
					  : c < 0x10000 ? 3
							: 4;

		length = utf8_encode(c, bytes);
		assert_true(length == expected);
		if (is_surrogate(c))
			length = 0;
		if (utf8_length((struct str){ bytes, expected }) != length)
			fail_msg("U+%04X", (unsigned)c);
		if (length > 0)
			assert_true(utf8_decode((struct str){ bytes,
							      length }) == c);
	}
}

TEST(known_encodings)
{
	static const struct {
		uint32_t c;
		struct str bytes;
	} ROWS[] = {
		{ 0, STR("\0") },
		{ 0x7f, STR("\x7f") },
		{ 0x80, STR("\xc2\x80") },
		{ 0xe9, STR("\xc3\xa9") },
		{ 0x7ff, STR("\xdf\xbf") },
		{ 0x800, STR("\xe0\xa0\x80") },
		{ 0x20ac, STR("\xe2\x82\xac") },
		{ 0xffff, STR("\xef\xbf\xbf") },
		{ 0x10000, STR("\xf0\x90\x80\x80") },
		{ 0x1f600, STR("\xf0\x9f\x98\x80") },
		{ 0x10ffff, STR("\xf4\x8f\xbf\xbf") },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char bytes[UTF8_MAX];
		size_t length = utf8_encode(ROWS[i].c, bytes);

		assert_true(
			str_eq((struct str){ bytes, length }, ROWS[i].bytes));
		assert_int_equal(utf8_length(ROWS[i].bytes), length);
	}
}

/*
 * Of all texts of two bytes and some that follow, as many are valid as there
 * are characters: 6 for each pair, or 2 where the third byte counts.
 */
TEST(nothing_else_is_valid)
{
	static const unsigned char THIRD[] = {
		0, 0x7f, 0x80, 0xbf, 0xc0, 0xff
	};
	size_t of_length[UTF8_MAX + 1] = { 0 };

	for (unsigned i = 0; i < 65536 * sizeof(THIRD); i++) {
		char bytes[UTF8_MAX] = { (char)(i >> 8), (char)i,
					 (char)THIRD[i >> 16], (char)0x80 };
		size_t length = utf8_length((struct str){ bytes, 4 });

		assert_true(length <= UTF8_MAX);
		of_length[length]++;
	}
	assert_int_equal(of_length[1], 6 * 0x80 * 256);
	assert_int_equal(of_length[2], 6 * (0x800 - 0x80));
	assert_int_equal(of_length[3], 2 * (0x10000 - 0x800 - 0x800) / 64);
	assert_int_equal(of_length[4], 2 * (0x110000 - 0x10000) / 4096);
}

TEST(cut_characters_are_invalid)
{
	static const struct str WHOLE[] = { STR("\xc3\xa9"),
					    STR("\xe2\x82\xac"),
					    STR("\xf0\x9f\x98\x80") };

	assert_int_equal(utf8_length(STR("")), 0);
	for (size_t i = 0; i < sizeof(WHOLE) / sizeof(WHOLE[0]); i++) {
		for (size_t len = 1; len < WHOLE[i].len; len++) {
			char bytes[UTF8_MAX] = { 0 };

			memcpy(bytes, WHOLE[i].ptr, len);
			assert_int_equal(utf8_length(
						 (struct str){ bytes, len }),
					 0);
			/* nor does another byte complete them */
			bytes[len] = 'a';
			assert_int_equal(utf8_length((struct str){ bytes, 4 }),
					 0);
			bytes[len] = (char)0xc3;
			assert_int_equal(utf8_length((struct str){ bytes, 4 }),
					 0);
		}
	}
}
