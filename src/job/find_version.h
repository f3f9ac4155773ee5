/*
 * Floor 4, job. Finds the newest version of a secret, and the version of an
 * addVersion without an answer.
 */
#ifndef JOB_FIND_VERSION_H
#define JOB_FIND_VERSION_H

#include "gcp/secretmanager.h"

/* The version with one number, as it was read. */
struct probe {
	struct secret_version version;
	bool exists;
	bool readable; /* neither disabled nor destroyed */
	bool equal;    /* holds the payload */
	size_t size;   /* of what it holds, 0 if it is not readable */
	uint32_t crc;  /* its CRC32C */
};

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
	/*
	 * The newest version before the addVersion, number 0 where there was
	 * none: younger ones that hold the payload count as written by it.
	 * NULL: unknown.
	 */
	const struct probe *baseline;
	const struct retry_listener *listener;
	struct deadline until;
};

/*
 * Finds the newest version, number 0 without one: from `latest`, which may lag
 * behind, upwards in growing steps to a number that is missing, then by halves.
 * Numbers have no gaps and are never reused. `*newest` was read by its number,
 * unless it does not hold the payload. ABORTED: others keep adding versions.
 */
MUST_CHECK enum code find_newest_version(const struct version_search *search,
					 struct probe *newest,
					 struct status *st);

/*
 * Finds out whether the version with `payload` was written: reads from the
 * newest one downwards, to the baseline where that is known. One that is gone
 * or changed means that the secret was made anew: all versions are younger.
 *
 * OK and `*found`: the newest version holds the bytes, or one that is younger
 * than the baseline; `*version` names it. OK and not `*found`: no version among
 * the newest holds them. All else: it is unknown, and `st` says why: the same
 * bytes below the newest version, which may be older; versions that are
 * disabled or destroyed; calls that failed; a signal.
 */
MUST_CHECK enum code find_written_version(const struct version_search *search,
					  struct secret_version *version,
					  bool *found, struct status *st);

#endif
