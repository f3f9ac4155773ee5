#include "sys/file_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool
file_probe_writable(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW |
				    O_CLOEXEC);
	struct stat info;
	bool regular;

	if (fd < 0)
		return false;
	regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
	(void)close(fd);
	errno = EINVAL;
	return regular;
}

/* Some volumes count no blocks or no files: then they have no limit. */
bool
file_probe_room(int folder, size_t bytes)
{
	struct statvfs volume;

	if (fstatvfs(folder, &volume) != 0)
		return true;
	return (volume.f_blocks == 0 ||
		volume.f_bavail * volume.f_frsize >= bytes) &&
	       (volume.f_files == 0 || volume.f_favail > 0);
}
