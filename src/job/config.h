/*
 * Floor 4, job. The names that the main job works with, checked.
 */
#ifndef JOB_CONFIG_H
#define JOB_CONFIG_H

#include "base/status.h"
#include "job/settings.h"

/* Secret Manager: [A-Za-z0-9_-]{1,255}. */
#define SECRET_NAME_SIZE 256
/* A label value: at most 63 characters. */
#define CLUSTER_ID_MAX 63
/* Project IDs have up to 30; domain-scoped ones have a domain in front. */
#define PROJECT_ID_MAX 100

struct config {
	const char *project;
	const char *cluster_id;
	char secret[SECRET_NAME_SIZE];
};

/*
 * Takes GCP_PROJECT_ID, CLUSTER_ID and SECRET_NAME (by default
 * "hyperfleet-CLUSTER_ID-pull-secret"). INVALID_ARGUMENT names the variable,
 * the rule and the first character that breaks it.
 */
MUST_CHECK enum code config_read(struct config *config,
				 const struct settings *settings,
				 struct status *st);

/*
 * The time limit of the run in milliseconds: 1 s to one day. INVALID_ARGUMENT
 * for anything else.
 */
MUST_CHECK enum code config_timeout_ms(const struct settings *settings,
				       int64_t *ms, struct status *st);

#endif
