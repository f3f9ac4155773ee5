/*
 * Floor 4, job. Everything that one run of the program owns.
 *
 * One struct, in static memory, so that its size is known, nothing is
 * allocated, and one call wipes every secret.
 */
#ifndef JOB_RUN_H
#define JOB_RUN_H

#include "gcp/secretmanager.h"
#include "job/config.h"
#include "job/report.h"

struct run {
	struct settings settings;
	struct config config;
	struct report report;
	struct deadline until;
	/* What the run is doing, as the log names it. */
	const char *operation;
	/* The version that was written, once that is known. */
	struct secret_version version;
	bool written;
	/* A version may have been written, and nobody could tell. */
	bool maybe_written;
	struct buf input;  /* the pull secret as it was read */
	struct str secret; /* the part of it that is stored */
	struct retry_listener listener;
	struct call call;
	struct cred cred;
	struct secretmanager sm;
	struct trust trust;
	struct resolver_config resolver;
	struct proxy proxy;
	struct url via; /* SECRET_MANAGER_CONNECT_TO */
	char input_memory[PULL_SECRET_MAX + PULL_SECRET_SLACK];
};

/* Gives the parts of an all-zero `run` their memory. */
void run_init(struct run *run);

/*
 * Starts the clock of the run, first of all, because writing the log takes
 * time, too. INVALID_ARGUMENT if the timeout is none.
 */
MUST_CHECK enum code run_start_clock(struct run *run, struct status *st);

/*
 * Reads what the network will need: credentials, certification authorities,
 * name servers. Touches no network. INVALID_ARGUMENT or UNAUTHENTICATED.
 */
MUST_CHECK enum code run_prepare(struct run *run, struct status *st);

/*
 * Gives up every file and system call that the rest of the run does not need.
 * Codes: those of sandbox_enter().
 */
MUST_CHECK enum code run_confine(struct run *run, struct status *st);

/*
 * Gets a token and opens the connection to Secret Manager, at the same time.
 * Codes: those of cred_fetch() and conn_open().
 */
MUST_CHECK enum code run_connect(struct run *run, struct status *st);

/*
 * Whether every log line so far could be written: as long as nothing was sent,
 * a run ends that nobody can follow. The code of the failure.
 */
MUST_CHECK enum code run_check_log(const struct run *run, struct status *st);

/* Logs an information of the present operation. */
void run_log(struct run *run, const char *operation, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with the time since `started_ms` (clock_ms()) and the version. */
void run_log_done(struct run *run, const char *operation, int64_t started_ms,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Closes what is open and wipes every secret. */
void run_wipe(struct run *run);

#endif
