#include "sys/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/file.h"

/* A path that others move around meanwhile is tried again. */
#define ATTEMPTS 100

int
beneath_open(const char *folder)
{
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int
open_beneath(int folder, const char *path)
{
	/* No wait for the writer of a FIFO. */
	const struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd, attempts = ATTEMPTS;

	do
		fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN) && --attempts > 0);
	return fd;
}

/* RESOLVE_BENEATH gives EXDEV, RESOLVE_NO_MAGICLINKS ELOOP. */
static const char *
reason(int error)
{
	switch (error) {
	case ENOSYS:
		return "it takes openat2 (Linux 5.6)";
	case EXDEV:
	case ELOOP:
		return "it leads out of the list's folder, or in circles";
	case 0:
		return "it is no regular file";
	default:
		return strerror(error);
	}
}

enum code
beneath_read(int folder, const char *path, const char *what,
	     struct deadline until, struct buf *out, struct status *st)
{
	struct stat info;
	int fd = open_beneath(folder, path), error = fd < 0 ? errno : 0;

	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		(void)status_set(st, file_code_of_errno(error),
				 "%s: cannot open %s: %s", what, path,
				 reason(error));
	else
		(void)file_read_to_end(fd, path, what, until, out, st);
	if (fd >= 0)
		(void)close(fd);
	return st->code;
}
