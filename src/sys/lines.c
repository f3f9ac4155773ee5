#include "sys/lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Small, so that short lines need little memory. */
#define READ_MAX 16384

void
lines_init(struct lines *lines, int fd, void *memory, size_t size)
{
	*lines = (struct lines){ .fd = fd, .memory = memory, .size = size };
}

/* Wipes the first `count` bytes of what is left. */
static void
drop(struct lines *lines, size_t count)
{
	if (count == 0)
		return;
	wipe(lines->memory + lines->start, count);
	lines->start += count;
	lines->passed += count;
	lines->searched = 0;
}

static void
move_to_front(struct lines *lines)
{
	size_t left = lines->end - lines->start;

	if (lines->start == 0)
		return;
	memmove(lines->memory, lines->memory + lines->start, left);
	wipe(lines->memory + left, lines->end - left);
	lines->start = 0;
	lines->end = left;
}

enum lines_step
lines_read(struct lines *lines)
{
	struct pollfd ready = { .fd = lines->fd, .events = POLLIN };
	size_t room;
	ssize_t got;

	move_to_front(lines);
	room = lines->size - lines->end;
	if (poll(&ready, 1, 0) != 1)
		return LINES_MORE;
	got = read(lines->fd, lines->memory + lines->end,
		   room < READ_MAX ? room : READ_MAX);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? LINES_MORE
							 : LINES_FAILED;
	lines->ended = got == 0;
	lines->end += (size_t)got;
	return LINES_LINE;
}

/* Whether a whole line is there: then it is `lines->given` bytes long. */
static bool
find(struct lines *lines, struct str *line)
{
	struct str rest = { lines->memory + lines->start,
			    lines->end - lines->start };

	line->ptr = rest.ptr;
	line->len = lines->searched +
		    str_find(str_skip(rest, lines->searched), '\n');
	lines->searched = rest.len;
	if (line->len == rest.len && (!lines->ended || rest.len == 0))
		return false;
	lines->given = line->len + (line->len < rest.len);
	return true;
}

enum lines_step
lines_next(struct lines *lines, struct str *line)
{
	enum lines_step step = LINES_MORE;

	drop(lines, lines->given);
	lines->given = 0;
	if (lines->skipping && find(lines, line)) {
		lines->skipping = false;
		drop(lines, lines->given);
		lines->given = 0;
	}
	if (!lines->skipping && find(lines, line))
		return LINES_LINE;
	if (lines->ended)
		step = LINES_END;
	else if (!lines->skipping && line->len == lines->size)
		step = LINES_TOO_LONG;
	lines->skipping = lines->skipping || step == LINES_TOO_LONG;
	if (lines->skipping)
		drop(lines, line->len);
	line->len = 0;
	return step;
}

void
lines_wipe(struct lines *lines)
{
	wipe(lines->memory, lines->end);
}
