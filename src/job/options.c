#include "job/options.h"

#include "gcp/adc.h"
#include "job/target.h"

static struct run_options run;
static const char *log_options[LOG_OPTIONS];

static struct {
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
} net;

static const struct opt RUN[] = {
	{ "--timeout", "MAX_WAIT_TIME_SECONDS", "DURATION",
	  "time for the whole run, as 90, 90s, 5m, 1h|280", &run.timeout,
	  OPT_PLAIN },
	{ "--permission-wait", "PERMISSION_WAIT_SECONDS", "DURATION",
	  "how long a missing role is waited for|0", &run.permission_wait,
	  OPT_PLAIN },
	{ "--results-path", "RESULTS_PATH", "PATH",
	  "where the result file is written|/results/adapter-result.json if "
	  "that folder exists",
	  &run.results_path, OPT_PLAIN },
	{ "--termination-log", "TERMINATION_LOG_PATH", "PATH",
	  "file that gets a line on how it ended|/dev/termination-log if it is "
	  "there",
	  &run.termination_log, OPT_PLAIN },
	{ "--quiet", "LOG_QUIET", NULL, "log errors only, and no summary",
	  &run.quiet, OPT_PLAIN },
	/* two rows each, in the order of enum log_option */
	{ "--log-format", "HYPERFLEET_LOG_FORMAT", "text|json",
	  "how log lines look|json, but text on a terminal",
	  &log_options[LOG_FORMAT], OPT_PLAIN },
	{ NULL, "LOG_FORMAT", "", NULL, &log_options[LOG_FORMAT], OPT_PLAIN },
	{ "--log-level", "HYPERFLEET_LOG_LEVEL", "debug|info|warn|error",
	  "least level that is logged|info", &log_options[LOG_LEVEL],
	  OPT_PLAIN },
	{ NULL, "LOG_LEVEL", "", NULL, &log_options[LOG_LEVEL], OPT_PLAIN },
	{ "--log-output", "HYPERFLEET_LOG_OUTPUT", "stdout|stderr",
	  "where the log goes|stdout", &log_options[LOG_OUTPUT], OPT_PLAIN },
	{ NULL, "LOG_OUTPUT", "", NULL, &log_options[LOG_OUTPUT], OPT_PLAIN },
};

static const struct opt NETWORK[] = {
	{ "--credentials-file", "GOOGLE_APPLICATION_CREDENTIALS", "PATH",
	  "credential file, instead of a search", &net.credentials_file,
	  OPT_INPUT },
	{ "--impersonate-service-account",
	  "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT", "EMAIL",
	  "service account to act as; delegates before it: A,B,EMAIL",
	  &net.impersonate, OPT_NONE },
	{ "--quota-project", "GOOGLE_CLOUD_QUOTA_PROJECT", "PROJECT",
	  "project that quota is charged to|the credential file's",
	  &net.quota_project, OPT_NONE },
	{ "--metadata-host", "GCE_METADATA_HOST", "HOST[:PORT]",
	  "the metadata server|169.254.169.254 or fd20:ce::254",
	  &net.metadata_host, OPT_NONE },
	{ "--no-metadata", "NO_GCE_CHECK", NULL,
	  "never ask the metadata server", &net.no_metadata, OPT_PLAIN },
	{ "--endpoint", "SECRET_MANAGER_ENDPOINT", "URL",
	  "URL of Secret Manager; http on the loopback "
	  "only|https://secretmanager.googleapis.com",
	  &net.endpoint, OPT_NONE },
	{ "--connect-to", "SECRET_MANAGER_CONNECT_TO", "HOST[:PORT]",
	  "where to connect instead; the names stay", &net.connect_to,
	  OPT_NONE },
	{ "--oauth2-endpoint", "OAUTH2_ENDPOINT", "URL",
	  "URL for tokens of user credentials|https://oauth2.googleapis.com",
	  &net.oauth2_endpoint, OPT_PLAIN },
	{ "--sts-endpoint", "STS_ENDPOINT", "URL",
	  "URL of the Security Token Service|https://sts.googleapis.com",
	  &net.sts_endpoint, OPT_NONE },
	{ "--iam-credentials-endpoint", "IAM_CREDENTIALS_ENDPOINT", "URL",
	  "URL of the IAM Credentials "
	  "API|https://iamcredentials.googleapis.com",
	  &net.iam_endpoint, OPT_NONE },
	{ "--universe-domain", "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "DOMAIN",
	  "domain of the cloud's services|googleapis.com", &net.universe,
	  OPT_NONE },
	{ "--https-proxy", "HTTPS_PROXY", "URL",
	  "proxy to Google: http(s)://[USER:PASSWORD@]HOST:PORT",
	  &net.https_proxy, OPT_HIDDEN | OPT_NONE },
	/* Many systems know these in lower case only. */
	{ NULL, "https_proxy", "URL", NULL, &net.https_proxy, OPT_HIDDEN },
	{ "--no-proxy", "NO_PROXY", "LIST",
	  "hosts, .domains, addresses, CIDR networks without proxy",
	  &net.no_proxy, OPT_NONE },
	{ NULL, "no_proxy", "LIST", NULL, &net.no_proxy, OPT_PLAIN },
	{ "--ca-file", "SSL_CERT_FILE", "PATH",
	  "PEM file of roots to trust instead|compiled in", &net.ca_file,
	  OPT_INPUT | OPT_NONE },
	{ "--ca-dir", "SSL_CERT_DIR", "PATH[:PATH...]",
	  "folders of such files, besides or instead", &net.ca_folders,
	  OPT_NONE },
	{ "--system-roots", "SYSTEM_ROOTS", NULL,
	  "trust the system's roots instead", &net.system_roots, OPT_PLAIN },
};

const struct opt_table RUN_OPTIONS = { "Every job", RUN, OPT_COUNT(RUN) };
const struct opt_table TIME_OPTIONS = { "Time", RUN, 1 };
const struct opt_table NETWORK_OPTIONS = { "Credentials and network", NETWORK,
					   OPT_COUNT(NETWORK) };

const struct run_options *
options_of_run(void)
{
	return &run;
}

const struct opt *
options_of_log(enum log_option which)
{
	return &RUN[OPT_COUNT(RUN) - 2 * (LOG_OPTIONS - which)];
}

enum code
options_timeout_ms(int64_t *ms, struct status *st)
{
	uint64_t seconds = TIMEOUT_DEFAULT_S;

	(void)opt_duration("MAX_WAIT_TIME_SECONDS", 1, TIMEOUT_MAX_S, &seconds,
			   st);
	*ms = (int64_t)seconds * 1000;
	return st->code;
}

enum code
options_permission_wait_ms(int64_t *ms, struct status *st)
{
	uint64_t seconds = 0;

	(void)opt_duration("PERMISSION_WAIT_SECONDS", 0, TIMEOUT_MAX_S,
			   &seconds, st);
	*ms = (int64_t)seconds * 1000;
	return st->code;
}

enum code
options_load_client(struct client *client, struct status *st)
{
	const struct client_settings settings = {
		.cred = {
			.file = net.credentials_file,
			.gcloud_folder = opt_variable("CLOUDSDK_CONFIG"),
			.home = opt_variable("HOME"),
			.metadata_host = net.metadata_host,
			.quota_project = net.quota_project,
			.universe = net.universe,
			.oauth2_endpoint = net.oauth2_endpoint,
			.sts_endpoint = net.sts_endpoint,
			.iam_endpoint = net.iam_endpoint,
			.impersonate = net.impersonate,
			.endpoint = net.endpoint,
			.no_metadata = net.no_metadata != NULL,
			.in_kubernetes =
			opt_variable("KUBERNETES_SERVICE_HOST") != NULL,
			.in_cloud_run = opt_variable("K_SERVICE") != NULL ||
					opt_variable("CLOUD_RUN_JOB") != NULL,
			.until = client->until,
		},

		.connect_to = net.connect_to,
		.location = target_options()->location,
	};

	return client_load(client, &settings, st);
}

bool
options_gcloud_file(char *out)
{
	return net.credentials_file == NULL &&
	       adc_gcloud_path(opt_variable("CLOUDSDK_CONFIG"),
			       opt_variable("HOME"), out, ADC_PATH_SIZE);
}

static enum code
read_trust(struct trust *trust, struct deadline until, struct status *st)
{
	if (net.ca_folders != NULL)
		return trust_use_folders(trust, net.ca_folders, net.ca_file,
					 clock_unix(), until, st);
	if (net.ca_file != NULL)
		return trust_use_file(trust, opt_origin("SSL_CERT_FILE"),
				      net.ca_file, clock_unix(), until, st);
	if (net.system_roots != NULL)
		return trust_use_system(trust, clock_unix(), until, st);
	trust_use_roots(trust, clock_unix());
	return CODE_OK;
}

static enum code
read_proxy(struct proxy *proxy, struct status *st)
{
	(void)proxy_read(proxy, net.https_proxy, net.no_proxy, st);
	options_wipe();
	return st->code;
}

enum code
options_read_network(struct network *network, struct deadline until,
		     struct status *st)
{
	if (read_trust(&network->trust, until, st) != CODE_OK ||
	    read_proxy(&network->proxy, st) != CODE_OK)
		return st->code;
	resolver_config_read(&network->resolver);
	return CODE_OK;
}

void
options_wipe(void)
{
	proxy_wipe_text(net.https_proxy);
	proxy_wipe_text(opt_variable("HTTPS_PROXY"));
	proxy_wipe_text(opt_variable("https_proxy"));
}
