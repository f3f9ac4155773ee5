/*
 * Floor 4, job. Looking for the version of an addVersion that got no answer.
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
 * gaps and are never given twice, so the newest version is found by asking for
 * numbers ("latest" may lag behind); from there it reads downwards.
 *
 * OK and `*found`: the newest version holds the bytes, or any one does where
 * all are new; `*version` names it. OK and not `*found`: no version among the
 * newest holds them. All else: nobody can tell, and `st` says why. The same
 * bytes below the newest version may be older, what is disabled or destroyed
 * cannot be read, the calls failed, or a signal came.
 */
MUST_CHECK enum code find_written_version(const struct version_search *search,
					  struct secret_version *version,
					  bool *found, struct status *st);

#endif
