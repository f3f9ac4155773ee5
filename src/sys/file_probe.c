#include "sys/file_probe.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include "sys/file.h"

bool
file_probe_writable(const char *path)
{
	int fd = file_open_for_writing(path);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
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
