/*
 * Floor 1, process. Files, read and written whole.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include "base/status.h"
#include "sys/clock.h"

/*
 * Opens a file for reading, never waiting for the writer of a FIFO. The
 * descriptor is the caller's to close; -1 with errno set.
 */
int file_open(const char *path);

/*
 * Opens an existing file for writing, and changes nothing yet. Only a regular
 * one: else -1 with EINVAL, or ELOOP for a link.
 */
int file_open_for_writing(const char *path);

/* Whether it exists and is neither a regular file nor a folder. */
bool file_is_pipe(const char *path);

/*
 * Reads a file (or a pipe, or standard input for "-") to its end into `out`.
 * `what` names it in messages, as in "PULL_SECRET_FILE". Codes: NOT_FOUND,
 * PERMISSION_DENIED, INVALID_ARGUMENT (a directory, any other error),
 * OUT_OF_RANGE (it does not fit); while it waits for a pipe,
 * DEADLINE_EXCEEDED (`until` passed) and CANCELLED (a signal came).
 */
MUST_CHECK enum code file_read(const char *path, const char *what,
			       struct deadline until, struct buf *out,
			       struct status *st);

/* The same of an open descriptor, which `name` stands for in messages. */
MUST_CHECK enum code file_read_to_end(int fd, const char *name,
				      const char *what, struct deadline until,
				      struct buf *out, struct status *st);

/* The code for an errno of opening or reading: NOT_FOUND and so on. */
enum code file_code_of_errno(int error);

/*
 * Reads a file (or a pipe) and gives each piece of it to `take`, to its end or
 * until `take` returns false, which may set `st`. `take` must bound the size.
 * Codes as file_read(), but for OUT_OF_RANGE.
 */
MUST_CHECK enum code file_stream(const char *path, const char *what,
				 struct deadline until,
				 bool (*take)(void *context, struct str piece),
				 void *context, struct status *st);

/*
 * Calls `each` with the name of every entry of a folder, in no order, until it
 * returns false. Returns false, with errno set, if the folder cannot be read.
 */
MUST_CHECK bool file_list(const char *folder,
			  bool (*each)(void *context, const char *name),
			  void *context);

/*
 * A file that is written at once, in a folder held open: into a temporary file
 * in the same folder, which is then renamed.
 */
struct file_target {
	int folder;  /* -1: none */
	int temp_fd; /* the temporary file; -1: none so far */
	char path[512];
	const char *name; /* the last part of `path` */
	char temp_name[40];
};

/*
 * Opens the folder of `path`, into which one must be able to write. Codes as
 * file_read(); INVALID_ARGUMENT if `path` is too long, ends in '/', or is
 * anything but a regular file or nothing (a link, a device).
 */
MUST_CHECK enum code file_target_open(struct file_target *target,
				      const char *path, const char *what,
				      struct status *st);

/* Removes the file if it is there. */
void file_target_remove(const struct file_target *target);

/*
 * Writes `content` into the temporary file, so that as many bytes of the volume
 * belong to what file_target_write() will write. UNAVAILABLE if there is no
 * room for them, INVALID_ARGUMENT if the folder is of a kind that has none.
 */
MUST_CHECK enum code file_target_reserve(struct file_target *target,
					 struct str content, struct status *st);

/*
 * Replaces the file at once: a reader sees the old one or all of the new one,
 * mode 0644 whatever the umask. INTERNAL if it cannot be written; it may be
 * tried again.
 */
MUST_CHECK enum code file_target_write(struct file_target *target,
				       struct str content, struct status *st);

/* The same, async-signal-safe; false with errno set. */
MUST_CHECK bool file_target_put(struct file_target *target, struct str content);

/* Removes the temporary file and closes the folder, if they are there. */
void file_target_close(struct file_target *target);

/*
 * Waits until a descriptor takes the next bytes. UNAVAILABLE if nobody reads
 * any more; else codes as file_write_all().
 */
MUST_CHECK enum code file_wait_writable(int fd, struct deadline until,
					struct status *st);

/*
 * Writes all of `content` to a descriptor. UNAVAILABLE if that fails (full,
 * closed, broken pipe); while it waits for room, DEADLINE_EXCEEDED and
 * CANCELLED as above.
 */
MUST_CHECK enum code file_write_all(int fd, struct str content,
				    struct deadline until, struct status *st);

#endif
