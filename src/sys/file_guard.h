/*
 * Floor 1, process. Outputs that exist already must not be files that are read.
 *
 * Which files those are only reading them tells: what a credential file names,
 * what stands in a folder. So whatever file_open() opens is compared, by device
 * and inode, until the outputs are about to be written.
 */
#ifndef SYS_FILE_GUARD_H
#define SYS_FILE_GUARD_H

#include "base/status.h"

enum file_output {
	FILE_RESULT,
	FILE_TERMINATION_LOG,
	FILE_JOURNAL,
	FILE_FAILED,
	FILE_OUTPUTS
};

/* Guards the file at `path`, if there is one; NULL: nothing. */
void file_guard(enum file_output output, const char *path);

/* Whether there is one that may yet turn out to be read. */
bool file_is_guarded(enum file_output output);

/* Compares a file that was opened to be read, or will be: then `fd` is -1. */
void file_guard_compare(int fd, const char *path);

/*
 * Ends the guard of `output`, which `what` names at `path`. INVALID_ARGUMENT
 * if it was one of the files.
 */
MUST_CHECK enum code file_guard_end(enum file_output output, const char *what,
				    const char *path, struct status *st);

/*
 * Whether two paths lead to the same file, by device and inode; "-" is standard
 * input. If one of them does not exist, whether they are spelled alike.
 */
bool file_same(const char *path, const char *other);

/* Whether a path leads to the file that is open as `fd`. */
bool file_is_open_as(const char *path, int fd);

#endif
