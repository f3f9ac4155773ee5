#include "job/message.h"

#include <string.h>

#include "base/format.h"
#include "base/utf8.h"
#include "job/journal.h"

#define COPY(to, from) (void)format_text((to), sizeof(to), "%s", (from))

/* Ended somewhere; printable then. */
static bool
is_text(char *text, size_t size)
{
	if (memchr(text, '\0', size) == NULL)
		return false;
	utf8_make_printable(text);
	return true;
}

/* Whether an exit status is one that a task can end with. */
static bool
is_exit(const struct message *m)
{
	return m->exit == EXIT_SIGINT || m->exit == EXIT_SIGTERM ||
	       m->exit <= EXIT_INTEGRITY;
}

static bool
has_values(const struct message *m)
{
	return m->type >= MESSAGE_READY && m->type <= MESSAGE_OUTCOME &&
	       m->quota <= QUOTA_WRITE && m->level >= LOG_DEBUG &&
	       m->level <= LOG_ERROR && m->code <= CODE_UNAUTHENTICATED &&
	       is_exit(m) && (m->exit == EXIT_DONE || m->code != CODE_OK) &&
	       m->effect <= EFFECT_DONE;
}

bool
message_check(struct message *m, ssize_t size)
{
	return size == (ssize_t)sizeof(*m) && has_values(m) &&
	       is_text(m->project, sizeof(m->project)) &&
	       is_text(m->operation, sizeof(m->operation)) &&
	       is_text(m->text, sizeof(m->text)) &&
	       is_text(m->hint, sizeof(m->hint)) &&
	       is_text(m->resource, sizeof(m->resource)) &&
	       (m->resource[0] == '\0' ||
		str_only(str_from(m->resource), JOURNAL_NAME));
}

static void
put_status(struct message *m, const struct status *st)
{
	m->code = st->code;
	m->http_status = st->http_status;
	COPY(m->hint, st->hint);
}

static void
get_status(const struct message *m, struct status *st)
{
	*st = (struct status){ .code = (enum code)m->code,
			       .http_status = m->http_status };
	COPY(st->hint, m->hint);
	if (m->code != CODE_OK)
		COPY(st->message, m->text);
}

void
message_put_line(struct message *m, const struct log_line *line)
{
	*m = (struct message){ .type = MESSAGE_LOG,
			       .level = line->level,
			       .attempt = line->attempt,
			       .timed = line->timed,
			       .has_usage = line->usage != NULL,
			       .duration_ms = line->duration_ms,
			       .wait_ms = line->retry_in_ms };
	if (line->usage != NULL)
		m->usage = *line->usage;
	if (line->status != NULL)
		put_status(m, line->status);
	COPY(m->operation, line->operation);
	COPY(m->text, line->message);
	if (line->version != NULL)
		COPY(m->resource, line->version);
}

struct log_line
message_line(const struct message *m, struct status *st)
{
	get_status(m, st);
	return (struct log_line){ .level = (enum log_level)m->level,
				  .operation = m->operation,
				  .message = m->text,
				  .version = m->resource,
				  .timed = m->timed != 0,
				  .duration_ms = m->duration_ms,
				  .status = st,
				  .attempt = m->attempt,
				  .retry_in_ms = m->wait_ms,
				  .usage = m->has_usage != 0 ? &m->usage
							     : NULL };
}

void
message_put_outcome(struct message *m, const struct outcome *outcome,
		    const char *operation)
{
	*m = (struct message){ .type = MESSAGE_OUTCOME,
			       .exit = outcome->exit,
			       .effect = outcome->effect };
	put_status(m, &outcome->status);
	COPY(m->operation, operation);
	COPY(m->text, outcome->status.code == CODE_OK
			      ? outcome->message
			      : outcome->status.message);
	COPY(m->resource, outcome->resource);
}

void
message_outcome(const struct message *m, struct outcome *outcome)
{
	*outcome = (struct outcome){ .exit = (enum exit_status)m->exit,
				     .effect = (enum effect)m->effect };
	get_status(m, &outcome->status);
	if (outcome->exit == EXIT_DONE)
		outcome->exit = code_exit_status(outcome->status.code);
	if (m->code == CODE_OK)
		COPY(outcome->message, m->text);
	COPY(outcome->resource, m->resource);
}

void
message_put_task(struct task_message *m, const struct task *task,
		 int64_t time_ms)
{
	*m = (struct task_message){ .type = MESSAGE_TASK,
				    .time_ms = time_ms,
				    .line = task->line,
				    .hash = task->hash };
	COPY(m->project, task->project);
	COPY(m->cluster_id, task->cluster_id);
	COPY(m->secret, task->secret);
	COPY(m->version, task->version);
	COPY(m->labels, task->labels);
}

void
message_task(const struct task_message *m, struct task *task)
{
	task->line = (size_t)m->line;
	task->hash = m->hash;
	COPY(task->project_memory, m->project);
	COPY(task->cluster_memory, m->cluster_id);
	COPY(task->secret, m->secret);
	COPY(task->version, m->version);
	COPY(task->labels, m->labels);
	task->project = task->project_memory;
	task->cluster_id = task->cluster_memory;
}
