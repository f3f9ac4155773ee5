/*
 * Floor 3, Google. When to try again, and how long to wait before.
 */
#ifndef GCP_RETRY_H
#define GCP_RETRY_H

#include "base/status.h"
#include "sys/clock.h"

struct retry_listener {
	/* Called before each wait. */
	void (*notify)(void *context, const struct status *st, unsigned attempt,
		       int64_t wait_ms);
	void *context;
	/* Called where there is no other try; may be NULL. */
	void (*give_up)(void *context, const struct status *st,
			unsigned attempt, const char *why);
	/* Until when a role that is missing is waited for; zero: not at all. */
	struct deadline grant_until;
};

/* Caller-owned; one for each operation that is tried again. */
struct retry {
	const struct retry_listener *listener; /* NULL: nobody */
	struct deadline until;                 /* no wait goes past it */
	struct deadline grace_until;           /* of retry_startup() */
	unsigned attempt;                      /* retryable failures so far */
	unsigned attempts_max;                 /* 0: until `grace_until` */
	unsigned refusals;                     /* for want of a role, so far */
	int64_t wait_ms; /* the next wait, before jitter */
	int64_t wait_max_ms;
	unsigned growth_percent; /* of each wait to the next: 200 doubles */
	bool just_created;       /* NOT_FOUND counts as UNAVAILABLE */
};

/*
 * The policy for Google's services: 3 retries after 1, 2 and 4 s. Each wait
 * is changed at random by up to 20 % either way.
 */
struct retry retry_calls(const struct retry_listener *listener,
			 struct deadline until);

/* No retry. */
struct retry retry_never(struct deadline until);

/*
 * The policy for a metadata server that is not up yet: quick tries for
 * `grace_ms`, the last one no sooner than at their end. Where `until` is near,
 * the last try is a second before it. A wait that the server asks for may go
 * past the end, and one that would go past `until` is cut to it.
 */
struct retry retry_startup(const struct retry_listener *listener,
			   int64_t grace_ms, struct deadline until);

/*
 * After a failure: whether to try again, decided here only, by
 * status_retryable(), the number of attempts and the time left; one that is
 * `not_granted` after 1, 2, 4, 8 and then 15 s until `grant_until`, or a second
 * before `until`, whatever its code. Waits first, at
 * least as long as the server asked for, clears `st` and returns true; or
 * returns false and leaves the failure in `st` (CANCELLED if a signal came).
 */
MUST_CHECK bool retry_again(struct retry *retry, struct status *st);

#endif
