#include "sys/entropy.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#include "test.h"

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

TEST_AFTER(start, all_bytes_are_asked_for)
{
	unsigned char out[5] = { 0 };

	script[0].bytes = 64;
	assert_true(entropy_fill(out, 4));
	assert_int_equal(calls, 1);
	assert_memory_equal(out, "\1\2\3\4\0", 5);
}

TEST_AFTER(start, an_interrupted_call_is_made_again)
{
	unsigned char out[3] = { 0 };

	script[0].bytes = script[1].bytes = -1;
	script[0].error = script[1].error = EINTR;
	script[2].bytes = 64;
	assert_true(entropy_fill(out, sizeof(out)));
	assert_int_equal(calls, 3);
	assert_memory_equal(out, "\1\2\3", 3);
}

TEST_AFTER(start, what_came_short_is_filled_up)
{
	unsigned char out[6] = { 0 };

	script[0].bytes = 2;
	script[1].bytes = -1;
	script[1].error = EINTR;
	script[2].bytes = 1;
	script[3].bytes = 64;
	assert_true(entropy_fill(out, sizeof(out)));
	assert_int_equal(calls, 4);
	assert_memory_equal(out, "\1\2\3\4\5\6", 6);
}

TEST_AFTER(start, no_other_error_is_tried_again)
{
	static const int errors[] = { ENOSYS, EFAULT, EAGAIN, EINVAL, EPERM };
	unsigned char out[4];

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		(void)start(NULL);
		script[0].bytes = 2;
		script[1].bytes = -1;
		script[1].error = errors[i];
		assert_false(entropy_fill(out, sizeof(out)));
		assert_int_equal(calls, 2);
	}
}

TEST_AFTER(start, a_kernel_that_gives_nothing_ends_it)
{
	unsigned char out[4];

	script[0].error = EINTR;
	assert_false(entropy_fill(out, sizeof(out)));
	assert_int_equal(calls, 1);
}

TEST_AFTER(start, nothing_is_asked_for_nothing)
{
	unsigned char out[1];

	assert_true(entropy_fill(out, 0));
	assert_int_equal(calls, 0);
}
