/* The pace of all workers together, against a clock that is made up. */
#include "job/pace.h"

#include "test.h"

#define MINUTE 60000
#define GRANTS_MAX 200000

static struct pace pace;
static int64_t now;
static int64_t granted_at[GRANTS_MAX];
static size_t granted_to[GRANTS_MAX];
static size_t grants;

static int
start(void **state)
{
	(void)state;
	now = 1000000;
	grants = 0;
	pace_init(&pace, pace_rate(0, 1));
	return 0;
}

/* All who may go now; the time until there may be another. */
static int64_t
grant_all(void)
{
	int64_t wait;
	size_t asker;

	while (pace_grant(&pace, now, &asker, &wait)) {
		assert_true(grants < GRANTS_MAX);
		granted_to[grants] = asker;
		granted_at[grants++] = now;
	}
	return wait;
}

/* `askers` that ask again as soon as they were let through. */
static void
run(int64_t until, size_t askers, const char *project)
{
	size_t from = grants;

	for (size_t i = 0; i < askers; i++)
		pace_ask(&pace, i, QUOTA_WRITE, project);
	while (now < until) {
		int64_t wait = grant_all();

		if (from == grants) {
			assert_true(wait >= 1);
			now += wait < until - now ? wait : until - now;
		}
		for (; from < grants; from++)
			pace_ask(&pace, granted_to[from], QUOTA_WRITE, project);
	}
}

static size_t
most_in_a_minute(void)
{
	size_t most = 0;

	for (size_t first = 0, last = 0; last < grants; last++) {
		while (granted_at[last] - granted_at[first] >= MINUTE)
			first++;
		if (last - first + 1 > most)
			most = last - first + 1;
	}
	return most;
}

static size_t
granted_between(int64_t from, int64_t to)
{
	size_t count = 0;

	for (size_t i = 0; i < grants; i++)
		count += granted_at[i] >= from && granted_at[i] < to;
	return count;
}

TEST_AFTER(start, no_minute_has_more_than_600)
{
	const int64_t began = now;

	run(now + 5 * MINUTE, 16, "p");
	assert_int_equal(granted_between(began, began + 1), 10);
	assert_in_range(most_in_a_minute(), 598, 600);
	/* and hardly less is let through than that */
	assert_in_range(grants, 5 * 590, 5 * 600);
}

TEST_AFTER(start, an_idle_hour_saves_up_a_second)
{
	run(now + MINUTE, 4, "p");
	pace_init(&pace, pace_rate(0, 1));
	now += 60 * MINUTE;
	grants = 0;
	run(now + 2 * MINUTE, 16, "p");
	assert_in_range(most_in_a_minute(), 598, 600);
}

TEST_AFTER(start, rates)
{
	assert_int_equal(pace_rate(0, 1), 10000);
	assert_int_equal(pace_rate(0, 8), 1250);
	assert_int_equal(pace_rate(0, 100000), 1);
	assert_int_equal(pace_rate(500, 8), 500);
	pace_init(&pace, 500);
	run(now + 4 * MINUTE, 3, "p");
	assert_in_range(most_in_a_minute(), 29, 31);
	pace_init(&pace, 1);
	grants = 0;
	run(now + 60 * MINUTE, 3, "p");
	assert_in_range(grants, 4, 5);
	pace_init(&pace, 100000000);
	grants = 0;
	run(now + 1, 16, "p");
	now += 49;
	grants = 0;
	run(now + 1, 16, "p");
	assert_in_range(grants, 4900, 5000);
}

TEST_AFTER(start, who_came_first_goes_first)
{
	size_t count[16] = { 0 };

	run(now + 2 * MINUTE, 16, "p");
	for (size_t i = 0; i < grants; i++) {
		count[granted_to[i]]++;
		assert_int_equal(granted_to[i], i % 16);
	}
	for (size_t i = 0; i < 16; i++)
		assert_in_range(count[i], grants / 16, grants / 16 + 1);
}

TEST_AFTER(start, projects_and_quotas_do_not_wait_for_each_other)
{
	run(now + 1000, 16, "slow");
	grants = 0;
	pace_ask(&pace, 16, QUOTA_READ, "slow");
	pace_ask(&pace, 17, QUOTA_WRITE, "other");
	(void)grant_all();
	assert_int_equal(granted_to[grants - 2], 16);
	assert_int_equal(granted_to[grants - 1], 17);
}

TEST_AFTER(start, who_has_gone_is_not_waited_for)
{
	run(now + 1000, 3, "p");
	grants = 0;
	pace_forget(&pace, granted_to[0] = 0);
	pace_forget(&pace, 1);
	pace_forget(&pace, 1);
	now += 10000;
	assert_true(grant_all() == INT64_MAX);
	assert_int_equal(grants, 1);
	assert_int_equal(granted_to[0], 2);
	/* one request each: a new worker's replaces that of a dead one */
	pace_ask(&pace, 5, QUOTA_WRITE, "p");
	pace_ask(&pace, 5, QUOTA_WRITE, "p");
	assert_true(grant_all() == INT64_MAX);
	assert_int_equal(grants, 2);
}

TEST_AFTER(start, a_429_waits_slows_and_recovers)
{
	int64_t slowed;

	run(now + 5000, 16, "p");
	slowed = now;
	pace_throttled(&pace, QUOTA_WRITE, "p", now, 7000);
	/* that of requests that were under way change nothing more */
	for (int i = 1; i < 16; i++) {
		now += 100;
		pace_throttled(&pace, QUOTA_WRITE, "p", now, 0);
	}
	grants = 0;
	run(slowed + 60000, 16, "p");
	assert_int_equal(granted_between(slowed, slowed + 7000), 0);
	/* half of it, and a 20th of the first rate more each second */
	assert_in_range(granted_between(slowed + 7000, slowed + 8000), 3, 5);
	assert_in_range(granted_between(slowed + 11000, slowed + 12000), 6, 7);
	assert_in_range(granted_between(slowed + 19000, slowed + 29000), 96,
			100);
}

TEST_AFTER(start, without_a_wait_it_is_empty_and_half_as_fast)
{
	run(now + 10, 1, "p");
	now += 10000;
	grants = 0;
	for (int i = 0; i < 5; i++)
		pace_throttled(&pace, QUOTA_ACCESS, "p", now += 10, 0);
	run(now + 1000, 16, "p");
	assert_in_range(grants, 3, 5);
}

TEST_AFTER(start, many_429_leave_a_60th)
{
	run(now + 10, 1, "p");
	for (int i = 0; i < 60; i++) {
		pace_throttled(&pace, QUOTA_WRITE, "p", now, 1000);
		now += 1000;
	}
	grants = 0;
	/* 1/6, then 4/6 and so on of a request a second */
	run(now + 2200, 1, "p");
	assert_int_equal(grants, 1);
	run(now + 900, 1, "p");
	assert_int_equal(grants, 2);
	run(now + 40000, 16, "p");
	grants = 0;
	run(now + MINUTE, 16, "p");
	assert_in_range(grants, 588, 600);
}

TEST_AFTER(start, no_wait_is_longer_than_an_hour)
{
	int64_t wait;
	size_t asker;

	pace_throttled(&pace, QUOTA_WRITE, "p", now, UINT64_MAX);
	pace_ask(&pace, 0, QUOTA_WRITE, "p");
	assert_false(pace_grant(&pace, now, &asker, &wait));
	assert_in_range(wait, 60 * MINUTE, 60 * MINUTE + 1000);
	now += 60 * MINUTE + 1000;
	assert_true(pace_grant(&pace, now, &asker, &wait));
}

TEST_AFTER(start, the_clock_may_jump)
{
	int64_t wait;
	size_t asker;

	run(now + 1000, 4, "p");
	now = INT64_MAX / 2;
	grants = 0;
	(void)grant_all();
	assert_int_equal(grants, 4);
	pace_throttled(&pace, QUOTA_WRITE, "p", now, 1000);
	now += INT64_MAX / 4;
	pace_ask(&pace, 0, QUOTA_WRITE, "p");
	assert_true(pace_grant(&pace, now, &asker, &wait));
	/* A bucket that is new to a pace that has just begun is full, too. */
	pace_init(&pace, 1);
	pace_ask(&pace, 0, QUOTA_WRITE, "p");
	assert_true(pace_grant(&pace, 0, &asker, &wait));
}

/* 1,000 projects, of which more want something than there are rows. */
TEST_AFTER(start, more_projects_than_rows_never_exceed_their_rate)
{
	static uint32_t count[1000];
	const int64_t began = now;
	unsigned random = 1, most = 0;
	int64_t wait;
	size_t asker;

	pace_init(&pace, 100);
	for (; now < began + MINUTE; now += 10) {
		char name[16];

		random = random * 1103515245 + 12345;
		(void)snprintf(name, sizeof(name), "p%u",
			       (random >> 16) % 1000);
		pace_ask(&pace, 0, QUOTA_WRITE, name);
		if (pace_grant(&pace, now, &asker, &wait))
			count[(random >> 16) % 1000]++;
	}
	for (size_t i = 0; i < 1000; i++)
		if (count[i] > most)
			most = count[i];
	assert_in_range(most, 1, 7);
}

TEST_AFTER(start, who_waits_is_not_crowded_out)
{
	pace_init(&pace, 100);
	for (unsigned i = 0; now < 1000000 + 20000; i++, now += 20) {
		char name[16];

		(void)snprintf(name, sizeof(name), "p%u", i);
		pace_ask(&pace, 1, QUOTA_WRITE, name);
		if (i == 400 || i == 401)
			pace_ask(&pace, 0, QUOTA_WRITE, "p");
		(void)grant_all();
	}
	assert_int_equal(pace.count, 1);
	assert_int_equal(pace.ask[0].asker, 1);
}

/* A wait that a server asked for is not forgotten for the sake of others. */
TEST_AFTER(start, rows_that_wait_stay)
{
	int64_t wait;
	size_t asker;

	pace_throttled(&pace, QUOTA_WRITE, "slow", now, 600000);
	for (unsigned i = 0; i < 2000; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "p%u", i);
		now += 200;
		pace_ask(&pace, 0, QUOTA_WRITE, name);
		(void)grant_all();
	}
	pace_ask(&pace, 0, QUOTA_WRITE, "slow");
	assert_false(pace_grant(&pace, now, &asker, &wait));
	assert_in_range(wait, 200000, 201000);
}
