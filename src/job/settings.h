/*
 * Floor 4, job. What the user asked for, as texts from flags and variables.
 */
#ifndef JOB_SETTINGS_H
#define JOB_SETTINGS_H

#include "sys/opt.h"

/* NULL where neither flag nor variable was given. */
struct settings {
	/* the job's own */
	const char *project;          /* GCP_PROJECT_ID */
	const char *cluster_id;       /* CLUSTER_ID */
	const char *secret_name;      /* SECRET_NAME */
	const char *pull_secret_file; /* PULL_SECRET_FILE */
	const char *pull_secret_data; /* PULL_SECRET_DATA: the secret itself */
	const char *fake_pull_secret; /* switch */
	const char *dry_run;          /* switch */
	const char *json;             /* switch of some applets */
	/* of every job */
	const char *timeout;         /* MAX_WAIT_TIME_SECONDS */
	const char *results_path;    /* RESULTS_PATH */
	const char *termination_log; /* TERMINATION_LOG_PATH */
	/* of everything that uses the network */
	const char *endpoint;        /* SECRET_MANAGER_ENDPOINT */
	const char *oauth2_endpoint; /* OAUTH2_ENDPOINT */
	const char *sts_endpoint;    /* STS_ENDPOINT */
	const char *iam_endpoint;    /* IAM_CREDENTIALS_ENDPOINT */
	const char *universe;        /* GOOGLE_CLOUD_UNIVERSE_DOMAIN */
	const char *impersonate; /* CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT */
	const char *credentials_file; /* GOOGLE_APPLICATION_CREDENTIALS */
	const char *quota_project;    /* GOOGLE_CLOUD_QUOTA_PROJECT */
	const char *metadata_host;    /* GCE_METADATA_HOST */
	const char *no_metadata;      /* NO_GCE_CHECK, a switch */
	const char *https_proxy;      /* HTTPS_PROXY */
	const char *no_proxy;         /* NO_PROXY */
	const char *connect_to;       /* SECRET_MANAGER_CONNECT_TO */
	const char *ca_file;          /* SSL_CERT_FILE */
	const char *ca_folders;       /* SSL_CERT_DIR */
	const char *system_roots;     /* SYSTEM_ROOTS, a switch */
};

/*
 * The options of every job, the part of them that is about time, and those of
 * everything that uses the network.
 */
extern const struct opt_table RUN_OPTIONS;
extern const struct opt_table TIME_OPTIONS;
extern const struct opt_table NETWORK_OPTIONS;

#endif
