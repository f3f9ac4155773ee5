/* Text by a format says what the C library's printf would. */
#include "base/format.h"

#include <limits.h>

#include "test.h"

/* Both write the same, whole and cut at every length. */
#define SAME(...) \
	do { \
		char ours[128], theirs[128]; \
		int len = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_true(format_text(ours, sizeof(ours), __VA_ARGS__)); \
		assert_string_equal(ours, theirs); \
		for (size_t size = 1; size <= (size_t)len; size++) { \
			assert_false(format_text(ours, size, __VA_ARGS__)); \
			assert_int_equal(strlen(ours), size - 1); \
			assert_memory_equal(ours, theirs, size - 1); \
		} \
	} while (0)

TEST(each_conversion_is_as_in_printf)
{
	SAME("plain");
	SAME("100 %% of %s", "text");
	SAME("%s%s|%s", "", "a", "b");
	SAME("%.*s, %.*s, %.*s", 3, "abcdef", 0, "x", -1, "whole");
	SAME("%d %d %d", 0, INT_MAX, INT_MIN);
	SAME("%lld %lld", LLONG_MAX, LLONG_MIN);
	SAME("%u %llu %zu", UINT_MAX, ULLONG_MAX, SIZE_MAX);
	SAME("%ld %lu %zd", LONG_MIN, ULONG_MAX, (ssize_t)-1);
	SAME("%04u-%02u-%02u", 7U, 12U, 123U);
}

TEST(a_string_with_a_limit_may_lack_its_nul)
{
	const char bytes[3] = { 'a', 'b', 'c' };
	char out[8];

	assert_true(format_text(out, sizeof(out), "%.*s", 3, bytes));
	assert_string_equal(out, "abc");
}

/* Its argument is of unknown size, so that those after it cannot be read. */
TEST(what_it_does_not_know_ends_the_text)
{
	char out[16];

	assert_true(format_text(out, sizeof(out), "a%xb%s", 1U, "c"));
	assert_string_equal(out, "a");
	assert_true(format_text(out, sizeof(out), "%5s", "c"));
	assert_string_equal(out, "");
}
