/*
 * Floor 4, job. The pace of all workers together: a bucket of tokens for each
 * project and quota, which a 429 slows (additive increase, multiplicative
 * decrease). Pure: the time is an argument.
 */
#ifndef JOB_PACE_H
#define JOB_PACE_H

#include "gcp/pace.h"

/* Buckets that are remembered. */
#define PACE_ROWS 256

/*
 * Rates are requests in 1000 s, tokens millionths of one. Private to pace.c.
 */
struct pace_row {
	uint64_t key;      /* of project and quota; 0: a free row */
	int64_t rate;      /* now */
	int64_t tokens;    /* at `at_ms` */
	int64_t at_ms;     /* in the future while nothing may be sent */
	int64_t raised_ms; /* when the rate was changed last, or could be */
	int64_t slowed_ms; /* when it was halved last */
	uint64_t used;     /* how recently, of `struct pace.uses` */
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
	struct pace_ask ask[WORKERS_MAX];
	struct pace_row row[PACE_ROWS];
};

/*
 * The rate of this run: `given`, unless that is 0, else Google's 600 a minute,
 * divided by `shards`.
 */
uint64_t pace_rate(uint64_t given, uint64_t shards);

/*
 * Starts with `rate` (1 to 10^8) for each project, of writes and of reads. In
 * no minute more than 60 seconds' worth is let through (one request more at
 * rates below 1 a second); a second's worth of it may go at once.
 */
void pace_init(struct pace *pace, uint64_t rate);

/*
 * Puts a request of `asker` (below WORKERS_MAX, one request each) in the
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
