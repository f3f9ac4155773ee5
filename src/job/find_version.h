/*
 * Floor 4, job. Finds the version of an addVersion without an answer.
 */
#ifndef JOB_FIND_VERSION_H
#define JOB_FIND_VERSION_H

#include "gcp/secretmanager.h"

/* What is looked for, and where. Arguments must stay during the search. */
struct version_search {
	struct secretmanager *sm;
	const char *project;
	const char *secret;
	struct str payload;
	/*
	 * This run sent the create of the secret: reads may not see it yet, so
	 * that NOT_FOUND proves nothing.
	 */
	bool just_created;
	/* That create made it, so that all its versions are younger. */
	bool all_new;
	const struct retry_listener *listener;
	struct deadline until;
};

/*
 * Finds out whether the version with `payload` was written. Numbers have no
 * gaps and are never reused, so the newest version is found by probing
 * numbers ("latest" may lag behind); from there it reads downwards.
 *
 * OK and `*found`: the newest version holds the bytes, or any one does where
 * all are new; `*version` names it. OK and not `*found`: no version among the
 * newest holds them. All else: it is unknown, and `st` says why: the same
 * bytes below the newest version, which may be older; versions that are
 * disabled or destroyed; calls that failed; a signal.
 */
MUST_CHECK enum code find_written_version(const struct version_search *search,
					  struct secret_version *version,
					  bool *found, struct status *st);

#endif
