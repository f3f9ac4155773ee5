/*
 * Floor 4, job. A list of tasks, read as a stream: a JSON object a line.
 */
#ifndef JOB_TASKS_H
#define JOB_TASKS_H

#include "base/json.h"
#include "job/task.h"
#include "job/tasks_options.h"
#include "sys/clock.h"
#include "sys/lines.h"

/* Caller-owned and large; holds secrets: end with tasks_close(). */
struct tasks {
	struct lines lines;
	int folder;    /* of the paths in it; -1: they are refused */
	bool payloads; /* the job needs a pull secret */
	bool hinted;   /* at what a line is */
	/* The one for lines that bring none, or "". */
	struct str shared;
	unsigned char shared_digest[TASK_DIGEST_SIZE];
	size_t number; /* of the last line, from 1 */
	uint64_t size; /* of the list; 0: unknown */
	struct str line;
	struct json_tokens tokens;
	char memory[TASK_LINE_MAX + 1];
};

/*
 * Opens the list and the folder of its paths; reads nothing. `payloads` says
 * whether the job needs a pull secret; if not, those of the lines are left
 * alone. INVALID_ARGUMENT if one of them cannot be opened.
 */
MUST_CHECK enum code tasks_open(struct tasks *tasks, bool payloads,
				struct status *st);

/* The pull secret of lines that bring none; "": there is none. It must stay. */
void tasks_share(struct tasks *tasks, struct str payload);

/* The folder that tasks_load() opens files beneath; -1: none. */
int tasks_folder(const struct tasks *tasks);

enum tasks_step {
	TASKS_TASK,
	TASKS_BAD,   /* a line that is wrong: `st` says why, with its number */
	TASKS_MORE,  /* no whole line so far */
	TASKS_AGAIN, /* nothing to read now: poll tasks_fd() */
	TASKS_END,
	TASKS_BROKEN /* the list cannot be read on: UNAVAILABLE in `st` */
};

/*
 * Reads the next task of the list. Never waits, reads once at most. Fills in
 * all of `task`, which needs no task_init() and was wiped: its pull secret, if
 * the line holds it, is in its `input`; if it names a file, in `path`. Project
 * and cluster of a line that is wrong are NULL where they are what is wrong.
 */
enum tasks_step tasks_next(struct tasks *tasks, struct task *task,
			   struct status *st);

/* What to poll for reading after TASKS_AGAIN. */
int tasks_fd(const struct tasks *tasks);

/*
 * The bytes of the last line, without line feed; "" if it was too long. Wiped
 * by the next tasks_next().
 */
struct str tasks_line(const struct tasks *tasks);

/*
 * Sets `payload` and `digest` of a task: of the file that it names, which is
 * read into its `input`, of what its line brought, or of what is shared.
 * INVALID_ARGUMENT, with the number of the line, if it cannot be read, is
 * empty, or is not beneath the list's folder; OUT_OF_RANGE if it is too large;
 * CANCELLED.
 */
MUST_CHECK enum code tasks_load(const struct tasks *tasks, struct task *task,
				struct deadline until, struct status *st);

/*
 * How many bytes of the list tasks_next() has passed, what it just gave, too;
 * and its size; 0: unknown.
 */
void tasks_progress(const struct tasks *tasks, uint64_t *taken, uint64_t *size);

/*
 * Appends a task as a line of such a list: its pull secret as a string, or the
 * path that it was read from. `out->overflow` if it does not fit.
 */
void tasks_write_line(const struct task *task, struct buf *out);

/* Wipes what was read and closes the list. */
void tasks_close(struct tasks *tasks);

#endif
