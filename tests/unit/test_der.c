/* Elements of DER, by the rules of X.690 and RFC 5280. */
#include "net/der.h"

#include "test.h"

/* Sections 8.1.2, 8.1.3 and 10.1: tags and lengths. */
TEST(elements_are_read_or_refused)
{
	static const struct {
		struct str in;
		bool good;
		unsigned tag;
		size_t length;
	} rows[] = {
		{ { "\x02\x01\x05", 3 }, true, 0x02, 1 },
		{ { "\x05\x00", 2 }, true, 0x05, 0 },
		{ { "\x30\x03\x02\x01\x05", 5 }, true, 0x30, 3 },
		{ { "\xa0\x02\x05\x00", 4 }, true, 0xa0, 2 },
		{ { "\x1e\x00", 2 }, true, 0x1e, 0 },
		/* no room for a header */
		{ { "", 0 }, false, 0, 0 },
		{ { "\x02", 1 }, false, 0, 0 },
		/* content that is not there */
		{ { "\x02\x01", 2 }, false, 0, 0 },
		{ { "\x02\x7f\x05", 3 }, false, 0, 0 },
		{ { "\x02\x82\x01\x00\x05", 5 }, false, 0, 0 },
		{ { "\x02\x83\xff\xff\xff", 5 }, false, 0, 0 },
		/* tags of more than one byte */
		{ { "\x1f\x01\x00", 3 }, false, 0, 0 },
		{ { "\xff\x01\x00", 3 }, false, 0, 0 },
		/* indefinite length */
		{ { "\x30\x80\x00\x00", 4 }, false, 0, 0 },
		/* a length in more bytes than it needs */
		{ { "\x02\x81\x01\x05", 4 }, false, 0, 0 },
		{ { "\x02\x81\x7f", 3 }, false, 0, 0 },
		{ { "\x02\x82\x00\x80", 4 }, false, 0, 0 },
		{ { "\x02\x83\x00\x01\x00", 5 }, false, 0, 0 },
		/* a length that lacks its own bytes, or has too many */
		{ { "\x02\x81", 2 }, false, 0, 0 },
		{ { "\x02\x82\x01", 3 }, false, 0, 0 },
		{ { "\x02\x84\x01\x00\x00\x00", 6 }, false, 0, 0 },
		{ { "\x02\xff", 2 }, false, 0, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str rest = rows[i].in;
		struct der element;

		if (der_next(&rest, &element) != rows[i].good)
			fail_msg("row %zu", i);
		if (!rows[i].good) {
			assert_int_equal(rest.len, rows[i].in.len);
			continue;
		}
		assert_int_equal(element.tag, rows[i].tag);
		assert_int_equal(element.content.len, rows[i].length);
		assert_int_equal(element.whole.len, rows[i].in.len);
		assert_ptr_equal(element.whole.ptr, rows[i].in.ptr);
		assert_int_equal(rest.len, 0);
	}
}

/* `length` bytes of content behind the shortest header. */
static void
assert_long_element(size_t length, size_t header)
{
	size_t size = header + length;
	unsigned char *bytes = calloc(size + 1, 1);
	struct str rest = { (const char *)bytes, size + 1 };
	struct der element;

	assert_non_null(bytes);
	bytes[0] = 0x04;
	bytes[1] = (unsigned char)(header == 2 ? length : 0x80 | (header - 2));
	for (size_t i = 2; i < header; i++)
		bytes[i] = (unsigned char)(length >> (8 * (header - 1 - i)));
	assert_true(der_next(&rest, &element));
	assert_int_equal(element.content.len, length);
	assert_int_equal(rest.len, 1);
	rest = (struct str){ (const char *)bytes, size - 1 };
	assert_false(der_next(&rest, &element));
	free(bytes);
}

TEST(lengths_are_counted_in_one_to_three_bytes)
{
	assert_long_element(0x7f, 2);
	assert_long_element(0x80, 3);
	assert_long_element(0xff, 3);
	assert_long_element(0x100, 4);
	assert_long_element(0xffff, 4);
	assert_long_element(0x10000, 5);
}

TEST(another_tag_leaves_the_rest_alone)
{
	struct str rest = STR("\x02\x01\x05\x05\x00");
	struct der element;

	assert_false(der_expect(&rest, DER_SEQUENCE, &element));
	assert_int_equal(rest.len, 5);
	assert_true(der_expect(&rest, DER_INTEGER, &element));
	assert_int_equal(rest.len, 2);
	assert_false(der_expect(&rest, DER_INTEGER, &element));
	assert_int_equal(rest.len, 2);
}

/* Section 8.3. */
TEST(numbers_are_positive_and_minimal)
{
	static const struct {
		struct str content;
		bool good;
		struct str number;
	} rows[] = {
		{ { "\x00", 1 }, true, { "\x00", 1 } },
		{ { "\x01", 1 }, true, { "\x01", 1 } },
		{ { "\x7f", 1 }, true, { "\x7f", 1 } },
		{ { "\x00\x80", 2 }, true, { "\x80", 1 } },
		{ { "\x01\x00\x01", 3 }, true, { "\x01\x00\x01", 3 } },
		{ { "", 0 }, false, { "", 0 } },
		{ { "\x80", 1 }, false, { "", 0 } },
		{ { "\xff\xff", 2 }, false, { "", 0 } },
		{ { "\x00\x7f", 2 }, false, { "", 0 } },
		{ { "\x00\x00", 2 }, false, { "", 0 } },
		{ { "\x00\x00\x80", 3 }, false, { "", 0 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str number = STR("");

		if (der_unsigned(rows[i].content, &number) != rows[i].good)
			fail_msg("row %zu", i);
		assert_true(str_eq(number, rows[i].number));
	}
}

/* RFC 5280 section 4.1.2.5. */
TEST(times_are_read_in_the_two_forms_of_certificates)
{
	static const struct {
		unsigned tag;
		const char *text;
		bool good;
		int64_t seconds;
	} rows[] = {
		{ DER_UTC_TIME, "700101000000Z", true, 0 },
		{ DER_UTC_TIME, "500101000000Z", true, -631152000 },
		{ DER_UTC_TIME, "491231235959Z", true, 2524607999 },
		{ DER_UTC_TIME, "261124035040Z", true, 1795492240 },
		{ DER_UTC_TIME, "000229120000Z", true, 951825600 },
		{ DER_GENERALIZED_TIME, "20500101000000Z", true, 2524608000 },
		{ DER_GENERALIZED_TIME, "19700101000000Z", true, 0 },
		{ DER_GENERALIZED_TIME, "99991231235959Z", true, 253402300799 },
		{ DER_GENERALIZED_TIME, "00000101000000Z", true, -62167219200 },
		{ DER_UTC_TIME, "7001010000Z", false, 0 },
		{ DER_UTC_TIME, "700101000000", false, 0 },
		{ DER_UTC_TIME, "7001010000000", false, 0 },
		{ DER_UTC_TIME, "700101000000z", false, 0 },
		{ DER_UTC_TIME, "700101000000+0000", false, 0 },
		{ DER_UTC_TIME, "19700101000000Z", false, 0 },
		{ DER_UTC_TIME, "700001000000Z", false, 0 },
		{ DER_UTC_TIME, "701301000000Z", false, 0 },
		{ DER_UTC_TIME, "700100000000Z", false, 0 },
		{ DER_UTC_TIME, "700132000000Z", false, 0 },
		{ DER_UTC_TIME, "700101240000Z", false, 0 },
		{ DER_UTC_TIME, "700101006000Z", false, 0 },
		{ DER_UTC_TIME, "700101000060Z", false, 0 },
		{ DER_UTC_TIME, "7001010000 0Z", false, 0 },
		{ DER_UTC_TIME, "/00101000000Z", false, 0 },
		{ DER_UTC_TIME, ":00101000000Z", false, 0 },
		{ DER_UTC_TIME, "", false, 0 },
		{ DER_GENERALIZED_TIME, "700101000000Z", false, 0 },
		{ DER_GENERALIZED_TIME, "1970010100000.Z", false, 0 },
		{ DER_GENERALIZED_TIME, "x9700101000000Z", false, 0 },
		{ DER_GENERALIZED_TIME, "19x00101000000Z", false, 0 },
		{ DER_INTEGER, "700101000000Z", false, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct der element = { .tag = rows[i].tag,
					     .content =
						     str_from(rows[i].text) };
		int64_t seconds = 0;

		if (der_time(&element, &seconds) != rows[i].good)
			fail_msg("%s", rows[i].text);
		assert_int_equal(seconds, rows[i].seconds);
	}
}
