#include "job/settings.h"

#include <stddef.h>

#define AT(member) offsetof(struct settings, member)

static const struct opt RUN[] = {
	{ "timeout", "MAX_WAIT_TIME_SECONDS", "SECONDS", "280",
	  "time for the whole run", AT(timeout) },
	{ "results-path", "RESULTS_PATH", "PATH",
	  "/results/adapter-result.json if that folder exists",
	  "where the result file is written", AT(results_path) },
	{ "termination-log", "TERMINATION_LOG_PATH", "PATH",
	  "/dev/termination-log if it is there",
	  "file that gets one line on how the run ended", AT(termination_log) },
};

static const struct opt NETWORK[] = {
	{ "credentials-file", "GOOGLE_APPLICATION_CREDENTIALS", "PATH", NULL,
	  "credential file to use instead of searching", AT(credentials_file) },
	{ "impersonate-service-account",
	  "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "EMAIL", NULL,
	  "service account to act as; delegates before it: A,B,EMAIL",
	  AT(impersonate) },
	{ "quota-project", "GOOGLE_CLOUD_QUOTA_PROJECT", "PROJECT",
	  "the credential file's", "project that quota is charged to",
	  AT(quota_project) },
	{ "metadata-host", "GCE_METADATA_HOST", "HOST[:PORT]",
	  "169.254.169.254", "the metadata server", AT(metadata_host) },
	{ "no-metadata", "NO_GCE_CHECK", NULL, NULL,
	  "never ask the metadata server", AT(no_metadata) },
	{ "endpoint", "SECRET_MANAGER_ENDPOINT", "URL",
	  "https://secretmanager.googleapis.com", "base URL of Secret Manager",
	  AT(endpoint) },
	{ "connect-to", "SECRET_MANAGER_CONNECT_TO", "HOST[:PORT]", NULL,
	  "where to connect instead; the names stay", AT(connect_to) },
	{ "oauth2-endpoint", "OAUTH2_ENDPOINT", "URL",
	  "https://oauth2.googleapis.com",
	  "base URL of the token endpoint of user credentials",
	  AT(oauth2_endpoint) },
	{ "sts-endpoint", "STS_ENDPOINT", "URL", "https://sts.googleapis.com",
	  "base URL of the Security Token Service", AT(sts_endpoint) },
	{ "iam-credentials-endpoint", "IAM_CREDENTIALS_ENDPOINT", "URL",
	  "https://iamcredentials.googleapis.com",
	  "base URL of the IAM Credentials API", AT(iam_endpoint) },
	{ "universe-domain", "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "DOMAIN",
	  "googleapis.com", "domain of the cloud's services", AT(universe) },
	{ "https-proxy", "HTTPS_PROXY", "URL", NULL,
	  "proxy to Google, http or https; also https_proxy", AT(https_proxy) },
	{ "no-proxy", "NO_PROXY", "LIST", NULL,
	  "hosts, domains, networks without proxy; also no_proxy",
	  AT(no_proxy) },
	{ "ca-file", "SSL_CERT_FILE", "PATH", "the compiled-in roots",
	  "PEM file of certification authorities to trust instead",
	  AT(ca_file) },
	{ "ca-dir", "SSL_CERT_DIR", "PATH[:PATH...]", NULL,
	  "folders of such files, besides or instead", AT(ca_folders) },
	{ "system-roots", "SYSTEM_ROOTS", NULL, NULL,
	  "trust the system's own bundle instead", AT(system_roots) },
};

const struct opt_table RUN_OPTIONS = { "Every job", RUN, OPT_COUNT(RUN) };
const struct opt_table TIME_OPTIONS = { "Time", RUN, 1 };
const struct opt_table NETWORK_OPTIONS = { "Credentials and network", NETWORK,
					   OPT_COUNT(NETWORK) };
