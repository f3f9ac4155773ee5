#include "job/run.h"

#include <stdarg.h>
#include <stdio.h>

#include "job/input.h"
#include "sys/opt.h"
#include "sys/sandbox.h"

/* Every retry is logged, with what failed and how long it waits. */
static void
log_retry(void *context, const struct status *st, unsigned attempt,
	  int64_t wait_ms)
{
	struct run *run = context;
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = run->operation,
				       .message = st->message,
				       .status = st,
				       .attempt = attempt,
				       .retry_in_ms = wait_ms };

	report_log(&run->report, &line);
}

void
run_init(struct run *run)
{
	run->operation = "start";
	run->report.result.folder = -1;
	run->report.result.hidden = -1;
	run->report.termination_log = -1;
	run->listener = (struct retry_listener){ log_retry, run };
	buf_init(&run->input, run->input_memory, sizeof(run->input_memory));
	call_init(&run->call);
	run->until = deadline_in((int64_t)TIMEOUT_DEFAULT_S * 1000);
	run->report.until = run->until;
}

enum code
run_start_clock(struct run *run, struct status *st)
{
	int64_t timeout_ms;

	if (config_timeout_ms(&run->settings, &timeout_ms, st) != CODE_OK)
		return st->code;
	run->until = deadline_in(timeout_ms);
	run->report.until = run->until;
	return CODE_OK;
}

/* With plain http the token may not be sent to another machine. */
static enum code
prepare_connect_to(struct run *run, struct status *st)
{
	const char *text = run->settings.connect_to;

	if (text == NULL ||
	    url_from_host(&run->via, str_from(text), run->sm.url.port,
			  "SECRET_MANAGER_CONNECT_TO", st) != CODE_OK)
		return st->code;
	if (run->sm.url.tls || url_is_loopback(&run->via))
		return CODE_OK;
	status_hint(st, "use https in SECRET_MANAGER_ENDPOINT");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "SECRET_MANAGER_CONNECT_TO must be an address of the "
			  "loopback where SECRET_MANAGER_ENDPOINT is http");
}

static enum code
prepare_trust(struct run *run, struct status *st)
{
	const struct settings *s = &run->settings;

	if (s->ca_folders != NULL)
		return trust_use_folders(&run->trust, s->ca_folders, s->ca_file,
					 clock_unix(), run->until, st);
	if (s->ca_file != NULL)
		return trust_use_file(&run->trust, "SSL_CERT_FILE", s->ca_file,
				      clock_unix(), run->until, st);
	if (s->system_roots != NULL)
		return trust_use_system(&run->trust, clock_unix(), run->until,
					st);
	trust_use_roots(&run->trust, clock_unix());
	return CODE_OK;
}

/* Many systems know the variables in lower case only. */
static enum code
prepare_proxy(struct run *run, struct status *st)
{
	const struct settings *s = &run->settings;

	(void)proxy_read(&run->proxy,
			 s->https_proxy != NULL ? s->https_proxy
						: opt_variable("https_proxy"),
			 s->no_proxy != NULL ? s->no_proxy
					     : opt_variable("no_proxy"),
			 st);
	input_wipe_proxy(s);
	return st->code;
}

enum code
run_prepare(struct run *run, struct status *st)
{
	const struct settings *s = &run->settings;
	const struct cred_settings cred = {
		.file = s->credentials_file,
		.gcloud_folder = opt_variable("CLOUDSDK_CONFIG"),
		.home = opt_variable("HOME"),
		.metadata_host = s->metadata_host,
		.quota_project = s->quota_project,
		.universe = s->universe,
		.oauth2_endpoint = s->oauth2_endpoint,
		.sts_endpoint = s->sts_endpoint,
		.iam_endpoint = s->iam_endpoint,
		.impersonate = s->impersonate,
		.endpoint = s->endpoint,
		.no_metadata = s->no_metadata != NULL,
		.in_kubernetes =
			opt_variable("KUBERNETES_SERVICE_HOST") != NULL,
		.until = run->until,
	};

	if (cred_load(&run->cred, &cred, &run->call, st) != CODE_OK ||
	    secretmanager_init(&run->sm, s->endpoint, &run->cred, &run->call,
			       &run->listener, st) != CODE_OK ||
	    prepare_trust(run, st) != CODE_OK)
		return st->code;
	if (prepare_proxy(run, st) != CODE_OK ||
	    prepare_connect_to(run, st) != CODE_OK)
		return st->code;
	resolver_config_read(&run->resolver);
	cred_connect(&run->cred, &run->trust, &run->resolver, &run->proxy);
	secretmanager_connect(&run->sm, &run->trust, &run->resolver,
			      &run->proxy);
	if (s->connect_to != NULL)
		conn_connect_to(&run->sm.conn, &run->via);
	return CODE_OK;
}

enum code
run_confine(struct run *run, struct status *st)
{
	const struct sandbox_allow allow = {
		.write_folder = run->report.result.folder,
		.reread = cred_token_file(&run->cred),
	};

	return sandbox_enter(&allow, st);
}

enum code
run_connect(struct run *run, struct status *st)
{
	struct retry retry = retry_calls(&run->listener, run->until);

	conn_open_beside(&run->sm.conn, &run->cred.conn);
	if (cred_fetch(&run->cred, &run->call, &run->listener, run->until,
		       st) != CODE_OK)
		return st->code;
	/* The token's source has done its part until the token expires. */
	run->cred.conn.beside = NULL;
	conn_close(&run->cred.conn);
	while (conn_open(&run->sm.conn, run->until, st) != CODE_OK)
		if (!retry_again(&retry, st)) {
			if (!status_interrupted(st))
				status_prefix(st, "cannot reach Secret "
						  "Manager");
			return st->code;
		}
	return CODE_OK;
}

enum code
run_check_log(const struct run *run, struct status *st)
{
	if (run->report.failure.code != CODE_OK) {
		*st = run->report.failure;
		st->permanent = true;
		status_prefix(st, "standard output");
	}
	return st->code;
}

void
run_log(struct run *run, const char *operation, const char *format, ...)
{
	char message[STATUS_MESSAGE_MAX];
	const struct log_line line = { .level = LOG_INFO,
				       .operation = operation,
				       .message = message };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report_log(&run->report, &line);
}

void
run_log_done(struct run *run, const char *operation, int64_t started_ms,
	     const char *format, ...)
{
	char message[STATUS_MESSAGE_MAX];
	const struct log_line line = {
		.level = LOG_INFO,
		.operation = operation,
		.message = message,
		.timed = true,
		.duration_ms = clock_ms() - started_ms,
		.version = run->written ? run->version.name : NULL,
	};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report_log(&run->report, &line);
}

void
run_wipe(struct run *run)
{
	cred_wipe(&run->cred);
	conn_close(&run->sm.conn);
	proxy_wipe(&run->proxy);
	wipe(run->sm.bearer, sizeof(run->sm.bearer));
	if (run->call.body.ptr != NULL)
		call_wipe(&run->call);
	if (run->input.ptr != NULL)
		buf_wipe(&run->input);
	run->secret = STR("");
	run->sm.secret = STR("");
	report_close(&run->report);
}
