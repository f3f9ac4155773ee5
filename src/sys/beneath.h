/*
 * Floor 1, process. Files that a list names, none of which may lie outside of
 * its folder, whatever links say (openat2(2), Linux 5.6).
 */
#ifndef SYS_BENEATH_H
#define SYS_BENEATH_H

#include "base/status.h"
#include "sys/clock.h"

/* Opens a folder for it; the caller's to close. -1 with errno set. */
int beneath_open(const char *folder);

/*
 * Reads the file at `path` beneath a folder to its end into `out`. Links are
 * followed as long as they stay beneath it. `what` names it in messages.
 * Codes: those of file_read(); INVALID_ARGUMENT too if the path leads out of
 * the folder, or to anything but a regular file, or if the kernel cannot tell.
 */
MUST_CHECK enum code beneath_read(int folder, const char *path,
				  const char *what, struct deadline until,
				  struct buf *out, struct status *st);

#endif
