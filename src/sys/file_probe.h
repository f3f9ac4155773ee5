/*
 * Floor 1, process. Whether files could be written, without writing.
 */
#ifndef SYS_FILE_PROBE_H
#define SYS_FILE_PROBE_H

#include "base/buf.h"

/* Whether file_open_for_writing() would succeed; false with errno set. */
MUST_CHECK bool file_probe_writable(const char *path);

/* Whether the volume of an open folder has room for a file of `bytes`. */
MUST_CHECK bool file_probe_room(int folder, size_t bytes);

#endif
