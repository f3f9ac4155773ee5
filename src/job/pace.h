/*
 * Floor 4, job. The pace of all workers together: a bucket of tokens for each
 * project and quota, which a 429 slows (additive increase, multiplicative
 * decrease). Pure: the time is an argument.
 */
#ifndef JOB_PACE_H
#define JOB_PACE_H

#include "gcp/pace.h"

/* Buckets that are remembered, and who may wait at once. */
#define PACE_ROWS 256
#define PACE_ASKERS_MAX 32

/*
 * Rates are in thousandths of a request a second, tokens in millionths. Private
 * to pace.c.
 */
struct pace_row {
	uint64_t key;    /* of project and quota; 0: a free row */
	int64_t rate;    /* now */
	int64_t tokens;  /* at `at_ms` */
	int64_t at_ms;   /* in the future while nothing may be sent */
	int64_t step_ms; /* when the rate was changed last */
	uint64_t used;   /* how recently, of `struct pace.uses` */
};

struct pace_ask {
	uint64_t key;
	size_t asker;
};

/* Caller-owned; start with pace_init(). Private to pace.c. */
struct pace {
	int64_t rate;    /* that all start with */
	int64_t lost_ms; /* a row that is new was empty then */
	uint64_t uses;
	size_t count; /* of those who wait, the first one first */
	struct pace_ask ask[PACE_ASKERS_MAX];
	struct pace_row row[PACE_ROWS];
};

/*
 * Reads a rate, "10" or "0.5" requests a second: 0.001 to 100000, with up to
 * three decimals, into thousandths. NULL: Google's 600 a minute, divided by
 * `shards`. INVALID_ARGUMENT names RATE as it was given.
 */
MUST_CHECK enum code pace_rate(const char *text, uint64_t shards,
			       uint64_t *rate, struct status *st);

/*
 * Starts with `rate` for each project, of writes and of reads. In no minute
 * more than 60 seconds' worth is let through (at rates below 1, one request
 * more); a second's worth of it (at least one) may go at once.
 */
void pace_init(struct pace *pace, uint64_t rate);

/*
 * Puts a request of `asker` (below PACE_ASKERS_MAX, one request each) in the
 * line. Then call pace_grant().
 */
void pace_ask(struct pace *pace, size_t asker, enum quota quota,
	      const char *project);

/*
 * Takes the first in the line of its bucket that may go now, into `*asker`;
 * call it until it is false, then again after `*wait_ms` (INT64_MAX: nobody
 * waits), after each pace_ask() and each pace_throttled().
 */
MUST_CHECK bool pace_grant(struct pace *pace, int64_t now_ms, size_t *asker,
			   int64_t *wait_ms);

/* Takes an asker that has gone out of the line, if it is there. */
void pace_forget(struct pace *pace, size_t asker);

/*
 * A 429: the bucket is empty, nothing goes before the wait that was asked for
 * is over (an hour at most), and the rate is half of what it was, at most once
 * a second and not below a 60th of the first one. Each full second without a
 * 429 gives back a 20th of the first rate. One of QUOTA_ACCESS slows writes.
 */
void pace_throttled(struct pace *pace, enum quota quota, const char *project,
		    int64_t now_ms, uint64_t retry_after_ms);

#endif
