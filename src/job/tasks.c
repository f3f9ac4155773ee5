#include "job/tasks.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/format.h"
#include "base/json_path.h"
#include "base/json_walk.h"
#include "base/json_write.h"
#include "base/redact.h"
#include "base/suggest.h"
#include "job/input.h"
#include "job/labels.h"
#include "job/pullsecret.h"
#include "job/shard.h"
#include "job/target.h"
#include "net/sha256.h"
#include "sys/beneath.h"
#include "sys/file.h"

static const char CLUSTER_ID[] = "cluster_id";
static const char PROJECT[] = "gcp_project_id";
static const char SECRET_NAME[] = "secret_name";
static const char SECRET_VERSION[] = "secret_version";
static const char LABELS[] = "labels";
static const char SECRET_FILE[] = "pull_secret_file";
static const char SECRET_DATA[] = "pull_secret_data";

static const char *const MEMBERS[] = { CLUSTER_ID,    PROJECT,     SECRET_NAME,
				       LABELS,        SECRET_FILE, SECRET_DATA,
				       SECRET_VERSION };

/* The folder of a path, as it was given; the line's memory is free. */
static int
open_folder_of(struct tasks *tasks, const char *path)
{
	char *slash;

	if (!str_copy(str_from(path), tasks->memory, sizeof(tasks->memory)))
		return -1;
	slash = strrchr(tasks->memory, '/');
	if (slash == NULL)
		return beneath_open(".");
	slash[1] = '\0';
	return beneath_open(tasks->memory);
}

static int
open_list(const char *path, struct stat *info)
{
	int fd = tasks_from_input() ? STDIN_FILENO : file_open(path);

	if (fd < 0 || fstat(fd, info) != 0 || !S_ISDIR(info->st_mode))
		return fd;
	errno = EISDIR;
	return -1;
}

static enum code
refuse_to_open(const char *variable, const char *path, struct status *st)
{
	return status_set(st, CODE_INVALID_ARGUMENT, "%s: cannot open %s: %s",
			  opt_origin(variable), redact_argument(path),
			  strerror(errno));
}

enum code
tasks_open(struct tasks *tasks, bool payloads, struct status *st)
{
	const struct tasks_settings *settings = tasks_settings();
	struct stat info = { .st_mode = 0 };
	int fd = open_list(settings->file, &info);

	tasks->folder = -1;
	tasks->payloads = payloads;
	tasks->shared = STR("");
	tasks->hinted = false;
	tasks->number = 0;
	tasks->size = S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
	tasks->line = STR("");
	lines_init(&tasks->lines, fd, tasks->memory, sizeof(tasks->memory));
	if (fd < 0)
		return refuse_to_open("TASKS_FILE", settings->file, st);
	if (settings->folder != NULL) {
		tasks->folder = beneath_open(settings->folder);
		if (tasks->folder < 0)
			return refuse_to_open("TASKS_FOLDER", settings->folder,
					      st);
	} else if (S_ISREG(info.st_mode) && !tasks_from_input()) {
		/* A pipe has no folder, whatever its name is. */
		tasks->folder = open_folder_of(tasks, settings->file);
	}
	return CODE_OK;
}

void
tasks_share(struct tasks *tasks, struct str payload)
{
	tasks->shared = payload;
	sha256(payload, tasks->shared_digest);
}

int
tasks_folder(const struct tasks *tasks)
{
	return tasks->folder;
}

int
tasks_fd(const struct tasks *tasks)
{
	return tasks->lines.fd;
}

struct str
tasks_line(const struct tasks *tasks)
{
	return tasks->line;
}

void
tasks_progress(const struct tasks *tasks, uint64_t *taken, uint64_t *size)
{
	*taken = tasks->lines.passed + tasks->lines.given;
	*size = tasks->size;
}

/* No secret is pasted where a member's name belongs: see json_path.h. */
static enum code
refuse_unknown(struct json_value line, struct status *st)
{
	struct json_iter iter = json_iter(line);
	char memory[200];
	struct buf path;

	while (json_next(&iter)) {
		struct suggestion near = { .word = json_raw(iter.key) };
		size_t i = 0;

		while (i < OPT_COUNT(MEMBERS) &&
		       !json_equals(iter.key, str_from(MEMBERS[i]))) {
			suggest_try(&near, MEMBERS[i], MEMBERS[i]);
			i++;
		}
		if (i < OPT_COUNT(MEMBERS))
			continue;
		buf_init(&path, memory, sizeof(memory));
		json_path(iter.key, &path);
		suggest_hint(&near, st);
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%.*s: unknown member", (int)path.len,
				  path.ptr);
	}
	return CODE_OK;
}

/* Where there is such a member, `*text` becomes its string, in `memory`. */
static enum code
read_text(struct json_value line, const char *name, char *memory, size_t size,
	  const char **text, struct status *st)
{
	struct json_value value = json_get(line, name);
	enum json_type type = json_type(value);

	if (type == JSON_ABSENT)
		return CODE_OK;
	*text = memory;
	if (type != JSON_STRING)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be a string, not %s", name,
				  json_type_name(type));
	if (!json_cstr(value, memory, size))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: at most %zu characters, and no NUL",
				  name, size - 1);
	return CODE_OK;
}

static enum code
read_target(struct json_value line, struct task *task, struct status *st)
{
	struct target_options options = { .project =
						  target_options()->project };
	char secret[SECRET_NAME_SIZE];

	if (read_text(line, CLUSTER_ID, task->cluster_memory,
		      sizeof(task->cluster_memory), &options.cluster_id,
		      st) != CODE_OK ||
	    read_text(line, PROJECT, task->project_memory,
		      sizeof(task->project_memory), &options.project,
		      st) != CODE_OK ||
	    read_text(line, SECRET_NAME, secret, sizeof(secret),
		      &options.secret_name, st) != CODE_OK ||
	    target_read(task, &options, st) != CODE_OK) {
		task->cluster_id = NULL;
		task->project = NULL;
	}
	return st->code;
}

/* Of a job that goes back to it; the others only check it. */
static enum code
read_version(struct json_value line, struct task *task, struct status *st)
{
	struct json_value value = json_get(line, SECRET_VERSION);
	const char *text = task->version;

	if (json_type(value) == JSON_ABSENT)
		return CODE_OK;
	if ((json_type(value) != JSON_NUMBER ||
	     !str_copy(json_raw(value), task->version,
		       sizeof(task->version))) &&
	    read_text(line, SECRET_VERSION, task->version,
		      sizeof(task->version), &text, st) != CODE_OK)
		return st->code;
	return target_check_version(SECRET_VERSION, text, st);
}

/* What beneath_read() would refuse less clearly; NULL: nothing. */
static const char *
find_fault(const struct tasks *tasks, const char *path)
{
	struct str rest = str_from(path), part;

	if (looks_secret(rest))
		return "it looks like a pull secret, which is no path";
	if (tasks->folder < 0)
		return "a list from a pipe needs TASKS_FOLDER for paths";
	if (path[0] == '/')
		return "it must be a path relative to the list's folder";
	while (str_split(&rest, '/', &part))
		if (str_eq(part, STR("..")))
			return "it must not have .. in its path";
	return NULL;
}

static enum code
read_data(struct json_value data, struct task *task, struct status *st)
{
	enum json_type type = json_type(data);
	bool fits = true;

	if (type == JSON_OBJECT)
		buf_put_str(&task->input, json_raw(data));
	else if (type == JSON_STRING)
		fits = json_string(data, &task->input);
	else
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be an object or a string, not %s",
				  SECRET_DATA, json_type_name(type));
	if (!fits || task->input.overflow)
		return status_set(st, CODE_OUT_OF_RANGE,
				  "%s holds more than the %d bytes of a secret "
				  "version",
				  SECRET_DATA, PULL_SECRET_MAX);
	if (task->input.len == 0)
		return status_set(st, CODE_INVALID_ARGUMENT, "%s is empty",
				  SECRET_DATA);
	return CODE_OK;
}

static enum code
read_source(const struct tasks *tasks, struct json_value line,
	    struct task *task, struct status *st)
{
	struct json_value data = json_get(line, SECRET_DATA);
	const char *path = NULL, *fault;

	if (!tasks->payloads)
		return CODE_OK;
	if (read_text(line, SECRET_FILE, task->path, sizeof(task->path), &path,
		      st) != CODE_OK)
		return st->code;
	if (json_type(data) == JSON_ABSENT) {
		if (path != NULL && path[0] == '\0')
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "%s is empty", SECRET_FILE);
		if (path == NULL && tasks->shared.len == 0) {
			status_hint(st, "--pull-secret-file gives one for all");
			return status_set(st, CODE_INVALID_ARGUMENT,
					  "no pull secret: neither %s nor %s",
					  SECRET_FILE, SECRET_DATA);
		}
		fault = path == NULL ? NULL : find_fault(tasks, path);
		return fault == NULL ? CODE_OK
				     : status_set(st, CODE_INVALID_ARGUMENT,
						  "%s: %s: %s", SECRET_FILE,
						  redact_argument(path), fault);
	}
	if (path != NULL)
		return status_set(st, CODE_INVALID_ARGUMENT, "both %s and %s",
				  SECRET_FILE, SECRET_DATA);
	return read_data(data, task, st);
}

/* Errors without the line's number. */
static enum code
read_line(struct tasks *tasks, struct task *task, struct status *st)
{
	struct json json;
	struct json_value line;

	if (json_parse(&json, tasks->line, &tasks->tokens, st) != CODE_OK)
		return st->code;
	line = json_root(&json);
	if (json_type(line) != JSON_OBJECT)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "a task must be an object, not %s",
				  json_type_name(json_type(line)));
	if (refuse_unknown(line, st) != CODE_OK ||
	    read_target(line, task, st) != CODE_OK ||
	    read_version(line, task, st) != CODE_OK ||
	    labels_read(task, json_get(line, LABELS), st) != CODE_OK ||
	    read_source(tasks, line, task, st) != CODE_OK)
		return st->code;
	task->hash = task_hash(task);
	return CODE_OK;
}

/* Once: JSON that is no line each has many such lines. */
static void
hint_at_lines(struct tasks *tasks, struct status *st)
{
	struct str line = str_trim(tasks->line);
	const bool array = line.ptr[0] == '[';

	if (tasks->hinted || !(array || str_eq(line, STR("{"))))
		return;
	tasks->hinted = true;
	status_hint(st, "one object a line: jq -c '.%s' makes that",
		    array ? "[]" : "");
}

/* Where it stands in the list; the reader counts lines of its own. */
static void
add_number(size_t number, struct status *st)
{
	static const char ONE[] = "line 1, ";
	size_t from = sizeof(ONE) - 1;

	if (!str_starts(str_from(st->message), STR(ONE)))
		from = 0;
	memmove(st->message, st->message + from, sizeof(st->message) - from);
	status_prefix(st, "line %zu", number);
}

static void
start_task(struct task *task, size_t number)
{
	task_init(task);
	task->payload = STR("");
	task->project = NULL;
	task->cluster_id = NULL;
	task->secret[0] = '\0';
	task->version[0] = '\0';
	task->labels[0] = '\0';
	task->path[0] = '\0';
	task->hash = 0;
	task->line = number;
}

/* One line that is there: blank ones are passed over. */
static enum lines_step
next_line(struct tasks *tasks)
{
	enum lines_step step;

	do {
		step = lines_next(&tasks->lines, &tasks->line);
		if (step == LINES_LINE || step == LINES_TOO_LONG)
			tasks->number++;
	} while (step == LINES_LINE && str_trim(tasks->line).len == 0);
	return step;
}

enum tasks_step
tasks_next(struct tasks *tasks, struct task *task, struct status *st)
{
	enum lines_step step = next_line(tasks), got = LINES_LINE;

	/* One read each time, so that the caller hears of all else. */
	if (step == LINES_MORE) {
		got = lines_read(&tasks->lines);
		step = got == LINES_LINE ? next_line(tasks) : got;
	}
	start_task(task, tasks->number);
	task->bytes = tasks->lines.given;
	switch (step) {
	case LINES_LINE:
		if (read_line(tasks, task, st) == CODE_OK)
			return TASKS_TASK;
		hint_at_lines(tasks, st);
		buf_wipe(&task->input);
		break;
	case LINES_TOO_LONG:
		(void)status_set(st, CODE_INVALID_ARGUMENT,
				 "longer than %d bytes", TASK_LINE_MAX);
		break;
	case LINES_MORE:
		return got == LINES_MORE ? TASKS_AGAIN : TASKS_MORE;
	case LINES_END:
		return TASKS_END;
	case LINES_FAILED:
		(void)status_set(st, CODE_UNAVAILABLE,
				 "%s: cannot read on after line %zu: %s",
				 opt_origin("TASKS_FILE"), tasks->number,
				 strerror(errno));
		return TASKS_BROKEN;
	}
	add_number(tasks->number, st);
	return TASKS_BAD;
}

/* An empty one must not stand for the shared pull secret. */
static enum code
read_file(const struct tasks *tasks, struct task *task, struct deadline until,
	  struct status *st)
{
	if (beneath_read(tasks->folder, task->path, SECRET_FILE, until,
			 &task->input, st) == CODE_OK &&
	    task->input.len == 0)
		(void)status_set(st, CODE_INVALID_ARGUMENT, "%s: %s is empty",
				 SECRET_FILE, task->path);
	if (input_explain(task->path, SECRET_FILE, st) == CODE_INVALID_ARGUMENT)
		status_hint(st, "it is sought in the list's folder, or in "
				"--tasks-folder");
	return st->code;
}

enum code
tasks_load(const struct tasks *tasks, struct task *task, struct deadline until,
	   struct status *st)
{
	if (!tasks->payloads)
		return CODE_OK;
	if (task->path[0] != '\0' &&
	    read_file(tasks, task, until, st) != CODE_OK) {
		add_number(task->line, st);
		return st->code;
	}
	task->payload = tasks->shared;
	if (task->input.len == 0) {
		memcpy(task->digest, tasks->shared_digest,
		       sizeof(task->digest));
		return CODE_OK;
	}
	task->payload = pullsecret_strip(buf_view(&task->input));
	sha256(task->payload, task->digest);
	return CODE_OK;
}

void
tasks_write_line(const struct task *task, struct buf *out)
{
	const struct {
		const char *name;
		struct str text;
	} texts[] = {
		{ CLUSTER_ID, str_from(task->cluster_id) },
		{ PROJECT, str_from(task->project) },
		{ SECRET_NAME, str_from(task->secret) },
		{ SECRET_VERSION, str_from(task->version) },
		{ SECRET_FILE, str_from(task->path) },
		{ SECRET_DATA, buf_view(&task->input) },
	};
	const struct pairs labels = { NULL, 0, task->labels };
	struct json_writer json;

	json_writer_init(&json, out);
	json_open_object(&json);
	/* What a file brought is there again. */
	for (size_t i = 0; i < OPT_COUNT(texts) - (task->path[0] != '\0'); i++)
		if (texts[i].text.len > 0)
			json_member(&json, texts[i].name, texts[i].text);
	if (task->labels[0] != '\0' &&
	    !pairs_put(&labels, LABELS, (struct json_value){ NULL, 0 }, out,
		       &json))
		out->overflow = true;
	json_close(&json);
	buf_put_char(out, '\n');
	if (!json_writer_done(&json))
		out->overflow = true;
}

void
tasks_close(struct tasks *tasks)
{
	lines_wipe(&tasks->lines);
	tasks->line = STR("");
	if (tasks->folder > STDIN_FILENO)
		(void)close(tasks->folder);
	if (tasks->lines.fd > STDIN_FILENO)
		(void)close(tasks->lines.fd);
	tasks->folder = -1;
	tasks->lines.fd = -1;
}
