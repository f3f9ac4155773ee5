#include "gcp/retry.h"

#include "sys/entropy.h"
#include "sys/wait.h"

/* What is left of the time for a last try. */
#define LAST_TRY_MS 1000

/* The longest wait for a role. */
#define GRANT_WAIT_MAX_MS 15000

struct retry
retry_calls(const struct retry_listener *listener, struct deadline until)
{
	return (struct retry){ .listener = listener,
			       .until = until,
			       .attempts_max = 4,
			       .wait_ms = 1000,
			       .wait_max_ms = 4000,
			       .growth_percent = 200 };
}

struct retry
retry_never(struct deadline until)
{
	return (struct retry){ .until = until, .attempts_max = 1 };
}

struct retry
retry_startup(const struct retry_listener *listener, int64_t grace_ms,
	      struct deadline until)
{
	const struct deadline last_try = { until.at_ms - LAST_TRY_MS };

	return (struct retry){
		.listener = listener,
		.until = until,
		.grace_until = deadline_first(deadline_in(grace_ms), last_try),
		.attempts_max = 0,
		.wait_ms = 250,
		.wait_max_ms = 4000,
		.growth_percent = 160
	};
}

/* `ms`, changed by up to 20 % either way, so that many jobs spread out. */
static int64_t
with_jitter(int64_t ms)
{
	uint32_t random = 0;

	if (!entropy_fill(&random, sizeof(random)))
		return ms;
	return ms - ms / 5 + (int64_t)(random % 1000) * (ms * 2 / 5) / 1000;
}

/* Whether the policy has another try after `retry->attempt` failures. */
static bool
tries_left(const struct retry *retry)
{
	if (retry->attempts_max > 0)
		return retry->attempt < retry->attempts_max;
	return deadline_left(retry->grace_until) > 0;
}

/* The policy's wait, or what the server asks for if that is longer. */
static int64_t
next_wait(const struct retry *retry, uint64_t asked_ms)
{
	bool startup = retry->attempts_max == 0;
	int64_t left = deadline_left(retry->grace_until);
	int64_t wait = with_jitter(retry->wait_ms);

	if (startup && wait > left)
		wait = left;
	if (asked_ms <= (uint64_t)wait)
		return wait;
	if (startup && asked_ms >= (uint64_t)deadline_left(retry->until))
		return left;
	return (int64_t)asked_ms;
}

/* False, so that a caller can `return give_up(...)`. */
static bool
give_up(const struct retry *retry, const struct status *st, const char *why)
{
	const struct retry_listener *listener = retry->listener;

	if (listener != NULL && listener->give_up != NULL)
		listener->give_up(listener->context, st, retry->attempt, why);
	return false;
}

static bool
wait_again(struct retry *retry, struct status *st, unsigned attempt,
	   int64_t wait)
{
	struct status interrupted = { .code = CODE_OK };

	if (retry->listener != NULL)
		retry->listener->notify(retry->listener->context, st, attempt,
					wait);
	if (wait_until(deadline_in(wait), &interrupted) != CODE_OK) {
		*st = interrupted;
		return false;
	}
	status_clear(st);
	return true;
}

/* How long a missing role is waited for yet: its binding takes minutes. */
static int64_t
grant_left(const struct retry *retry, const struct status *st)
{
	const struct deadline last_try = { retry->until.at_ms - LAST_TRY_MS };

	if (!st->not_granted || retry->listener == NULL)
		return 0;
	return deadline_left(
		deadline_first(retry->listener->grant_until, last_try));
}

static bool
wait_for_grant(struct retry *retry, struct status *st, int64_t left)
{
	unsigned doublings = retry->refusals < 4 ? retry->refusals : 4;
	int64_t wait = (int64_t)1000 << doublings;

	wait = with_jitter(wait < GRANT_WAIT_MAX_MS ? wait : GRANT_WAIT_MAX_MS);
	retry->refusals++;
	return wait_again(retry, st, retry->refusals,
			  wait < left ? wait : left);
}

bool
retry_again(struct retry *retry, struct status *st)
{
	int64_t wait = grant_left(retry, st);

	if (wait > 0)
		return wait_for_grant(retry, st, wait);
	if (retry->just_created && st->code == CODE_NOT_FOUND)
		st->code = CODE_UNAVAILABLE;
	if (!status_retryable(st))
		return give_up(retry, st, "it would fail again");
	retry->attempt++;
	if (!tries_left(retry))
		return give_up(retry, st, "no tries are left");
	wait = next_wait(retry, st->retry_after_ms);
	if (wait >= deadline_left(retry->until))
		return give_up(retry, st, "no time is left");
	retry->wait_ms = retry->wait_ms * retry->growth_percent / 100;
	if (retry->wait_ms > retry->wait_max_ms)
		retry->wait_ms = retry->wait_max_ms;
	return wait_again(retry, st, retry->attempt, wait);
}
