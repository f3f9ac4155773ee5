#include "job/log.h"

#include <string.h>
#include <unistd.h>

#include "base/format.h"
#include "base/json_write.h"
#include "base/utf8.h"

/* Length of project and cluster as given, which may be invalid. */
#define NAME_MAX_SHOWN 128

/* Indexed by enum log_level and 1. */
static const struct {
	char json[8];
	char text[6];
	char colour[6]; /* SGR (ECMA-48) */
} LEVELS[] = {
	{ "debug", "DEBUG", "\x1b[2m" },
	{ "info", "INFO ", "" },
	{ "warning", "WARN ", "\x1b[33m" },
	{ "error", "ERROR", "\x1b[31m" },
};

/* The number of the word, in any case, from 0; -1: it is none of them. */
static int
find_word(struct str rest, struct str text)
{
	struct str word;

	if (str_eq_nocase(text, STR("warning")))
		text = STR("warn");
	for (int i = 0; str_split(&rest, '|', &word); i++)
		if (str_eq_nocase(word, text))
			return i;
	return -1;
}

/* The number of the word that was asked for, or `fallback`. */
static int
choose(struct log *log, enum log_option which, int fallback, struct status *st)
{
	const struct opt *opt = options_of_log(which);
	const char *given = opt_given(opt->variable);
	size_t used = strlen(log->ignored);
	int number;

	if (*opt->value == NULL)
		return fallback;
	number = find_word(str_from(opt->argument), str_from(*opt->value));
	if (number >= 0)
		return number;
	if (given[0] == '-')
		(void)status_set(st, CODE_INVALID_ARGUMENT,
				 "%s must be one of %s", given, opt->argument);
	else
		(void)format_text(log->ignored + used,
				  sizeof(log->ignored) - used,
				  "%s%s is ignored, it must be one of %s",
				  used > 0 ? "; " : "", given, opt->argument);
	utf8_make_printable(log->ignored);
	return fallback;
}

enum code
log_init(struct log *log, struct status *st)
{
	bool terminal = isatty(STDOUT_FILENO) == 1;

	log->text = choose(log, LOG_FORMAT, terminal ? 0 : 1, st) == 0;
	log->level =
		(enum log_level)(choose(log, LOG_LEVEL, LOG_INFO + 1, st) - 1);
	log->to_stderr = choose(log, LOG_OUTPUT, 0, st) == 1;
	log->quiet = options_of_run()->quiet != NULL;
	if (log->quiet)
		log->level = LOG_ERROR;
	log->coloured = log->text && opt_variable("NO_COLOR") == NULL &&
			isatty(log_fd(log)) == 1;
	return st->code;
}

int
log_fd(const struct log *log)
{
	return log->to_stderr ? STDERR_FILENO : STDOUT_FILENO;
}

const char *
log_place(const struct log *log)
{
	return log->to_stderr ? "standard error" : "standard output";
}

/* Where the members of a line go. */
struct members {
	bool text;
	struct json_writer json;
	struct buf *out;
};

static void
put_key(struct members *m, const char *key)
{
	if (!m->text) {
		json_key(&m->json, key);
		return;
	}
	buf_put_char(m->out, ' ');
	buf_put_cstr(m->out, key);
	buf_put_char(m->out, '=');
}

/* Nothing for a negative one. */
static void
put_number(struct members *m, const char *key, int64_t value)
{
	if (value < 0)
		return;
	put_key(m, key);
	if (m->text)
		buf_put_uint(m->out, (uint64_t)value);
	else
		json_put_uint(&m->json, (uint64_t)value);
}

/* Nothing for NULL and "". */
static void
put_text(struct members *m, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	put_key(m, key);
	if (m->text)
		buf_put_cstr(m->out, value);
	else
		json_put_string(&m->json, str_from(value));
}

/* In JSON they stand in every line, in text in the first one. */
static void
put_name(struct members *m, const char *key, const char *name, bool first)
{
	if (m->text && !first)
		return;
	put_key(m, key);
	if (m->text)
		buf_put_str(m->out, utf8_cut(str_from(name), NAME_MAX_SHOWN));
	else
		json_put_string(&m->json,
				utf8_cut(str_from(name), NAME_MAX_SHOWN));
}

/* In text as "failed_by_code=NOT_FOUND:2,UNAVAILABLE:1". */
static void
put_codes(struct members *m, const struct task_counts *counts)
{
	char separator = '=';

	if (!m->text) {
		counts_put_codes(counts, &m->json);
		return;
	}
	for (unsigned i = 0; counts != NULL && i < CODES; i++) {
		if (counts->by_code[i] == 0)
			continue;
		if (separator == '=')
			buf_put_cstr(m->out, " failed_by_code");
		buf_put_char(m->out, separator);
		buf_put_cstr(m->out, code_name((enum code)i));
		buf_put_char(m->out, ':');
		buf_put_uint(m->out, counts->by_code[i]);
		separator = ',';
	}
}

static void
put_counts(struct members *m, const struct task_counts *counts)
{
	const char *key;
	uint64_t value;
	size_t at = 0;

	while (counts != NULL && counts_next(counts, &at, &key, &value))
		put_number(m, key, (int64_t)value);
}

/* Keys in alphabetical order, as in the Go program. */
static void
put_members(struct members *m, const char *cluster_id, const char *project,
	    const struct log_line *line, const char *now)
{
	static const struct conn_usage none = { -1, -1, -1, -1, -1, -1, 0 };
	const struct conn_usage *usage = line->usage;
	const struct status *st = line->status;
	bool first = line->of_task || strcmp(line->operation, "start") == 0;

	if (usage == NULL)
		usage = &none;
	if (line->attempt > 0)
		put_number(m, "attempt", line->attempt);
	put_number(m, "bytes_received", usage->received);
	put_number(m, "bytes_sent", usage->sent);
	put_name(m, "cluster_id", cluster_id, first);
	put_number(m, "connect_ms", usage->connect_ms);
	put_number(m, "dns_ms", usage->dns_ms);
	put_number(m, "duration_ms", line->timed ? line->duration_ms : -1);
	if (st != NULL && st->code != CODE_OK)
		put_text(m, "error_code", code_name(st->code));
	put_codes(m, line->counts);
	put_number(m, "first_byte_ms", usage->first_byte_ms);
	put_name(m, "gcp_project", project, first);
	if (st != NULL && !m->text)
		put_text(m, "hint", st->hint);
	if (st != NULL && st->http_status > 0)
		put_number(m, "http_status", st->http_status);
	if (!m->text) {
		put_text(m, "level", LEVELS[line->level + 1].json);
		put_text(m, "message", line->message);
		put_text(m, "operation", line->operation);
	}
	if (line->retry_in_ms > 0)
		put_number(m, "retry_in_ms", line->retry_in_ms);
	put_counts(m, line->counts);
	if (!m->text)
		put_text(m, "timestamp", now);
	put_number(m, "tls_ms", usage->tls_ms);
	put_text(m, "version", line->version);
}

/* What people read first. */
static void
put_head(const struct log *log, const struct log_line *line, const char *now,
	 struct buf *out)
{
	const char *colour =
		log->coloured ? LEVELS[line->level + 1].colour : "";

	buf_put_cstr(out, now);
	buf_put_char(out, ' ');
	buf_put_cstr(out, colour);
	buf_put_cstr(out, LEVELS[line->level + 1].text);
	if (colour[0] != '\0')
		buf_put_cstr(out, "\x1b[0m");
}

static void
put_message(const struct log_line *line, struct buf *out)
{
	buf_put_char(out, ' ');
	buf_put_cstr(out, line->message);
	if (line->status == NULL || line->status->hint[0] == '\0')
		return;
	buf_put_cstr(out, " (");
	buf_put_cstr(out, line->status->hint);
	buf_put_char(out, ')');
}

bool
log_build(const struct log *log, const char *cluster_id, const char *project,
	  const struct log_line *line, struct buf *out)
{
	struct members members = { .text = log->text, .out = out };
	char now[RFC3339_SIZE];
	size_t head;

	clock_rfc3339(clock_unix(), now);
	if (!log->text) {
		json_writer_init(&members.json, out);
		json_open_object(&members.json);
		put_members(&members, cluster_id, project, line, now);
		json_close(&members.json);
		buf_put_char(out, '\n');
		return json_writer_done(&members.json) && !out->overflow;
	}
	put_head(log, line, now, out);
	head = out->len;
	put_message(line, out);
	put_members(&members, cluster_id, project, line, now);
	buf_put_char(out, '\0');
	if (out->overflow)
		return false;
	utf8_make_printable(out->ptr + head);
	out->len = head + strlen(out->ptr + head);
	buf_put_char(out, '\n');
	return true;
}
