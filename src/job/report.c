#include "job/report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/redact.h"
#include "sys/clock.h"
#include "sys/crash.h"

#define RESULTS_FOLDER "/results"
#define RESULTS_FILE "/results/adapter-result.json"

#define NOTE_FILE "/dev/termination-log"

/* What the reader of the result file keeps (status-reporter). */
#define RESULT_MESSAGE_MAX 1024

#define GRACE_MS 1000

/* Project and cluster as they were given, right or wrong, up to here. */
#define NAME_MAX_SHOWN 128

enum code
report_init(struct report *report, const char *path, struct status *st)
{
	struct status unused = { .code = CODE_OK };

	report->result.folder = -1;
	report->result_written = false;
	report->note = -1;
	status_clear(&report->failure);
	if (path == NULL) {
		if (access(RESULTS_FOLDER, F_OK) == 0 &&
		    file_target_open(&report->result, RESULTS_FILE,
				     "RESULTS_PATH", &unused) == CODE_OK)
			file_target_remove(&report->result);
		return CODE_OK;
	}
	if (file_target_open(&report->result, path, "RESULTS_PATH", st) !=
	    CODE_OK) {
		st->code = CODE_INVALID_ARGUMENT;
		return st->code;
	}
	file_target_remove(&report->result);
	return CODE_OK;
}

enum code
report_init_note(struct report *report, const char *path, struct status *st)
{
	report->note = file_open_note(path == NULL ? NOTE_FILE : path);
	if (path == NULL || report->note >= 0)
		return CODE_OK;
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "TERMINATION_LOG_PATH: cannot write to %s, which "
			  "must be a file that is there: %s",
			  shown(path), strerror(errno));
}

static const char *
level_name(enum log_level level)
{
	switch (level) {
	case LOG_INFO:
		return "info";
	case LOG_WARNING:
		return "warning";
	case LOG_ERROR:
		return "error";
	}
	return "error";
}

static void
member(struct json_builder *json, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_member(json, key, str_from(value));
}

static void
member_uint(struct json_builder *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_put_uint(json, value);
}

/* Up to `max` bytes of UTF-8, not cut inside a character. */
static struct str
cut(const char *text, size_t max)
{
	struct str s = str_from(text);

	if (s.len <= max)
		return s;
	s.len = max;
	while (s.len > 0 && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
		s.len--;
	return s;
}

/* The keys stand in alphabetical order, as the Go program's do. */
static bool
build_line(const struct report *report, const struct log_line *line,
	   struct buf *out)
{
	const struct status *st = line->status;
	char now[RFC3339_SIZE];
	struct json_builder json;

	clock_rfc3339(clock_unix(), now);
	json_build(&json, out);
	json_open_object(&json);
	if (line->attempt > 0)
		member_uint(&json, "attempt", line->attempt);
	json_member(&json, "cluster_id",
		    cut(report->cluster_id, NAME_MAX_SHOWN));
	if (line->timed)
		member_uint(&json, "duration_ms", (uint64_t)line->duration_ms);
	if (st != NULL)
		member(&json, "error_code", code_name(st->code));
	json_member(&json, "gcp_project", cut(report->project, NAME_MAX_SHOWN));
	if (st != NULL) {
		member(&json, "hint", st->hint);
		if (st->http_status > 0)
			member_uint(&json, "http_status",
				    (uint64_t)st->http_status);
	}
	member(&json, "level", level_name(line->level));
	member(&json, "message", line->message);
	member(&json, "operation", line->operation);
	if (line->retry_in_ms > 0)
		member_uint(&json, "retry_in_ms", (uint64_t)line->retry_in_ms);
	member(&json, "timestamp", now);
	member(&json, "version", line->version);
	json_close(&json);
	buf_put_char(out, '\n');
	return json_built(&json) && !out->overflow;
}

/* The last lines get a moment even when all time is over, but only once. */
static struct deadline
patience(const struct report *report)
{
	if (report->failure.code == CODE_OK &&
	    deadline_left(report->until) < GRACE_MS)
		return deadline_in(GRACE_MS);
	return report->until;
}

void
report_log(struct report *report, const struct log_line *line)
{
	char memory[LOG_LINE_MAX];
	struct buf text;

	buf_init(&text, memory, sizeof(memory));
	if (!build_line(report, line, &text))
		(void)status_set(&report->failure, CODE_INTERNAL,
				 "a log line is too long");
	else
		(void)file_write_all(STDOUT_FILENO, buf_view(&text),
				     patience(report), &report->failure);
}

static void
detail(struct json_builder *json, const char *key, const char *name)
{
	if (name != NULL && name[0] != '\0')
		json_member(json, key, cut(name, NAME_MAX_SHOWN));
}

/* False if it does not fit. */
static bool
build_result(const struct report *report, const struct status *outcome,
	     const char *reason, const char *message, const char *version,
	     struct buf *out)
{
	struct json_builder json;

	json_build(&json, out);
	json_open_object(&json);
	member(&json, "status",
	       outcome->code == CODE_OK ? "success" : "failure");
	member(&json, "reason", reason);
	json_member(&json, "message", cut(message, RESULT_MESSAGE_MAX));
	json_key(&json, "details");
	json_open_object(&json);
	detail(&json, "cluster_id", report->cluster_id);
	if (outcome->code != CODE_OK) {
		member(&json, "error_code", code_name(outcome->code));
		member(&json, "hint", outcome->hint);
	}
	detail(&json, "gcp_project", report->project);
	member(&json, "version", version);
	json_close(&json);
	json_close(&json);
	buf_put_char(out, '\n');
	return json_built(&json) && !out->overflow;
}

void
report_prepare_crash(struct report *report)
{
	static char memory[RESULT_FILE_MAX];
	struct status st = { .code = CODE_INTERNAL };
	struct buf text;

	status_hint(&st, "the error output says which; look at the newest "
			 "version before another run, and report the error");
	buf_init(&text, memory, sizeof(memory));
	if (!build_result(report, &st, "InternalError",
			  "stopped by an error in the program itself; it is "
			  "unknown whether a version was written",
			  NULL, &text))
		return;
	crash_prepare(report->result.folder < 0 ? NULL : &report->result,
		      buf_view(&text), report->note);
}

/* One line, as kubectl shows it: "Reason: message (hint)". */
static void
write_note(struct report *report, const struct status *outcome,
	   const char *reason, const char *message)
{
	char memory[NOTE_MAX];
	struct status unused = { .code = CODE_OK };
	struct buf line;

	buf_init(&line, memory, sizeof(memory));
	buf_put_cstr(&line, reason);
	buf_put_cstr(&line, ": ");
	buf_put_str(&line, cut(message, STATUS_MESSAGE_MAX));
	if (outcome->hint[0] != '\0') {
		buf_put_cstr(&line, " (");
		buf_put_cstr(&line, outcome->hint);
		buf_put_char(&line, ')');
	}
	buf_put_char(&line, '\n');
	if (report->note >= 0)
		(void)file_write_all(report->note, buf_view(&line),
				     deadline_in(0), &unused);
}

enum code
report_result(struct report *report, const struct status *outcome,
	      const char *reason, const char *message, const char *version,
	      struct status *st)
{
	char memory[RESULT_FILE_MAX];
	struct buf text;

	if (report->result_written)
		return CODE_OK;
	report->result_written = true;
	buf_init(&text, memory, sizeof(memory));
	if (!build_result(report, outcome, reason, message, version, &text))
		(void)status_set(st, CODE_INTERNAL,
				 "the result does not fit its file");
	else if (report->result.folder >= 0)
		(void)file_target_write(&report->result, buf_view(&text), st);
	crash_prepare(NULL, STR(""), -1);
	if (st->code == CODE_OK)
		write_note(report, outcome, reason, message);
	else
		write_note(report, st, "ResultUnwritten", st->message);
	return st->code;
}

void
report_close(struct report *report)
{
	crash_prepare(NULL, STR(""), -1);
	file_target_close(&report->result);
	if (report->note >= 0)
		(void)close(report->note);
	report->note = -1;
}
