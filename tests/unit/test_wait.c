/* Waiting, and the signals that end it. */
#include "sys/wait.h"

#include <signal.h>
#include <unistd.h>

#include "test.h"

static struct status st;

static int
clear(void **state)
{
	(void)state;
	status_clear(&st);
	wait_init();
	return 0;
}

TEST_AFTER(clear, time_that_has_passed_is_no_wait)
{
	assert_int_equal(wait_until(deadline_in(0), &st), CODE_OK);
	assert_int_equal(wait_until(deadline_in(20), &st), CODE_OK);
	assert_int_equal(wait_signal(), 0);
}

TEST_AFTER(clear, a_ready_descriptor_ends_the_wait)
{
	struct pollfd fd = { .events = POLLIN };
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	fd.fd = ends[0];
	assert_int_equal(wait_ready(&fd, 1, deadline_in(60000), &st), CODE_OK);
	assert_true((fd.revents & POLLIN) != 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* A peer that never pauses must not hide it. From here on a signal has come. */
TEST_AFTER(clear, a_signal_counts_more_than_what_is_ready)
{
	struct pollfd fd = { .events = POLLIN };
	int ends[2];

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
TEST_AFTER(clear, a_signal_ends_every_later_wait)
{
	assert_int_equal(wait_signal(), SIGTERM);
	assert_int_equal(wait_until(deadline_in(60000), &st), CODE_CANCELLED);
	assert_string_equal(st.message, "stopped by SIGTERM");
	status_clear(&st);
	assert_int_equal(wait_ready(NULL, 0, deadline_in(60000), &st),
			 CODE_CANCELLED);
}

/* For a process that goes on with what it has in hand. */
TEST(a_signal_that_is_taken_ends_one_wait)
{
	status_clear(&st);
	assert_int_equal(wait_take_signal(), SIGTERM);
	assert_int_equal(wait_take_signal(), 0);
	assert_int_equal(wait_ready(NULL, 0, deadline_in(0), &st), CODE_OK);
	(void)raise(SIGINT);
	assert_int_equal(wait_ready(NULL, 0, deadline_in(60000), &st),
			 CODE_CANCELLED);
	assert_int_equal(wait_take_signal(), SIGINT);
}

/* Others may send it to all processes of a run. */
TEST(only_one_process_may_stop_it)
{
	status_clear(&st);
	wait_only_for(getpid() + 1);
	(void)raise(SIGTERM);
	assert_int_equal(wait_ready(NULL, 0, deadline_in(0), &st), CODE_OK);
	assert_int_equal(wait_signal(), 0);
	wait_only_for(getpid());
	(void)raise(SIGTERM);
	assert_int_equal(wait_ready(NULL, 0, deadline_in(0), &st),
			 CODE_CANCELLED);
}
