#include "gcp/retry.h"

#include "sys/entropy.h"
#include "sys/wait.h"

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
retry_startup(const struct retry_listener *listener, struct deadline until)
{
	return (struct retry){ .listener = listener,
			       .until = until,
			       .attempts_max = 0,
			       .wait_ms = 250,
			       .wait_max_ms = 4000,
			       .growth_percent = 160 };
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

bool
retry_again(struct retry *retry, struct status *st)
{
	struct status interrupted = { .code = CODE_OK };
	int64_t wait = with_jitter(retry->wait_ms);

	retry->attempt++;
	if (!status_retryable(st) ||
	    (retry->attempts_max > 0 && retry->attempt >= retry->attempts_max))
		return false;
	if (st->retry_after_ms > (uint64_t)wait)
		wait = (int64_t)st->retry_after_ms;
	if (wait >= deadline_left(retry->until))
		return false;
	if (retry->listener != NULL)
		retry->listener->notify(retry->listener->context, st,
					retry->attempt, wait);
	retry->wait_ms = retry->wait_ms * retry->growth_percent / 100;
	if (retry->wait_ms > retry->wait_max_ms)
		retry->wait_ms = retry->wait_max_ms;
	if (wait_until(deadline_in(wait), &interrupted) != CODE_OK) {
		*st = interrupted;
		return false;
	}
	status_clear(st);
	return true;
}
