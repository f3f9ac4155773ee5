#include "job/report.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/json_write.h"
#include "base/redact.h"
#include "base/utf8.h"
#include "sys/clock.h"
#include "sys/crash.h"
#include "sys/file_guard.h"
#include "sys/opt.h"

/* What the reader of the result file keeps (status-reporter). */
#define RESULT_MESSAGE_MAX 1024

#define GRACE_MS 1000

/* Length of project and cluster as given, which may be invalid. */
#define NAME_MAX_SHOWN 128

/* Every retry is logged, with what failed and how long it waits. */
static void
log_retry(void *context, const struct status *st, unsigned attempt,
	  int64_t wait_ms)
{
	struct report *report = context;
	const struct log_line line = { .level = LOG_WARNING,
				       .operation = report->operation,
				       .message = st->message,
				       .status = st,
				       .attempt = attempt,
				       .retry_in_ms = wait_ms };

	report_log(report, &line);
}

/* Why a failure is final, and what each request took: for LOG_DEBUG. */
static void
log_final(void *context, const struct status *st, unsigned attempt,
	  const char *why)
{
	struct report *report = context;
	char message[64];
	const struct log_line line = { .level = LOG_DEBUG,
				       .operation = report->operation,
				       .message = message,
				       .attempt = attempt };

	(void)format_text(message, sizeof(message), "No retry after %s: %s",
			  code_name(st->code), why);
	report_log(report, &line);
}

static void
log_request(void *context, const struct call_event *event)
{
	struct report *report = context;
	const struct status st = { .code = event->code,
				   .http_status = event->http_status };
	char message[STATUS_MESSAGE_MAX];
	const struct log_line line = { .level = LOG_DEBUG,
				       .operation = report->operation,
				       .message = message,
				       .timed = true,
				       .duration_ms = event->duration_ms,
				       .status = &st,
				       .usage = event->usage };

	(void)format_text(message, sizeof(message), "%s %.*s of %s: %s",
			  event->method, (int)event->path.len, event->path.ptr,
			  event->service, code_name(event->code));
	report_log(report, &line);
}

void
report_clear(struct report *report)
{
	report->operation = "start";
	report->result.folder = -1;
	report->result.temp_fd = -1;
	report->termination_log = -1;
	report->retries = (struct retry_listener){ .notify = log_retry,
						   .context = report,
						   .give_up = log_final };
	report->requests = (struct call_observer){ log_request, report };
	report->until = deadline_in((int64_t)TIMEOUT_DEFAULT_S * 1000);
	status_clear(&report->failure);
}

/* A link may lead to a file that must not be replaced or truncated. */
enum code
report_check_others(const char *path, const char *what,
		    const struct other_file *other, size_t count,
		    struct status *st)
{
	for (size_t i = 0; i < count; i++)
		if (other[i].path == NULL ? file_is_open_as(path, other[i].fd)
					  : file_same(path, other[i].path))
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s: %s is the file of %s, too", what,
					  redact_argument(path), other[i].what);
	return CODE_OK;
}

enum code
report_init(struct report *report, const char *path,
	    const struct other_file *other, size_t count, struct status *st)
{
	struct status unused = { .code = CODE_OK };
	struct status *why = path == NULL ? &unused : st;
	const char *what = opt_origin("RESULTS_PATH");

	if (path == NULL && access(RESULTS_FOLDER, F_OK) != 0)
		return CODE_OK;
	if (path == NULL)
		path = RESULTS_FILE;
	if (file_target_open(&report->result, path, what, why) == CODE_OK &&
	    report_check_others(path, what, other, count, why) == CODE_OK)
		file_guard(FILE_RESULT, path);
	else
		file_target_close(&report->result);
	if (st->code != CODE_OK)
		st->code = CODE_INVALID_ARGUMENT;
	return st->code;
}

enum code
report_refuse_termination_log(const char *path, int error, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s: cannot write to %s, which must be a file that "
			  "is there: %s",
			  opt_origin("TERMINATION_LOG_PATH"),
			  redact_argument(path), strerror(error));
}

enum code
report_init_termination_log(struct report *report, const char *path,
			    const struct other_file *other, size_t count,
			    struct status *st)
{
	const char *what = opt_origin("TERMINATION_LOG_PATH");

	if (path != NULL &&
	    report_check_others(path, what, other, count, st) != CODE_OK)
		return st->code;
	report->termination_path = path == NULL ? TERMINATION_LOG : path;
	file_guard(FILE_TERMINATION_LOG, report->termination_path);
	report->termination_log =
		file_open_for_writing(report->termination_path);
	if (path == NULL || report->termination_log >= 0)
		return CODE_OK;
	return report_refuse_termination_log(path, errno, st);
}

static void
member(struct json_writer *json, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_member(json, key, str_from(value));
}

/* The last lines get GRACE_MS even after the deadline, but only once. */
static struct deadline
write_deadline(const struct report *report)
{
	if (report->failure.code == CODE_OK &&
	    deadline_left(report->until) < GRACE_MS)
		return deadline_in(GRACE_MS);
	return report->until;
}

/*
 * True if the line goes elsewhere. Of a list a line for each task is enough:
 * that of its end, or what a dry run would do.
 */
static bool
use_sink(struct report *report, const struct log_line *given)
{
	struct log_line line = *given;

	if (report->sink == NULL)
		return false;
	if (line.level == LOG_INFO &&
	    !str_eq(str_from(line.operation), STR("dry-run")))
		line.level = LOG_DEBUG;
	if (line.level >= report->log.level)
		report->sink->put(report->sink->context, &line,
				  &report->failure);
	return true;
}

void
report_log(struct report *report, const struct log_line *line)
{
	char memory[LOG_LINE_MAX];
	struct buf text;

	if (use_sink(report, line) || line->level < report->log.level)
		return;
	buf_init(&text, memory, sizeof(memory));
	if (!log_build(&report->log, report->cluster_id, report->project, line,
		       &text))
		(void)status_set(&report->failure, CODE_INTERNAL,
				 "a log line is too long");
	else
		(void)file_write_all(log_fd(&report->log), buf_view(&text),
				     write_deadline(report), &report->failure);
}

void
report_info(struct report *report, const char *operation, const char *format,
	    ...)
{
	char message[STATUS_MESSAGE_MAX];
	const struct log_line line = { .level = LOG_INFO,
				       .operation = operation,
				       .message = message };
	va_list args;

	va_start(args, format);
	(void)format_args(message, sizeof(message), format, args);
	va_end(args);
	report_log(report, &line);
}

void
report_done(struct report *report, const char *operation, int64_t started_ms,
	    const char *version, const char *format, ...)
{
	char message[STATUS_MESSAGE_MAX];
	const struct log_line line = {
		.level = LOG_INFO,
		.operation = operation,
		.message = message,
		.timed = true,
		.duration_ms = clock_ms() - started_ms,
		.version = version,
	};
	va_list args;

	va_start(args, format);
	(void)format_args(message, sizeof(message), format, args);
	va_end(args);
	report_log(report, &line);
}

enum code
report_check(const struct report *report, struct status *st)
{
	if (report->failure.code != CODE_OK) {
		*st = report->failure;
		st->permanent = true;
		status_prefix(st, "%s", log_place(&report->log));
	}
	return st->code;
}

void
report_wait_log(struct report *report, enum log_level level)
{
	if (report->failure.code == CODE_OK && level >= report->log.level)
		(void)file_wait_writable(log_fd(&report->log),
					 write_deadline(report),
					 &report->failure);
}

static void
detail(struct json_writer *json, const char *key, const char *name)
{
	if (name != NULL && name[0] != '\0')
		json_member(json, key,
			    utf8_cut(str_from(name), NAME_MAX_SHOWN));
}

/* False if it does not fit. */
static bool
build_result(const struct report *report, const struct ending *ending,
	     struct buf *out)
{
	const struct status *outcome = ending->outcome;
	struct json_writer json;

	json_writer_init(&json, out);
	json_open_object(&json);
	member(&json, "status",
	       outcome->code == CODE_OK ? "success" : "failure");
	member(&json, "reason", ending->reason);
	json_member(&json, "message",
		    utf8_cut(str_from(ending->message), RESULT_MESSAGE_MAX));
	json_key(&json, "details");
	json_open_object(&json);
	detail(&json, "cluster_id", report->cluster_id);
	if (outcome->code != CODE_OK) {
		member(&json, "error_code", code_name(outcome->code));
		member(&json, "hint", outcome->hint);
	}
	counts_put_codes(ending->counts, &json);
	detail(&json, "gcp_project", report->project);
	counts_put(ending->counts, &json);
	member(&json, "version", ending->version);
	json_close(&json);
	json_close(&json);
	buf_put_char(out, '\n');
	return json_writer_done(&json) && !out->overflow;
}

static void
close_termination_log(struct report *report)
{
	if (report->termination_log >= 0)
		(void)close(report->termination_log);
	report->termination_log = -1;
}

/* The result of a crash, padded with white space, takes the room. */
enum code
report_reserve(struct report *report, const char *unknown, struct status *st)
{
	static char memory[RESULT_FILE_MAX];
	struct status crash = { .code = CODE_INTERNAL };
	const struct ending ending = { .outcome = &crash,
				       .reason = "InternalError",
				       .message = crash.message };
	struct buf text;

	(void)format_text(crash.message, sizeof(crash.message),
			  "stopped by an error in the program itself; %s",
			  unknown);
	status_hint(&crash, "the error output says which; look at the secret "
			    "before another run, and report the error");
	buf_init(&text, memory, sizeof(memory));
	if (!build_result(report, &ending, &text))
		return status_set(st, CODE_INTERNAL,
				  "the result does not fit its file");
	memset(memory + text.len, '\n', sizeof(memory) - text.len);
	if (report->result.folder >= 0 &&
	    file_target_reserve(&report->result,
				(struct str){ memory, sizeof(memory) },
				st) != CODE_OK) {
		file_target_close(&report->result);
		if (st->code == CODE_INVALID_ARGUMENT)
			status_prefix(st, "%s", opt_origin("RESULTS_PATH"));
	}
	report->crash = buf_view(&text);
	if (!file_is_guarded(FILE_RESULT) && report->result.folder >= 0)
		crash_prepare(&report->result, report->crash, -1);
	return st->code;
}

enum code
report_start(struct report *report, struct status *st)
{
	if (report->is_started)
		return st->code;
	report->is_started = true;
	if (report->result.folder >= 0 &&
	    file_guard_end(FILE_RESULT, opt_origin("RESULTS_PATH"),
			   report->result.path, st) != CODE_OK)
		file_target_close(&report->result);
	if (report->termination_log >= 0 &&
	    file_guard_end(FILE_TERMINATION_LOG,
			   opt_origin("TERMINATION_LOG_PATH"),
			   report->termination_path, st) != CODE_OK)
		close_termination_log(report);
	file_target_remove(&report->result);
	if (report->termination_log >= 0)
		(void)ftruncate(report->termination_log, 0);
	crash_prepare(report->result.folder < 0 ? NULL : &report->result,
		      report->crash, report->termination_log);
	return st->code;
}

enum code
report_result(struct report *report, const struct ending *ending,
	      struct status *st)
{
	char memory[RESULT_FILE_MAX];
	struct status unused = { .code = CODE_OK };
	struct buf text;

	(void)report_start(report, &unused);
	if (report->result.folder < 0)
		return CODE_OK;
	buf_init(&text, memory, sizeof(memory));
	if (!build_result(report, ending, &text))
		(void)status_set(st, CODE_INTERNAL,
				 "the result does not fit its file");
	else
		(void)file_target_write(&report->result, buf_view(&text), st);
	if (st->code != CODE_OK)
		file_target_remove(&report->result);
	return st->code;
}

/* One line, as kubectl shows it: "Reason: message (hint)". */
void
report_termination(struct report *report, const struct ending *ending)
{
	char memory[TERMINATION_LOG_MAX];
	struct status unused = { .code = CODE_OK };
	struct buf line;

	(void)report_start(report, &unused);
	crash_prepare(NULL, STR(""), -1);
	if (report->termination_log < 0)
		return;
	buf_init(&line, memory, sizeof(memory));
	buf_put_cstr(&line, ending->reason);
	buf_put_cstr(&line, ": ");
	buf_put_str(&line,
		    utf8_cut(str_from(ending->message), STATUS_MESSAGE_MAX));
	if (ending->outcome->hint[0] != '\0') {
		buf_put_cstr(&line, " (");
		buf_put_cstr(&line, ending->outcome->hint);
		buf_put_char(&line, ')');
	}
	buf_put_char(&line, '\n');
	(void)file_write_all(report->termination_log, buf_view(&line),
			     deadline_in(0), &unused);
}

void
report_forked(struct report *report)
{
	report->result.folder = -1;
	report->result.temp_fd = -1;
	report->termination_log = -1;
	report->is_started = true;
	status_clear(&report->failure);
}

void
report_close(struct report *report)
{
	crash_prepare(NULL, STR(""), -1);
	file_target_close(&report->result);
	close_termination_log(report);
}
