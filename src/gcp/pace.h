/*
 * Floor 3, Google. Whom requests ask before they are sent, so that many
 * processes share one quota.
 *
 * https://cloud.google.com/secret-manager/quotas
 */
#ifndef GCP_PACE_H
#define GCP_PACE_H

#include "base/status.h"
#include "sys/clock.h"

/* What a request is charged to, for each project a quota of its own. */
enum quota {
	QUOTA_ACCESS, /* of payloads: 90,000 a minute, never waited for */
	QUOTA_READ,   /* 600 a minute */
	QUOTA_WRITE   /* 600 a minute */
};

/* `project` is the quota project, or else the secret's own. */
struct pacer {
	/*
	 * Called before each request but those of QUOTA_ACCESS: waits for its
	 * turn. DEADLINE_EXCEEDED if `until` passed before it came, CANCELLED
	 * if a signal did.
	 */
	enum code (*wait)(void *context, enum quota quota, const char *project,
			  struct deadline until, struct status *st);
	/*
	 * Called after each request that was refused with RESOURCE_EXHAUSTED
	 * (HTTP 429), with the wait that the server asked for, or 0.
	 */
	void (*throttled)(void *context, enum quota quota, const char *project,
			  uint64_t retry_after_ms);
	void *context;
};

#endif
