/*
 * Floor 1, process. A file that lines are appended to, for this user alone.
 */
#ifndef SYS_APPEND_H
#define SYS_APPEND_H

#include "base/status.h"

/* Caller-owned; private to append.c, but for reading. Texts stay. */
struct append {
	int fd;           /* -1: none; at its start after append_open() */
	const char *what; /* the option that names it */
	const char *path;
	uint64_t size; /* that it should have */
	bool torn;     /* and has not, after a write that failed */
};

/*
 * Opens a regular file, mode 0600, or makes it, and locks it until it is closed
 * in all processes. INVALID_ARGUMENT if it is something else (a link, too),
 * belongs to someone else or cannot be opened, UNAVAILABLE if another
 * run has it.
 */
MUST_CHECK enum code append_open(struct append *append, const char *path,
				 const char *what, struct status *st);

/* Cuts it to its first `size` bytes. UNAVAILABLE if that fails. */
MUST_CHECK enum code append_cut(struct append *append, uint64_t size,
				struct status *st);

/*
 * Appends a line, which ends with its line feed, in one write, and waits until
 * the volume has it. UNAVAILABLE if that fails; then nothing of it is there.
 */
MUST_CHECK enum code append_line(struct append *append, struct str line,
				 struct status *st);

/* Closes it, if it is open; a forked process closes its copy, too. */
void append_close(struct append *append);

#endif
