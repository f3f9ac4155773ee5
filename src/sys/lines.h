/*
 * Floor 1, process. The lines of a stream, one by one, in memory of fixed size.
 *
 * Never waits: standard input may be a pipe that others share, so that it is
 * asked before each read and its flags stay as they are.
 */
#ifndef SYS_LINES_H
#define SYS_LINES_H

#include "base/buf.h"

/* Private to lines.c but for `given` and `passed`; end with lines_wipe(). */
struct lines {
	int fd; /* the caller's */
	char *memory;
	size_t size;
	size_t start, end; /* what was read and not passed yet */
	size_t searched;   /* of it, without a line feed */
	size_t given;      /* of it, the last line; wiped with the next call */
	bool skipping;     /* the rest of a line that is too long */
	bool ended;
	uint64_t passed; /* bytes of the stream before the last line */
};

enum lines_step {
	LINES_LINE,
	LINES_TOO_LONG, /* its rest will be skipped */
	LINES_MORE,     /* what was read holds no whole line */
	LINES_END,
	LINES_FAILED /* errno says why */
};

/*
 * Starts on a descriptor. `memory` of `size` bytes has room for the longest
 * line and its line feed.
 */
void lines_init(struct lines *lines, int fd, void *memory, size_t size);

/*
 * Gives the next of the lines that were read, without its line feed, which the
 * last one may lack. Valid until the next call, which wipes it. After
 * LINES_MORE call lines_read().
 */
enum lines_step lines_next(struct lines *lines, struct str *line);

/*
 * Reads once, what is there. LINES_LINE if there is more for lines_next() now,
 * if only the end; LINES_MORE: nothing to read, poll `fd`; LINES_FAILED.
 */
enum lines_step lines_read(struct lines *lines);

/* Wipes what was read. */
void lines_wipe(struct lines *lines);

#endif
