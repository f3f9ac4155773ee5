#include "sys/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/redact.h"

/* What a volume has no room for may fit later. */
static enum code
failed(const struct append *append, enum code code, const char *attempt,
       struct status *st)
{
	return status_set(st, errno == ENOSPC ? CODE_UNAVAILABLE : code,
			  "%s: cannot %s %s: %s", append->what, attempt,
			  redact_argument(append->path), strerror(errno));
}

/* It may hold secrets. */
static enum code
take_over(struct append *append, struct status *st)
{
	struct stat info;

	if (fstat(append->fd, &info) != 0 || !S_ISREG(info.st_mode))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: %s is no regular file", append->what,
				  redact_argument(append->path));
	if (flock(append->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK)
			return failed(append, CODE_INVALID_ARGUMENT, "lock",
				      st);
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: another run has %s open", append->what,
				  redact_argument(append->path));
	}
	if ((info.st_mode & 07777) != 0600 && fchmod(append->fd, 0600) != 0)
		return failed(append, CODE_INVALID_ARGUMENT, "own", st);
	append->size = (uint64_t)info.st_size;
	return CODE_OK;
}

enum code
append_open(struct append *append, const char *path, const char *what,
	    struct status *st)
{
	*append = (struct append){ .path = path, .what = what };
	append->fd = open(path,
			  O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC |
				  O_NOCTTY | O_NONBLOCK,
			  0600);
	if (append->fd < 0 && (errno == ELOOP || errno == EISDIR))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: %s is no regular file", what,
				  redact_argument(path));
	if (append->fd < 0)
		return failed(append, CODE_INVALID_ARGUMENT, "open", st);
	if (take_over(append, st) != CODE_OK)
		append_close(append);
	return st->code;
}

enum code
append_cut(struct append *append, uint64_t size, struct status *st)
{
	append->torn = ftruncate(append->fd, (off_t)size) != 0;
	append->size = size;
	return append->torn ? failed(append, CODE_UNAVAILABLE, "cut", st)
			    : CODE_OK;
}

enum code
append_line(struct append *append, struct str line, struct status *st)
{
	struct status unused = { .code = CODE_OK };
	struct str rest = line;
	ssize_t put;

	if (append->torn && append_cut(append, append->size, st) != CODE_OK)
		return st->code;
	/* Once, unless the volume is full: then the rest says why. */
	do
		put = write(append->fd, rest.ptr, rest.len);
	while (put > 0 && (rest = str_skip(rest, (size_t)put)).len > 0);
	if (put > 0 && fdatasync(append->fd) == 0) {
		append->size += line.len;
		return CODE_OK;
	}
	(void)failed(append, CODE_UNAVAILABLE, "write", st);
	(void)append_cut(append, append->size, &unused);
	return st->code;
}

void
append_close(struct append *append)
{
	if (append->fd >= 0)
		(void)close(append->fd);
	append->fd = -1;
}
