/*
 * Floor 4, job. All state of the program.
 *
 * One struct, in static memory, so that its size is known, nothing is
 * allocated, and one call wipes every secret.
 */
#ifndef JOB_PROGRAM_H
#define JOB_PROGRAM_H

#include "gcp/client.h"
#include "job/report.h"
#include "job/task.h"
#include "sys/opt.h"

struct program {
	struct network network;
	struct client client;
	struct report report;
	struct task task;
	struct task listed; /* of a worker: the one at hand, of a list */
	const struct opt_table *const *options; /* those that were parsed */
};

/* Gives the parts of an all-zero `program` their memory. */
void program_init(struct program *program);

/*
 * Starts the clock of the run, first of all, because writing the log takes
 * time, too. INVALID_ARGUMENT if one of the times is invalid.
 */
MUST_CHECK enum code program_start_clock(struct program *program,
					 struct status *st);

/*
 * Reads what the network will need: credentials, certification authorities,
 * name servers. Touches no network, and goes on after an error, so that all
 * files are compared (sys/file_guard.h). INVALID_ARGUMENT or UNAUTHENTICATED.
 */
MUST_CHECK enum code program_load(struct program *program, struct status *st);

/*
 * Gives up every file and system call that the rest of the run does not need.
 * Codes: those of sandbox_enter().
 */
MUST_CHECK enum code program_confine(struct program *program,
				     struct status *st);

/* Closes what is open and wipes every secret. */
void program_wipe(struct program *program);

#endif
