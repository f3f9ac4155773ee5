#include "job/pace.h"

#include <string.h>

/* Google's, of writes and of reads: 600 a minute. */
#define RATE_DEFAULT 10000

#define TOKEN 1000000
#define SECOND_MS 1000

/* Fills every bucket, and is the longest wait that a server may ask for. */
#define HOUR_MS 3600000

uint64_t
pace_rate(uint64_t given, uint64_t shards)
{
	if (given > 0)
		return given;
	return shards < RATE_DEFAULT ? RATE_DEFAULT / shards : 1;
}

void
pace_init(struct pace *pace, uint64_t rate)
{
	memset(pace, 0, sizeof(*pace));
	pace->rate = (int64_t)rate;
	pace->lost_ms = -HOUR_MS;
}

/* Projects of one hash (FNV-1a) would share a bucket, which is no harm. */
static uint64_t
key_of(enum quota quota, const char *project)
{
	uint64_t key = 0xcbf29ce484222325U + quota;

	for (; *project != '\0'; project++)
		key = (key ^ (unsigned char)*project) * 0x100000001b3U;
	return key | 1;
}

/* A part of `rate`, but something. */
static int64_t
part(int64_t rate, int64_t of)
{
	return rate < of ? 1 : rate / of;
}

/* A minute's worth is what a full bucket holds and 60 s of this. */
static int64_t
refill(const struct pace_row *row)
{
	return row->rate - row->rate / 60;
}

static int64_t
burst(const struct pace_row *row)
{
	return row->rate < TOKEN / SECOND_MS ? TOKEN : row->rate * SECOND_MS;
}

static void
fill(struct pace_row *row, int64_t now_ms)
{
	int64_t elapsed = now_ms - row->at_ms;

	if (elapsed <= 0)
		return;
	row->tokens += (elapsed < HOUR_MS ? elapsed : HOUR_MS) * refill(row);
	if (row->tokens > burst(row))
		row->tokens = burst(row);
	row->at_ms = now_ms;
}

/* Fills it, and brings its rate back step by step. */
static void
advance(const struct pace *pace, struct pace_row *row, int64_t now_ms)
{
	while (row->rate < pace->rate && now_ms - row->raised_ms >= SECOND_MS) {
		row->raised_ms += SECOND_MS;
		fill(row, row->raised_ms);
		row->rate += part(pace->rate, 20);
		if (row->rate > pace->rate)
			row->rate = pace->rate;
	}
	fill(row, now_ms);
}

/* How much is lost with a row: nothing if it is as a new one would be. */
static unsigned
worth(const struct pace *pace, const struct pace_row *row, int64_t now_ms)
{
	if (row->key == 0)
		return 0;
	if (row->at_ms > now_ms)
		return 3;
	return row->rate < pace->rate || row->tokens < burst(row) ? 2 : 1;
}

/* The row that is worth least; of those, the one that was used longest ago. */
static struct pace_row *
make_room(struct pace *pace, int64_t now_ms)
{
	struct pace_row *least = NULL;
	unsigned least_worth = 0;

	for (size_t i = 0; i < PACE_ROWS; i++) {
		struct pace_row *row = &pace->row[i];
		unsigned is_worth;

		advance(pace, row, now_ms);
		is_worth = worth(pace, row, now_ms);
		if (least == NULL || is_worth < least_worth ||
		    (is_worth == least_worth && row->used < least->used)) {
			least = row;
			least_worth = is_worth;
		}
	}
	/* It may come back, and must not be full then. */
	if (least_worth > 1 && least->at_ms > pace->lost_ms)
		pace->lost_ms = least->at_ms;
	return least;
}

static struct pace_row *
find_row(struct pace *pace, uint64_t key, int64_t now_ms)
{
	struct pace_row *row = NULL;

	for (size_t i = 0; i < PACE_ROWS && row == NULL; i++)
		if (pace->row[i].key == key)
			row = &pace->row[i];
	if (row == NULL) {
		row = make_room(pace, now_ms);
		*row = (struct pace_row){ .key = key,
					  .rate = pace->rate,
					  .at_ms = pace->lost_ms,
					  .raised_ms = pace->lost_ms,
					  .slowed_ms = -HOUR_MS };
	}
	row->used = ++pace->uses;
	advance(pace, row, now_ms);
	return row;
}

void
pace_ask(struct pace *pace, size_t asker, enum quota quota, const char *project)
{
	pace_forget(pace, asker);
	pace->ask[pace->count++] =
		(struct pace_ask){ key_of(quota, project), asker };
}

/* Until the next token, or until the rate changes. */
static int64_t
time_left(const struct pace *pace, const struct pace_row *row, int64_t now_ms)
{
	int64_t wait = (TOKEN - row->tokens + refill(row) - 1) / refill(row);

	if (row->at_ms > now_ms)
		wait += row->at_ms - now_ms;
	else if (row->rate < pace->rate && wait > SECOND_MS)
		wait = SECOND_MS;
	return wait;
}

static void
leave(struct pace *pace, size_t at)
{
	pace->count--;
	memmove(&pace->ask[at], &pace->ask[at + 1],
		(pace->count - at) * sizeof(pace->ask[0]));
}

bool
pace_grant(struct pace *pace, int64_t now_ms, size_t *asker, int64_t *wait_ms)
{
	*wait_ms = INT64_MAX;
	for (size_t i = 0; i < pace->count; i++) {
		struct pace_row *row = find_row(pace, pace->ask[i].key, now_ms);
		int64_t wait;

		if (row->tokens >= TOKEN) {
			row->tokens -= TOKEN;
			*asker = pace->ask[i].asker;
			leave(pace, i);
			return true;
		}
		wait = time_left(pace, row, now_ms);
		if (wait < *wait_ms)
			*wait_ms = wait;
	}
	return false;
}

void
pace_forget(struct pace *pace, size_t asker)
{
	for (size_t i = 0; i < pace->count; i++)
		if (pace->ask[i].asker == asker) {
			leave(pace, i);
			return;
		}
}

void
pace_throttled(struct pace *pace, enum quota quota, const char *project,
	       int64_t now_ms, uint64_t retry_after_ms)
{
	struct pace_row *row;
	int64_t until =
		now_ms +
		(int64_t)(retry_after_ms < HOUR_MS ? retry_after_ms : HOUR_MS);

	row = find_row(pace,
		       key_of(quota == QUOTA_ACCESS ? QUOTA_WRITE : quota,
			      project),
		       now_ms);
	/* Of the requests that are under way some more will be refused. */
	if (row->at_ms <= now_ms && now_ms - row->slowed_ms >= SECOND_MS) {
		row->rate /= 2;
		if (row->rate < part(pace->rate, 60))
			row->rate = part(pace->rate, 60);
		row->slowed_ms = now_ms;
	}
	row->tokens = 0;
	if (row->at_ms < until)
		row->at_ms = until;
	row->raised_ms = row->at_ms;
}
