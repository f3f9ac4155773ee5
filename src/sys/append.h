/*
 * Floor 1, process. A file that lines are appended to, for this user alone.
 */
#ifndef SYS_APPEND_H
#define SYS_APPEND_H

#include "base/status.h"

/* Caller-owned; private to append.c. Texts stay. */
struct append {
	int fd;           /* -1: none */
	const char *what; /* the option that names it */
	const char *path;
	uint64_t size;
};

/*
 * Opens a regular file, mode 0600, or makes it, and locks it until it is closed
 * in all processes. INVALID_ARGUMENT if it is something else (a link, too),
 * belongs to someone else or cannot be opened, FAILED_PRECONDITION if another
 * run has it.
 */
MUST_CHECK enum code append_open(struct append *append, const char *path,
				 const char *what, struct status *st);

/*
 * Gives each line (without line feed, at most `max` bytes) to `take` from the
 * start on, until that sets `st`. What follows the last line feed goes to
 * `torn`, which says whether it may be cut off. OUT_OF_RANGE for a longer line;
 * errors name the line.
 */
struct append_reader {
	enum code (*take)(void *context, struct str line, struct status *st);
	bool (*torn)(void *context, struct str rest);
	void *context;
};
MUST_CHECK enum code append_read(struct append *append,
				 const struct append_reader *reader,
				 struct status *st);

/* Makes it empty. UNAVAILABLE if that fails. */
MUST_CHECK enum code append_empty(struct append *append, struct status *st);

/*
 * Appends a line, which ends with its line feed, in one write, and waits until
 * the volume has it. UNAVAILABLE if that fails; then nothing of it is there.
 */
MUST_CHECK enum code append_line(struct append *append, struct str line,
				 struct status *st);

/* Closes it, if it is open; a forked process closes its copy, too. */
void append_close(struct append *append);

#endif
