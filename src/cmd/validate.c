#include "base/json_walk.h"
#include "base/utf8.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "job/input.h"
#include "job/pullsecret.h"
#include "job/validation.h"
#include "sys/wait.h"

/* Longer names are cut. */
#define NAME_SIZE 256

static const struct opt_table *const TABLES[] = { &VALIDATION_OPTIONS,
						  &JSON_OPTIONS, NULL };

static enum exit_status
read_exit_status(const struct status *st)
{
	if (st->code == CODE_OUT_OF_RANGE)
		return EXIT_PULL_SECRET;
	if (status_interrupted(st))
		return (enum exit_status)(128 + wait_signal());
	return code_exit_status(st->code);
}

/* The name of a registry, of which a user in front is left out. */
static struct str
registry_name(struct json_value key, char *out, size_t size)
{
	struct buf name;
	struct str text;
	size_t at;

	buf_init(&name, out, size - 1);
	(void)json_string_cut(key, &name);
	out[name.len] = '\0';
	utf8_make_printable(out);
	for (text = str_from(out); (at = str_find(text, '@')) < text.len;)
		text = str_skip(text, at + 1);
	return text;
}

/*
 * {"valid": ..., "bytes": ..., "registries": [...], "warnings": [...]}, or with
 * the "message"
 */
static enum exit_status
print_object(struct program *program, struct json_value auths,
	     const struct pullsecret_findings *found, const struct status *st)
{
	struct json_iter entry = json_iter(auths);
	struct str rest = buf_view(&found->text), warning;
	struct json_writer json;
	char name[NAME_SIZE];

	json_writer_init(&json, applet_output(program));
	json_open_object(&json);
	json_key(&json, "valid");
	json_put_boolean(&json, st->code == CODE_OK);
	json_key(&json, "bytes");
	json_put_uint(&json, program->task.payload.len);
	if (st->code != CODE_OK) {
		json_member(&json, "message", str_from(st->message));
		if (st->hint[0] != '\0')
			json_member(&json, "hint", str_from(st->hint));
		return print_json(&json);
	}
	json_key(&json, "registries");
	json_open_array(&json);
	while (json_next(&entry))
		json_put_string(&json,
				registry_name(entry.key, name, sizeof(name)));
	json_close(&json);
	json_key(&json, "warnings");
	json_open_array(&json);
	while (validation_next_warning(found, &rest, &warning))
		json_put_string(&json, warning);
	json_close(&json);
	return print_json(&json);
}

static enum exit_status
print_text(struct program *program, struct json_value auths,
	   const struct pullsecret_findings *found)
{
	struct str rest = buf_view(&found->text), warning;
	struct json_iter entry = json_iter(auths);
	struct buf *out = applet_output(program);
	size_t count = json_size(auths);
	char name[NAME_SIZE];

	buf_put_cstr(out, "valid pull secret: ");
	buf_put_uint(out, program->task.payload.len);
	buf_put_cstr(out, " bytes, ");
	buf_put_uint(out, count);
	buf_put_cstr(out, count == 1 ? " registry\n" : " registries\n");
	while (json_next(&entry)) {
		buf_put_cstr(out, "  ");
		buf_put_str(out, registry_name(entry.key, name, sizeof(name)));
		buf_put_char(out, '\n');
	}
	while (validation_next_warning(found, &rest, &warning)) {
		buf_put_cstr(out, "warning: ");
		buf_put_str(out, warning);
		buf_put_char(out, '\n');
	}
	return print_result(buf_view(out));
}

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	struct status st = { .code = CODE_OK };
	struct call *call = &program->client.call; /* lends its memory */
	struct task *task = &program->task;
	struct json_value auths = { NULL, 0 };
	const struct pullsecret_findings *found;
	struct json json;

	if (validation_check_options(&st) != CODE_OK)
		return applet_fail(&APPLET_validate, &st);
	if (input_read_file(count > 0 ? operand[0] : "-", "validate",
			    DEADLINE_NEVER, &task->input, &st) != CODE_OK)
		return print_failure(&st, read_exit_status(&st));
	task->payload = pullsecret_strip(buf_view(&task->input));
	if (validation_check(task->payload, call, &found, &st) == CODE_OK &&
	    json_parse(&json, task->payload, &call->tokens, &st) == CODE_OK)
		auths = json_get(json_root(&json), "auths");
	if (st.code == CODE_OK && !print_wants_json())
		return print_text(program, auths, found);
	if (print_wants_json()) {
		enum exit_status printed =
			print_object(program, auths, found, &st);

		if (st.code == CODE_OK || printed != EXIT_DONE)
			return printed;
	}
	status_prefix(&st, "invalid pull secret");
	return print_failure(&st, EXIT_PULL_SECRET);
}

const struct applet APPLET_validate = {
	.name = "validate",
	.operands = "[FILE|-]",
	.description = "check a pull secret offline",
	.help = "Checks a pull secret offline: FILE, or standard input for - "
		"or no FILE.\n"
		"Lists registries and warnings. With --profile what those "
		"consumers refuse is\n"
		"an error, what they misread a warning. Exit status 0: valid, "
		"3: invalid,\n"
		"2: cannot be read.\n",
	.options = TABLES,
	.operands_max = 1,
	.run = run,
};
