/* When to try again, and how long to wait before. */
#include "gcp/retry.h"

#include "test.h"

static struct status st;
static unsigned notified;
static unsigned last_attempt;
static int64_t last_wait;
static const char *last_why;

static void
on_retry(void *context, const struct status *failure, unsigned attempt,
	 int64_t wait_ms)
{
	(void)context;
	assert_int_not_equal(failure->code, CODE_OK);
	notified++;
	last_attempt = attempt;
	last_wait = wait_ms;
}

static void
on_end(void *context, const struct status *failure, unsigned attempt,
       const char *why)
{
	(void)context;
	(void)attempt;
	assert_int_not_equal(failure->code, CODE_OK);
	last_why = why;
}

static const struct retry_listener LISTENER = { .notify = on_retry,
						.give_up = on_end };

static void
fail_with(enum code code)
{
	status_clear(&st);
	(void)status_set(&st, code, "failure");
}

/* The policy with its waits cut down, so that the test does not wait. */
static struct retry
quick(void)
{
	struct retry retry = retry_calls(&LISTENER, deadline_in(60000));

	retry.wait_ms = 10;
	retry.wait_max_ms = 40;
	notified = 0;
	return retry;
}

TEST(services_get_three_retries)
{
	struct retry retry = quick();

	for (unsigned i = 1; i <= 3; i++) {
		fail_with(CODE_UNAVAILABLE);
		assert_true(retry_again(&retry, &st));
		assert_int_equal(st.code, CODE_OK);
		assert_int_equal(last_attempt, i);
	}
	fail_with(CODE_UNAVAILABLE);
	assert_false(retry_again(&retry, &st));
	assert_int_equal(st.code, CODE_UNAVAILABLE);
	assert_int_equal(notified, 3);
	assert_string_equal(last_why, "no tries are left");
}

TEST(not_found_passes_where_it_was_just_created)
{
	struct retry retry = quick();

	fail_with(CODE_NOT_FOUND);
	assert_false(retry_again(&retry, &st));
	assert_int_equal(st.code, CODE_NOT_FOUND);
	retry.just_created = true;
	for (unsigned i = 1; i <= 3; i++) {
		fail_with(CODE_NOT_FOUND);
		assert_true(retry_again(&retry, &st));
		assert_int_equal(last_attempt, i);
	}
	fail_with(CODE_NOT_FOUND);
	assert_false(retry_again(&retry, &st));
	assert_int_equal(st.code, CODE_UNAVAILABLE);
}

TEST(some_try_only_once)
{
	struct retry retry = retry_never(deadline_in(60000));

	fail_with(CODE_UNAVAILABLE);
	assert_false(retry_again(&retry, &st));
	assert_int_equal(st.code, CODE_UNAVAILABLE);
}

TEST(the_policy_is_that_of_the_contract)
{
	struct retry calls = retry_calls(NULL, deadline_in(60000));
	struct retry startup = retry_startup(NULL, 30000, deadline_in(280000));

	assert_int_equal(calls.attempts_max, 4);
	assert_int_equal(calls.wait_ms, 1000);
	assert_int_equal(calls.wait_max_ms, 4000);
	assert_int_equal(calls.growth_percent, 200);
	assert_int_equal(startup.attempts_max, 0);
	assert_true(startup.wait_ms < 1000);
}

TEST(waits_double_with_20_percent_of_jitter)
{
	static const int64_t wanted[] = { 10, 20, 40 };
	bool differs = false;
	int64_t first = 0;

	for (unsigned round = 0; round < 20; round++) {
		struct retry retry = quick();

		for (size_t i = 0; i < 3; i++) {
			fail_with(CODE_INTERNAL);
			assert_true(retry_again(&retry, &st));
			assert_in_range(last_wait, wanted[i] * 8 / 10,
					wanted[i] * 12 / 10);
		}
		differs = differs || (first != 0 && last_wait != first);
		first = last_wait;
	}
	assert_true(differs);
}

TEST(what_cannot_pass_is_not_retried)
{
	static const enum code codes[] = {
		CODE_PERMISSION_DENIED,   CODE_INVALID_ARGUMENT,
		CODE_NOT_FOUND,           CODE_ALREADY_EXISTS,
		CODE_FAILED_PRECONDITION, CODE_CANCELLED,
		CODE_UNAUTHENTICATED,     CODE_DATA_LOSS,
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct retry retry = quick();

		fail_with(codes[i]);
		assert_false(retry_again(&retry, &st));
		assert_int_equal(st.code, codes[i]);
		assert_int_equal(notified, 0);
	}
}

TEST(the_server_may_ask_for_a_longer_wait)
{
	struct retry retry = quick();

	fail_with(CODE_RESOURCE_EXHAUSTED);
	st.retry_after_ms = 60;
	assert_true(retry_again(&retry, &st));
	assert_int_equal(last_wait, 60);
	/* but never one beyond the deadline */
	retry = quick();
	fail_with(CODE_RESOURCE_EXHAUSTED);
	st.retry_after_ms = 61000;
	assert_false(retry_again(&retry, &st));
	assert_int_equal(notified, 0);
}

/* The policy at startup, quick, with a grace of 300 ms. */
static struct retry
quick_startup(struct deadline until)
{
	struct retry retry = retry_startup(&LISTENER, 300, until);

	notified = 0;
	return retry;
}

TEST(startup_tries_as_often_as_fits)
{
	struct retry retry = quick_startup(deadline_in(60000));
	unsigned tries = 0;

	retry.wait_ms = 5;
	retry.wait_max_ms = 20;
	do {
		tries++;
		fail_with(CODE_UNAVAILABLE);
	} while (retry_again(&retry, &st));
	assert_true(tries > 5);
	assert_int_equal(notified, tries - 1);
	assert_int_equal(deadline_left(retry.grace_until), 0);
}

/* Waits are cut, so that the last try is at the end of the grace. */
TEST(startup_tries_once_more_at_the_end)
{
	struct retry retry = quick_startup(deadline_in(60000));

	retry.wait_ms = 4000;
	fail_with(CODE_UNAVAILABLE);
	assert_true(retry_again(&retry, &st));
	assert_in_range(last_wait, 1, 300);
	fail_with(CODE_UNAVAILABLE);
	assert_false(retry_again(&retry, &st));
	assert_int_equal(notified, 1);
}

TEST(startup_waits_as_long_as_the_server_asks)
{
	struct retry retry = quick_startup(deadline_in(60000));

	fail_with(CODE_UNAVAILABLE);
	st.retry_after_ms = 310;
	assert_true(retry_again(&retry, &st));
	assert_int_equal(last_wait, 310);
	fail_with(CODE_UNAVAILABLE);
	assert_false(retry_again(&retry, &st));
	/* A wait beyond the deadline is no reason to give up. */
	retry = quick_startup(deadline_in(60000));
	fail_with(CODE_UNAVAILABLE);
	st.retry_after_ms = 61000;
	assert_true(retry_again(&retry, &st));
	assert_in_range(last_wait, 1, 300);
}

/* The deadline is near: the last try has a second of its own. */
TEST(startup_ends_before_the_deadline)
{
	struct retry retry = quick_startup(deadline_in(1050));

	retry.wait_ms = 4000;
	fail_with(CODE_UNAVAILABLE);
	assert_true(retry_again(&retry, &st));
	assert_in_range(last_wait, 1, 50);
	fail_with(CODE_UNAVAILABLE);
	assert_false(retry_again(&retry, &st));
}

static void
refuse(void)
{
	fail_with(CODE_PERMISSION_DENIED);
	st.not_granted = true;
}

TEST(a_role_is_waited_for_until_its_time)
{
	const struct retry_listener patient = {
		.notify = on_retry,
		.give_up = on_end,
		.grant_until = deadline_in(60),
	};
	struct retry retry = retry_calls(&patient, deadline_in(60000));

	notified = 0;
	refuse();
	assert_true(retry_again(&retry, &st));
	assert_in_range(last_wait, 1, 60);
	assert_int_equal(last_attempt, 1);
	refuse();
	assert_false(retry_again(&retry, &st));
	assert_int_equal(st.code, CODE_PERMISSION_DENIED);
	assert_string_equal(last_why, "it would fail again");
	assert_int_equal(notified, 1);
	/* That was none of the tries that other failures have. */
	assert_int_equal(retry.attempt, 0);
}

TEST(a_role_is_not_waited_for_unasked)
{
	struct retry retry = retry_calls(&LISTENER, deadline_in(60000));

	notified = 0;
	refuse();
	assert_false(retry_again(&retry, &st));
	retry = retry_calls(NULL, deadline_in(60000));
	refuse();
	assert_false(retry_again(&retry, &st));
	assert_int_equal(notified, 0);
}
