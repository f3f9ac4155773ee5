#include "sys/entropy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#include <cmocka.h>

/* What the kernel's stand-in does, call by call: so many bytes, or an error. */
static struct {
	ssize_t bytes;
	int error;
} script[8];
static size_t calls;
static unsigned char next_byte;

ssize_t
getrandom(void *out, size_t len, unsigned flags)
{
	ssize_t bytes = script[calls].bytes;
	unsigned char *at = out;

	assert_int_equal(flags, 0);
	assert_true(calls < sizeof(script) / sizeof(script[0]));
	errno = script[calls++].error;
	if (bytes > (ssize_t)len)
		bytes = (ssize_t)len;
	for (ssize_t i = 0; i < bytes; i++)
		at[i] = ++next_byte;
	return bytes;
}

static int
start(void **state)
{
	(void)state;
	memset(script, 0, sizeof(script));
	calls = 0;
	next_byte = 0;
	return 0;
}

static void
all_bytes_are_asked_for(void **state)
{
	unsigned char out[5] = { 0 };

	(void)state;
	script[0].bytes = 64;
	assert_true(entropy_fill(out, 4));
	assert_int_equal(calls, 1);
	assert_memory_equal(out, "\1\2\3\4\0", 5);
}

static void
an_interrupted_call_is_made_again(void **state)
{
	unsigned char out[3] = { 0 };

	(void)state;
	script[0].bytes = script[1].bytes = -1;
	script[0].error = script[1].error = EINTR;
	script[2].bytes = 64;
	assert_true(entropy_fill(out, sizeof(out)));
	assert_int_equal(calls, 3);
	assert_memory_equal(out, "\1\2\3", 3);
}

static void
what_came_short_is_filled_up(void **state)
{
	unsigned char out[6] = { 0 };

	(void)state;
	script[0].bytes = 2;
	script[1].bytes = -1;
	script[1].error = EINTR;
	script[2].bytes = 1;
	script[3].bytes = 64;
	assert_true(entropy_fill(out, sizeof(out)));
	assert_int_equal(calls, 4);
	assert_memory_equal(out, "\1\2\3\4\5\6", 6);
}

static void
no_other_error_is_tried_again(void **state)
{
	static const int errors[] = { ENOSYS, EFAULT, EAGAIN, EINVAL, EPERM };
	unsigned char out[4];

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		(void)start(state);
		script[0].bytes = 2;
		script[1].bytes = -1;
		script[1].error = errors[i];
		assert_false(entropy_fill(out, sizeof(out)));
		assert_int_equal(calls, 2);
	}
}

static void
a_kernel_that_gives_nothing_ends_it(void **state)
{
	unsigned char out[4];

	(void)state;
	script[0].error = EINTR;
	assert_false(entropy_fill(out, sizeof(out)));
	assert_int_equal(calls, 1);
}

static void
nothing_is_asked_for_nothing(void **state)
{
	unsigned char out[1];

	(void)state;
	assert_true(entropy_fill(out, 0));
	assert_int_equal(calls, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_bytes_are_asked_for, start),
		cmocka_unit_test_setup(an_interrupted_call_is_made_again,
				       start),
		cmocka_unit_test_setup(what_came_short_is_filled_up, start),
		cmocka_unit_test_setup(no_other_error_is_tried_again, start),
		cmocka_unit_test_setup(a_kernel_that_gives_nothing_ends_it,
				       start),
		cmocka_unit_test_setup(nothing_is_asked_for_nothing, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
