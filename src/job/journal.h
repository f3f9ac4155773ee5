/*
 * Floor 4, job. What was verified, so that a run that was interrupted goes on
 * without repeating it.
 *
 * One line for each version, which holds no secret: {"secret":
 * "projects/P/secrets/S","sha256":"HEX","version":"projects/N/secrets/S/
 * versions/V"}; the last one of a secret counts.
 */
#ifndef JOB_JOURNAL_H
#define JOB_JOURNAL_H

#include "job/task.h"
#include "sys/append.h"
#include "sys/opt.h"

/* Secrets that a journal has room for: 50,000 in a table of 2^16 rows. */
#define JOURNAL_SECRETS_MAX 50000
#define JOURNAL_ROWS 65536

/* What the names in it are of, as str_only() takes it. */
#define JOURNAL_NAME "A-Za-z0-9:._/-"

struct journal_row {
	uint64_t secret;  /* task->hash; see job/shard.h */
	uint64_t payload; /* of its SHA-256; both 0: a free row */
};

/* Caller-owned, all zero at first: a megabyte. Private to journal.c. */
struct journal {
	bool is_open;
	struct append file;
	size_t count;
	struct journal_row row[JOURNAL_ROWS];
};

/* --journal, JOURNAL_FILE; of jobs that store. */
extern const struct opt_table JOURNAL_OPTIONS;

/* What was given; NULL: nothing, or journal_ignore() for a dry run. */
const char *journal_path(void);
void journal_ignore(void);

/*
 * Opens and reads the journal at `path`; NULL: there is none. A last line that
 * was torn is cut off. Codes: those of append_open(); INVALID_ARGUMENT names
 * the line that is none of a journal, OUT_OF_RANGE says that there are
 * too many secrets.
 */
MUST_CHECK enum code journal_open(struct journal *journal, const char *path,
				  struct status *st);

/*
 * Whether the secret of a task (task->hash) was stored last with the same bytes
 * (task->digest).
 */
bool journal_has(const struct journal *journal, const struct task *task);

/*
 * Records that `version` was verified to hold the task's bytes; OK without a
 * journal. UNAVAILABLE if it cannot be written, OUT_OF_RANGE if it is
 * full: then no more tasks may be started.
 */
MUST_CHECK enum code journal_add(struct journal *journal,
				 const struct task *task, const char *version,
				 struct status *st);

/* Closes it; a forked process closes its copy, too. */
void journal_close(struct journal *journal);

#endif
