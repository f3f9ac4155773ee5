#include "sys/file_guard.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/redact.h"

bool
file_is_open_as(const char *path, int fd)
{
	struct stat one, other;

	return stat(path, &one) == 0 && fstat(fd, &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool
file_same(const char *path, const char *other)
{
	struct stat one, two;

	if (strcmp(other, "-") == 0)
		return file_is_open_as(path, STDIN_FILENO);
	if (stat(path, &one) != 0 || stat(other, &two) != 0)
		return strcmp(path, other) == 0;
	return one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static struct {
	bool is_guarded, is_read;
	dev_t device;
	ino_t inode;
} guards[FILE_OUTPUTS];

void
file_guard(enum file_output output, const char *path)
{
	struct stat info = { .st_ino = 0 };

	guards[output].is_guarded = path != NULL && stat(path, &info) == 0;
	guards[output].is_read = false;
	guards[output].device = info.st_dev;
	guards[output].inode = info.st_ino;
}

bool
file_is_guarded(enum file_output output)
{
	return guards[output].is_guarded;
}

void
file_guard_compare(int fd, const char *path)
{
	struct stat info;
	bool any = false;

	for (size_t i = 0; i < FILE_OUTPUTS; i++)
		any |= guards[i].is_guarded;
	if (!any)
		return;
	if ((fd >= 0 ? fstat(fd, &info) : stat(path, &info)) != 0)
		return;
	for (size_t i = 0; i < FILE_OUTPUTS; i++)
		if (guards[i].is_guarded && guards[i].device == info.st_dev &&
		    guards[i].inode == info.st_ino)
			guards[i].is_read = true;
}

enum code
file_guard_end(enum file_output output, const char *what, const char *path,
	       struct status *st)
{
	guards[output].is_guarded = false;
	if (!guards[output].is_read)
		return CODE_OK;
	guards[output].is_read = false;
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s: %s is a file that is read, too", what,
			  redact_argument(path));
}
