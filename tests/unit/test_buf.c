/* Views and buffers with a ceiling. */
#include "base/buf.h"

#include "test.h"

static void
assert_str(struct str s, const char *expected)
{
	assert_int_equal(s.len, strlen(expected));
	assert_memory_equal(s.ptr, expected, s.len);
}

TEST(a_view_of_null_is_empty)
{
	assert_str(str_from(NULL), "");
	assert_non_null(str_from(NULL).ptr);
	assert_str(str_from("abc"), "abc");
	assert_int_equal(STR("a\0b").len, 3);
}

TEST(equality)
{
	static const struct {
		struct str a, b;
		bool equal, nocase;
	} ROWS[] = {
		{ STR(""), STR(""), true, true },
		{ { NULL, 0 }, STR(""), true, true },
		{ STR("a"), STR(""), false, false },
		{ STR("abc"), STR("abc"), true, true },
		{ STR("abc"), STR("abd"), false, false },
		{ STR("abc"), STR("ab"), false, false },
		{ STR("a\0b"), STR("a\0c"), false, false },
		{ STR("aZ-9"), STR("Az-9"), false, true },
		{ STR("@"), STR("`"), false, false },
		{ STR("["), STR("{"), false, false },
		{ STR("\xc4"), STR("\xe4"), false, false },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		assert_int_equal(str_eq(ROWS[i].a, ROWS[i].b), ROWS[i].equal);
		assert_int_equal(str_eq(ROWS[i].b, ROWS[i].a), ROWS[i].equal);
		assert_int_equal(str_eq_nocase(ROWS[i].a, ROWS[i].b),
				 ROWS[i].nocase);
		assert_int_equal(str_eq_nocase(ROWS[i].b, ROWS[i].a),
				 ROWS[i].nocase);
	}
}

TEST(starts_and_ends)
{
	static const struct {
		struct str s, part;
		bool starts, ends;
	} ROWS[] = {
		{ STR(""), STR(""), true, true },
		{ STR("abc"), STR(""), true, true },
		{ STR("abc"), STR("ab"), true, false },
		{ STR("abc"), STR("bc"), false, true },
		{ STR("abc"), STR("abc"), true, true },
		{ STR("abc"), STR("abcd"), false, false },
		{ STR("aba"), STR("a"), true, true },
		{ STR(""), STR("a"), false, false },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		assert_int_equal(str_starts(ROWS[i].s, ROWS[i].part),
				 ROWS[i].starts);
		assert_int_equal(str_ends(ROWS[i].s, ROWS[i].part),
				 ROWS[i].ends);
	}
}

TEST(only_what_is_in_the_set)
{
	static const struct {
		struct str s;
		const char *set;
		bool good;
	} ROWS[] = {
		{ STR(""), "a-z", false },
		{ { NULL, 0 }, "a-z", false },
		{ STR("a"), "", false },
		{ STR("az"), "a-z", true },
		{ STR("`"), "a-z", false },
		{ STR("{"), "a-z", false },
		{ STR("aZ"), "a-z", false },
		{ STR("a-0_z.9"), "a-z0-9._-", true },
		{ STR("a/b"), "a-z0-9._-", false },
		/* a hyphen at either end is one */
		{ STR("-"), "ac-", true },
		{ STR("b"), "ac-", false },
		{ STR("-"), "-ac", true },
		{ STR("b"), "-ac", false },
		{ STR("-"), "a-z", false },
		{ STR("-"), "-", true },
		{ STR("a\0a"), "a-z", false },
		{ STR("\0"), "", false },
		{ STR("\xe4"), "a-z", false },
		{ STR("\xe4"), "\x80-\xff", true },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		if (str_only(ROWS[i].s, ROWS[i].set) != ROWS[i].good)
			fail_msg("row %zu", i);
}

TEST(below_a_domain)
{
	static const struct {
		const char *host, *domain;
		bool below;
	} ROWS[] = {
		{ "a.example.com", "example.com", true },
		{ "b.a.example.com", "example.com", true },
		{ "A.Example.COM", "eXample.com", true },
		{ "example.com", "example.com", false },
		{ "evilexample.com", "example.com", false },
		{ "a.example.com.evil", "example.com", false },
		{ ".example.com", "example.com", false },
		{ "com", "example.com", false },
		{ "a.", "", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		if (str_below(str_from(ROWS[i].host),
			      str_from(ROWS[i].domain)) != ROWS[i].below)
			fail_msg("row %zu", i);
}

TEST(trim_cuts_ascii_space_at_both_ends)
{
	assert_str(str_trim(STR("")), "");
	assert_str(str_trim(STR(" \t\n\v\f\r")), "");
	assert_str(str_trim(STR("a")), "a");
	assert_str(str_trim(STR(" \r\na b\t\n ")), "a b");
	assert_str(str_trim(STR("\xc2\xa0"
				"a")),
		   "\xc2\xa0"
		   "a");
	assert_int_equal(str_trim(STR(" \0 ")).len, 1);
	assert_int_equal(str_trim(STR("\x08 \x0e")).len, 3);
	assert_str(str_trim_start(STR("")), "");
	assert_str(str_trim_start(STR(" \t\n")), "");
	assert_str(str_trim_start(STR(" \r\na b\t\n ")), "a b\t\n ");
}

TEST(skip_stops_at_the_end)
{
	assert_str(str_skip(STR("abc"), 0), "abc");
	assert_str(str_skip(STR("abc"), 2), "c");
	assert_str(str_skip(STR("abc"), 3), "");
	assert_str(str_skip(STR("abc"), 4), "");
	assert_str(str_skip(STR("abc"), SIZE_MAX), "");
	assert_str(str_skip((struct str){ NULL, 0 }, 0), "");
}

TEST(find_gives_the_first_or_the_length)
{
	assert_int_equal(str_find(STR("a:b:c"), ':'), 1);
	assert_int_equal(str_find(STR("abc"), ':'), 3);
	assert_int_equal(str_find(STR(""), ':'), 0);
	assert_int_equal(str_find(STR("ab\0"), '\0'), 2);
}

TEST(split_gives_every_part)
{
	static const struct {
		const char *text;
		const char *parts; /* each ended by | */
	} ROWS[] = {
		{ "a,b,c", "a|b|c|" }, { "a", "a|" },   { "", "|" },
		{ ",", "||" },         { "a,", "a||" }, { ",a", "|a|" },
		{ "a,,b", "a||b|" },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		struct str rest = str_from(ROWS[i].text), part;
		char memory[16];
		struct buf out;

		buf_init(&out, memory, sizeof(memory));
		while (str_split(&rest, ',', &part)) {
			buf_put_str(&out, part);
			buf_put_char(&out, '|');
		}
		assert_str(buf_view(&out), ROWS[i].parts);
		assert_null(rest.ptr);
		assert_false(str_split(&rest, ',', &part));
	}
}

TEST(copy_needs_room_for_the_nul)
{
	char out[4] = "xyz";

	assert_true(str_copy(STR("abc"), out, sizeof(out)));
	assert_string_equal(out, "abc");
	assert_true(str_copy(STR("a"), out, 2));
	assert_string_equal(out, "a");
	assert_false(str_copy(STR("abcd"), out, sizeof(out)));
	assert_string_equal(out, "");
	out[0] = 'x';
	assert_false(str_copy(STR("a\0b"), out, sizeof(out)));
	assert_string_equal(out, "");
	out[0] = 'x';
	assert_true(str_copy((struct str){ NULL, 0 }, out, sizeof(out)));
	assert_string_equal(out, "");
	out[0] = 'x';
	assert_true(str_copy(STR(""), out, 1));
	assert_false(str_copy(STR("a"), out, 1));
	out[0] = 'x';
	assert_false(str_copy(STR(""), out, 0));
	assert_int_equal(out[0], 'x');
}

TEST(a_buffer_fills_to_its_last_byte)
{
	char memory[6] = "######";
	struct buf b;

	buf_init(&b, memory, 5);
	assert_int_equal(buf_room(&b), 5);
	buf_put(&b, "ab", 2);
	buf_put_cstr(&b, "c");
	buf_put_str(&b, STR("d"));
	buf_put_char(&b, 'e');
	assert_false(b.overflow);
	assert_str(buf_view(&b), "abcde");
	assert_int_equal(buf_room(&b), 0);
	buf_put(&b, "", 0);
	buf_put(&b, NULL, 0);
	buf_put_cstr(&b, NULL);
	assert_false(b.overflow);
	buf_put_char(&b, 'f');
	assert_true(b.overflow);
	assert_str(buf_view(&b), "abcde");
	assert_int_equal(memory[5], '#');
}

TEST(what_does_not_fit_is_refused_whole)
{
	char memory[4];
	struct buf b;

	buf_init(&b, memory, sizeof(memory));
	buf_put_cstr(&b, "ab");
	buf_put_cstr(&b, "cde");
	assert_true(b.overflow);
	assert_str(buf_view(&b), "ab");
	/* overflow sticks: no hole in the middle of a message */
	buf_put_char(&b, 'c');
	assert_str(buf_view(&b), "ab");
	buf_put(&b, NULL, 0);
	assert_true(b.overflow);
	buf_reset(&b);
	assert_false(b.overflow);
	buf_put_cstr(&b, "abcd");
	assert_str(buf_view(&b), "abcd");
}

TEST(a_length_near_the_maximum_does_not_wrap)
{
	char memory[4];
	struct buf b;

	buf_init(&b, memory, sizeof(memory));
	buf_put_char(&b, 'a');
	buf_put(&b, "b", SIZE_MAX);
	assert_true(b.overflow);
	assert_int_equal(b.len, 1);
}

TEST(numbers_in_decimal)
{
	static const struct {
		uint64_t value;
		const char *text;
	} ROWS[] = {
		{ 0, "0" },
		{ 9, "9" },
		{ 10, "10" },
		{ 1234567890, "1234567890" },
		{ UINT64_MAX, "18446744073709551615" },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
		char memory[20];
		struct buf b;

		buf_init(&b, memory, sizeof(memory));
		buf_put_uint(&b, ROWS[i].value);
		assert_str(buf_view(&b), ROWS[i].text);
		buf_init(&b, memory, strlen(ROWS[i].text) - 1);
		buf_put_uint(&b, ROWS[i].value);
		assert_true(b.overflow);
		assert_int_equal(b.len, 0);
	}
}

TEST(reset_wipes_what_was_written)
{
	static const char GONE[4] = { 0 };
	char memory[8] = "........";
	struct buf b;

	buf_init(&b, memory, sizeof(memory));
	buf_put_cstr(&b, "abcd");
	buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_memory_equal(memory, GONE, 4);
	assert_memory_equal(memory + 4, "....", 4);
}

TEST(wipe_reaches_the_whole_memory)
{
	static const char GONE[8] = { 0 };
	char memory[9] = "secrets!#";
	struct buf b;

	buf_init(&b, memory, 8);
	buf_put_cstr(&b, "ab");
	buf_put_cstr(&b, "too long to fit");
	buf_wipe(&b);
	assert_memory_equal(memory, GONE, 8);
	assert_int_equal(memory[8], '#');
	assert_int_equal(b.len, 0);
	assert_false(b.overflow);
	wipe(NULL, 0);
	wipe(memory + 8, 0);
	assert_int_equal(memory[8], '#');
	wipe(memory + 8, 1);
	assert_int_equal(memory[8], 0);
}

/* Large memory is wiped page by page, where there is something to wipe. */
TEST(wipe_finds_each_byte_of_large_memory)
{
	static char memory[7 * 4096], expected[sizeof(memory)];
	const size_t starts[] = { 0, 1, 8, 4095, 4096, 5000 };

	for (size_t i = 0; i < COUNT(starts); i++) {
		size_t end = sizeof(memory) - starts[i] / 3;
		size_t size = end - starts[i];

		memset(memory, 's', sizeof(memory));
		memset(expected, 's', sizeof(memory));
		memset(expected + starts[i], 0, size);
		wipe(memory + starts[i], size);
		assert_memory_equal(memory, expected, sizeof(memory));
		for (size_t at = starts[i]; at < end; at += 509) {
			memory[at] = 1;
			wipe(memory + starts[i], size);
			assert_int_equal(memory[at], 0);
		}
		memory[end - 1] = 1;
		wipe(memory + starts[i], size);
		assert_memory_equal(memory, expected, sizeof(memory));
	}
}

TEST(bytes_equal_sees_each_byte)
{
	unsigned char a[16], b[16];

	memset(a, 0x5a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(bytes_equal(a, b, sizeof(a)));
	assert_true(bytes_equal(NULL, NULL, 0));
	for (size_t i = 0; i < sizeof(a); i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			b[i] ^= (unsigned char)(1u << bit);
			assert_false(bytes_equal(a, b, sizeof(a)));
			assert_true(bytes_equal(a, b, i));
			b[i] ^= (unsigned char)(1u << bit);
		}
	}
	/* differences do not cancel out */
	b[0] ^= 1;
	b[1] ^= 1;
	assert_false(bytes_equal(a, b, sizeof(a)));
}

TEST(padding_fills_up_and_never_cuts)
{
	char memory[16];
	struct buf b;

	buf_init(&b, memory, sizeof(memory));
	buf_put_padded(&b, "ab", 4);
	buf_put_padded(&b, "cdef", 3);
	assert_true(str_eq(buf_view(&b), STR("ab  cdef")));
	buf_put_padded(&b, "x", 100);
	assert_true(b.overflow);
}
