/*
 * Floor 1, process. Clocks and deadlines.
 *
 * Limits are kept on the monotonic clock, in milliseconds; the wall clock is
 * only for certificates, log lines and tokens.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include "base/buf.h"

/* "YYYY-MM-DDThh:mm:ssZ" and the final NUL. */
#define RFC3339_SIZE 21

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);

/* Seconds since 1970-01-01T00:00:00Z on the wall clock. */
int64_t clock_unix(void);

/*
 * Writes a time (RFC 3339, UTC, seconds). Years outside 0001 to 9999 give the
 * nearest end of that range.
 */
void clock_rfc3339(int64_t unix_seconds, char out[static RFC3339_SIZE]);

/*
 * Reads a time in UTC that has exactly the shape: digits where it has y (year;
 * only two stand for 1950 to 2049), n (month), d, h, m and s, "Jan" to "Dec"
 * where it has bbb, anything where it has '?', and else what it has. False,
 * and `*unix_seconds` left alone, for all else; second 60 is the next minute's
 * first.
 */
MUST_CHECK bool clock_scan(struct str text, const char *shape,
			   int64_t *unix_seconds);

/*
 * Reads a time with its offset and any fraction, which is dropped (RFC 3339
 * section 5.6). Returns false and leaves `*unix_seconds` alone for all else.
 */
MUST_CHECK bool clock_parse(struct str text, int64_t *unix_seconds);

/*
 * Reads a duration: seconds ("90"), or numbers with the units h, m and s, from
 * the largest on ("5m", "1h30m"). False, and `*seconds` left alone, for all
 * else, and for more than 64 bits hold.
 */
MUST_CHECK bool clock_duration(struct str text, uint64_t *seconds);

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
int64_t clock_days(int64_t year, int64_t month, int64_t day);

/* A point in time on the monotonic clock. */
struct deadline {
	int64_t at_ms;
};

/* For what may take any time. */
#define DEADLINE_NEVER ((struct deadline){ INT64_MAX })

/* The point `ms` milliseconds from now. */
struct deadline deadline_in(int64_t ms);

/* Milliseconds left; 0 if it has passed. */
int64_t deadline_left(struct deadline deadline);

/* The earlier of the two. */
struct deadline deadline_first(struct deadline a, struct deadline b);

#endif
