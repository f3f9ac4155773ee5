/*
 * Floor 4, job. The options of every job, and of everything that uses the
 * network: the texts of flags and variables.
 *
 * A job's own options stand in its own file.
 */
#ifndef JOB_OPTIONS_H
#define JOB_OPTIONS_H

#include "gcp/client.h"
#include "sys/opt.h"

/* NULL where neither flag nor variable was given. */
struct run_options {
	const char *timeout;         /* MAX_WAIT_TIME_SECONDS */
	const char *permission_wait; /* PERMISSION_WAIT_SECONDS */
	const char *results_path;    /* RESULTS_PATH */
	const char *termination_log; /* TERMINATION_LOG_PATH */
	const char *quiet;           /* LOG_QUIET, a switch */
};

/* Those of RUN_OPTIONS that are one of some words, for log_init(). */
enum log_option { LOG_FORMAT, LOG_LEVEL, LOG_OUTPUT, LOG_OPTIONS };

/* The options of every job, and the part of them that is about time. */
extern const struct opt_table RUN_OPTIONS;
extern const struct opt_table TIME_OPTIONS;

/* Those of credentials and network. */
extern const struct opt_table NETWORK_OPTIONS;

/* The values of RUN_OPTIONS. */
const struct run_options *options_of_run(void);

/* A row of them; its argument lists the words, as "text|json". */
const struct opt *options_of_log(enum log_option which);

/*
 * The time limit in milliseconds: 1 s to one day. INVALID_ARGUMENT for
 * anything else.
 */
MUST_CHECK enum code options_timeout_ms(int64_t *ms, struct status *st);

/*
 * How long a missing role is waited for, in milliseconds: up to one day, 0 if
 * nothing was given. INVALID_ARGUMENT for anything else.
 */
MUST_CHECK enum code options_permission_wait_ms(int64_t *ms, struct status *st);

/*
 * Reads what the client needs: credentials and endpoints. `client->until` says
 * how long a pipe is waited for. Codes: those of client_load().
 */
MUST_CHECK enum code options_load_client(struct client *client,
					 struct status *st);

/*
 * Writes the path of the credential file that is looked for where none is named
 * to `out`, of ADC_PATH_SIZE bytes; false if there is none.
 */
MUST_CHECK bool options_gcloud_file(char *out);

/*
 * Reads what all connections share: certification authorities, proxy, name
 * servers. Touches no network. Codes: INVALID_ARGUMENT, those of
 * trust_use_file() until `until`.
 */
MUST_CHECK enum code options_read_network(struct network *network,
					  struct deadline until,
					  struct status *st);

/*
 * Overwrites users and passwords of proxies in the environment and in argv,
 * after they were read.
 */
void options_wipe(void);

#endif
