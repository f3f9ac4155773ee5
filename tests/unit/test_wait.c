/* Waiting, and the signals that end it. */
#include "sys/wait.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static struct status st;

static int
clear(void **state)
{
	(void)state;
	status_clear(&st);
	wait_init();
	return 0;
}

static void
time_that_has_passed_is_no_wait(void **state)
{
	(void)state;
	assert_int_equal(wait_until(deadline_in(0), &st), CODE_OK);
	assert_int_equal(wait_until(deadline_in(20), &st), CODE_OK);
	assert_int_equal(wait_signal(), 0);
}

static void
a_ready_descriptor_ends_the_wait(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	fd.fd = ends[0];
	assert_int_equal(wait_ready(&fd, 1, deadline_in(60000), &st), CODE_OK);
	assert_true((fd.revents & POLLIN) != 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* A peer that never pauses must not hide it. */
static void
a_signal_counts_more_than_what_is_ready(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	fd.fd = ends[0];
	(void)raise(SIGTERM);
	assert_int_equal(wait_signal(), 0);
	assert_int_equal(wait_ready(&fd, 1, deadline_in(60000), &st),
			 CODE_CANCELLED);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* Blocked until the program waits, then it counts, and for good. */
static void
a_signal_ends_every_later_wait(void **state)
{
	(void)state;
	assert_int_equal(wait_signal(), SIGTERM);
	assert_int_equal(wait_until(deadline_in(60000), &st), CODE_CANCELLED);
	assert_string_equal(st.message, "stopped by SIGTERM");
	status_clear(&st);
	assert_int_equal(wait_ready(NULL, 0, deadline_in(60000), &st),
			 CODE_CANCELLED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(time_that_has_passed_is_no_wait, clear),
		cmocka_unit_test_setup(a_ready_descriptor_ends_the_wait, clear),
		/* the last ones: a signal is never forgotten */
		cmocka_unit_test_setup(a_signal_counts_more_than_what_is_ready,
				       clear),
		cmocka_unit_test_setup(a_signal_ends_every_later_wait, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
