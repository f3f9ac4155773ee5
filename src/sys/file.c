#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/redact.h"
#include "sys/entropy.h"
#include "sys/file_guard.h"
#include "sys/wait.h"

enum code
file_code_of_errno(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return CODE_NOT_FOUND;
	case EACCES:
	case EPERM:
		return CODE_PERMISSION_DENIED;
	default:
		return CODE_INVALID_ARGUMENT;
	}
}

/* Whether to repeat a call that failed; not without end. */
static bool
call_again(unsigned *failures)
{
	return (errno == EINTR || errno == EAGAIN) && ++*failures < 100;
}

static int
open_again(const char *path, int flags)
{
	unsigned failures = 0;
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC);
	while (fd < 0 && call_again(&failures));
	return fd;
}

static enum code
out_of_time(short events, struct status *st)
{
	return status_set(st, CODE_DEADLINE_EXCEEDED,
			  "nobody %s it while there was time",
			  events == POLLIN ? "wrote" : "read");
}

static enum code
wait_for(int fd, short events, struct deadline until, struct status *st)
{
	struct pollfd ready = { .fd = fd, .events = events };
	enum code code = wait_ready(&ready, 1, until, st);

	if (code != CODE_OK || ready.revents != 0)
		return code;
	status_hint(st, "MAX_WAIT_TIME_SECONDS gives more time");
	return out_of_time(events, st);
}

/*
 * Waits for room in a pipe, so that a signal ends what nobody reads. What
 * fits at once is written even after a signal.
 */
static enum code
wait_for_room(int fd, struct deadline until, struct status *st)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (poll(&ready, 1, 0) == 1)
		return CODE_OK;
	return wait_for(fd, POLLOUT, until, st);
}

enum code
file_read_to_end(int fd, const char *name, const char *what,
		 struct deadline until, struct buf *out, struct status *st)
{
	size_t limit = out->size;

	for (;;) {
		char extra[1];
		size_t room = buf_room(out);
		ssize_t got;

		if (wait_for(fd, POLLIN, until, st) != CODE_OK) {
			if (st->code == CODE_DEADLINE_EXCEEDED)
				status_prefix(st, "%s: %s", what, name);
			return st->code;
		}
		got = read(fd, room > 0 ? out->ptr + out->len : extra,
			   room > 0 ? room : 1);
		if (got == 0)
			return CODE_OK;
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return status_set(st, file_code_of_errno(errno),
					  "%s: cannot read %s: %s", what, name,
					  strerror(errno));
		wipe(extra, sizeof(extra));
		if (room == 0)
			return status_set(st, CODE_OUT_OF_RANGE,
					  "%s: %s is larger than %zu bytes",
					  what, name, limit);
		out->len += (size_t)got;
	}
}

int
file_open_for_writing(const char *path)
{
	int fd =
		open_again(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat info;

	if (fd < 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)))
		return fd;
	(void)close(fd);
	errno = EINVAL;
	return -1;
}

int
file_open(const char *path)
{
	int fd = open_again(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	int error = errno;

	if (fd >= 0)
		file_guard_compare(fd, path);
	errno = error;
	return fd;
}

/* As getdents64(2) gives it. */
struct entry {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

bool
file_list(const char *folder, bool (*each)(void *context, const char *name),
	  void *context)
{
	_Alignas(struct entry) char entries[4096];
	int fd = open_again(folder, O_RDONLY | O_DIRECTORY);
	long got = -1;
	bool more = true;

	if (fd < 0)
		return false;
	/* opendir() would need a heap. */
	while (more && (got = syscall(SYS_getdents64, fd, entries,
				      sizeof(entries))) > 0)
		for (long at = 0; more && at < got;) {
			const struct entry *e = (void *)(entries + at);

			more = each(context, e->name);
			at += e->length;
		}
	(void)close(fd);
	return got >= 0;
}

bool
file_is_pipe(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && !S_ISREG(info.st_mode) &&
	       !S_ISDIR(info.st_mode);
}

enum code
file_stream(const char *path, const char *what, struct deadline until,
	    bool (*take)(void *context, struct str piece), void *context,
	    struct status *st)
{
	char piece[4096];
	unsigned failures = 0;
	ssize_t got = -1;
	int fd = file_open(path);

	if (fd < 0)
		return status_set(st, file_code_of_errno(errno),
				  "%s: cannot open %s: %s", what,
				  redact_argument(path), strerror(errno));
	do {
		if (wait_for(fd, POLLIN, until, st) != CODE_OK) {
			if (st->code == CODE_DEADLINE_EXCEEDED)
				status_prefix(st, "%s: %s", what,
					      redact_argument(path));
			break;
		}
		got = read(fd, piece, sizeof(piece));
		if (got < 0 && !call_again(&failures))
			(void)status_set(st, file_code_of_errno(errno),
					 "%s: cannot read %s: %s", what,
					 redact_argument(path),
					 strerror(errno));
	} while (
		st->code == CODE_OK && got != 0 &&
		(got < 0 || take(context, (struct str){ piece, (size_t)got })));
	(void)close(fd);
	return st->code;
}

enum code
file_read(const char *path, const char *what, struct deadline until,
	  struct buf *out, struct status *st)
{
	bool standard_input = strcmp(path, "-") == 0;
	const char *name =
		standard_input ? "standard input" : redact_argument(path);
	struct stat info;
	int fd = STDIN_FILENO;

	if (!standard_input)
		fd = file_open(path);
	if (fd < 0)
		return status_set(st, file_code_of_errno(errno),
				  "%s: cannot open %s: %s", what, name,
				  strerror(errno));
	if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
		(void)status_set(st, CODE_INVALID_ARGUMENT,
				 "%s: %s is a directory", what, name);
	else
		(void)file_read_to_end(fd, name, what, until, out, st);
	if (!standard_input)
		(void)close(fd);
	return st->code;
}

static const char *
kind_of(mode_t mode)
{
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISLNK(mode))
		return "a symbolic link";
	return S_ISFIFO(mode) ? "a FIFO" : "a device or a socket";
}

/* Fails now rather than at the end of the run. */
static enum code
check_destination(const struct file_target *target, const char *what,
		  struct status *st)
{
	struct stat info;
	bool there = fstatat(target->folder, target->name, &info,
			     AT_SYMLINK_NOFOLLOW) == 0;

	if (there && !S_ISREG(info.st_mode))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: %s is %s, no regular file", what,
				  redact_argument(target->path),
				  kind_of(info.st_mode));
	if (!there && errno != ENOENT)
		return status_set(st, file_code_of_errno(errno), "%s: %s: %s",
				  what, target->path, strerror(errno));
	/* The C library's function has much code for a flag. */
	if (syscall(SYS_faccessat, target->folder, ".", W_OK | X_OK) != 0)
		return status_set(st, file_code_of_errno(errno),
				  "%s: cannot write into the folder of %s: %s",
				  what, target->path, strerror(errno));
	return CODE_OK;
}

enum code
file_target_open(struct file_target *target, const char *path, const char *what,
		 struct status *st)
{
	char *slash;

	target->folder = -1;
	target->temp_fd = -1;
	if (!str_copy(str_from(path), target->path, sizeof(target->path)))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: the path is longer than %zu bytes", what,
				  sizeof(target->path) - 1);
	slash = strrchr(target->path, '/');
	target->name = slash == NULL ? target->path : slash + 1;
	if (target->name[0] == '\0')
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: %s names a folder, not a file", what,
				  redact_argument(path));
	if (slash == NULL) {
		target->folder = open_again(".", O_RDONLY | O_DIRECTORY);
	} else {
		*slash = '\0';
		target->folder =
			open_again(slash == target->path ? "/" : target->path,
				   O_RDONLY | O_DIRECTORY);
		*slash = '/';
	}
	if (target->folder < 0)
		return status_set(st, file_code_of_errno(errno),
				  "%s: cannot open the folder of %s: %s", what,
				  redact_argument(path), strerror(errno));
	if (check_destination(target, what, st) != CODE_OK)
		file_target_close(target);
	return st->code;
}

void
file_target_remove(const struct file_target *target)
{
	if (target->folder >= 0)
		(void)unlinkat(target->folder, target->name, 0);
}

static bool
create_temp(struct file_target *target)
{
	struct buf name;
	uint64_t unique = 0;
	unsigned failures = 0;

	if (!entropy_fill(&unique, sizeof(unique)))
		unique = (uint64_t)clock_ms();
	buf_init(&name, target->temp_name, sizeof(target->temp_name));
	buf_put_cstr(&name, ".result-");
	buf_put_uint(&name, unique);
	buf_put_char(&name, '\0');
	do
		target->temp_fd = openat(target->folder, target->temp_name,
					 O_WRONLY | O_CREAT | O_EXCL |
						 O_NOFOLLOW | O_CLOEXEC,
					 0644);
	while (target->temp_fd < 0 && call_again(&failures));
	return target->temp_fd >= 0;
}

static bool
replace_content(int fd, struct str content)
{
	const off_t size = (off_t)content.len;
	unsigned failures = 0;

	while (content.len > 0) {
		ssize_t put = pwrite(fd, content.ptr, content.len,
				     size - (off_t)content.len);

		if (put > 0)
			content = str_skip(content, (size_t)put);
		else if (put == 0 || !call_again(&failures))
			return false;
	}
	while (ftruncate(fd, size) != 0 || fchmod(fd, 0644) != 0 ||
	       fsync(fd) != 0)
		if (!call_again(&failures))
			return false;
	return true;
}

static void
remove_temp(struct file_target *target)
{
	if (target->temp_fd < 0)
		return;
	(void)close(target->temp_fd);
	target->temp_fd = -1;
	(void)unlinkat(target->folder, target->temp_name, 0);
}

enum code
file_target_reserve(struct file_target *target, struct str content,
		    struct status *st)
{
	int error;

	if (create_temp(target) && replace_content(target->temp_fd, content))
		return CODE_OK;
	error = errno;
	remove_temp(target);
	/* As below /proc. */
	if (error == ENOENT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "no file can be made beside %s",
				  redact_argument(target->path));
	return status_set(st, CODE_UNAVAILABLE,
			  "cannot reserve %zu bytes for %s: %s", content.len,
			  redact_argument(target->path), strerror(error));
}

bool
file_target_put(struct file_target *target, struct str content)
{
	unsigned failures = 0;

	if (target->temp_fd < 0 && !create_temp(target))
		return false;
	if (!replace_content(target->temp_fd, content))
		return false;
	while (renameat(target->folder, target->temp_name, target->folder,
			target->name) != 0)
		if (!call_again(&failures))
			return false;
	/* It is on the volume already (fsync). */
	(void)close(target->temp_fd);
	target->temp_fd = -1;
	return true;
}

enum code
file_target_write(struct file_target *target, struct str content,
		  struct status *st)
{
	if (file_target_put(target, content))
		return CODE_OK;
	return status_set(st, CODE_INTERNAL, "cannot write %s: %s",
			  redact_argument(target->path), strerror(errno));
}

void
file_target_close(struct file_target *target)
{
	remove_temp(target);
	if (target->folder >= 0)
		(void)close(target->folder);
	target->folder = -1;
}

enum code
file_wait_writable(int fd, struct deadline until, struct status *st)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (wait_for_room(fd, until, st) == CODE_OK &&
	    poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) == 0)
		(void)status_set(st, CODE_UNAVAILABLE,
				 "cannot write: nobody reads it");
	return st->code;
}

/* What fits; 0 if it was interrupted and may go on; -1 with errno. */
static ssize_t
write_some(int fd, struct str content)
{
	ssize_t put;
	int error;

	wait_interrupt(true);
	put = write(fd, content.ptr,
		    content.len < PIPE_BUF ? content.len : PIPE_BUF);
	error = errno;
	wait_interrupt(false);
	errno = error;
	return put < 0 && (error == EINTR || error == EAGAIN) ? 0 : put;
}

enum code
file_write_all(int fd, struct str content, struct deadline until,
	       struct status *st)
{
	while (content.len > 0) {
		ssize_t put;

		if (wait_for_room(fd, until, st) != CODE_OK)
			return st->code;
		put = write_some(fd, content);
		if (put < 0)
			return status_set(st, CODE_UNAVAILABLE,
					  "cannot write: %s", strerror(errno));
		content = str_skip(content, (size_t)put);
		/* poll(2) may report room that is not there. */
		if (put == 0 &&
		    wait_ready(NULL, 0, deadline_in(0), st) != CODE_OK)
			return st->code;
		if (put == 0 && deadline_left(until) == 0)
			return out_of_time(POLLOUT, st);
	}
	return CODE_OK;
}
