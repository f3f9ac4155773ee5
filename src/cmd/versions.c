#include "gcp/versions.h"
#include "base/format.h"
#include "cmd/applet.h"
#include "cmd/print.h"
#include "cmd/secret_name.h"
#include "job/input.h"
#include "job/options.h"
#include "job/pullsecret.h"
#include "job/target.h"

static const char *compare_option;

static const struct opt OPTIONS[] = {
	{ "--compare", NULL, "FILE|-",
	  "say of each version whether it equals the file", &compare_option,
	  OPT_INPUT },
};

static const struct opt_table OWN = { "Applet versions", OPTIONS,
				      OPT_COUNT(OPTIONS) };

static const struct opt_table *const TABLES[] = {
	&OWN,          &JSON_OPTIONS,    &TARGET_OPTIONS,
	&TIME_OPTIONS, &NETWORK_OPTIONS, NULL,
};

/* One for each enum version_state. */
static const char *const STATES[] = { "UNKNOWN", "ENABLED", "DISABLED",
				      "DESTROYED" };

/* The file as it is, or as the main job would store it. */
static bool
equals(struct str data, struct str text)
{
	struct str stored = pullsecret_strip(text);

	return (data.len == text.len || data.len == stored.len) &&
	       bytes_equal(data.ptr, text.ptr, data.len);
}

/* NULL: without --compare. What is not enabled is not asked for. */
static enum code
compare(struct program *program, const struct version_info *version,
	const char **equal, struct status *st)
{
	struct client *client = &program->client;
	const struct task *task = &program->task;
	struct retry retry = client_retries(client);
	struct secret_version found;
	char number[24];
	struct str data;

	*equal = compare_option != NULL ? "unknown" : NULL;
	if (compare_option == NULL || version->state != VERSION_ENABLED)
		return CODE_OK;
	(void)format_text(number, sizeof(number), "%llu",
			  (unsigned long long)version->number);
	if (secretmanager_access(&client->sm, task->project, task->secret,
				 number, &found, &data, &retry,
				 st) == CODE_OK) {
		*equal = equals(data, buf_view(&task->input)) ? "yes" : "no";
	} else if (st->code == CODE_FAILED_PRECONDITION) {
		status_clear(st); /* disabled in between */
	} else {
		status_prefix(st, "version %s", number);
	}
	return st->code;
}

static void
put_time(struct buf *out, struct json_writer *json, const char *key,
	 int64_t time)
{
	char text[RFC3339_SIZE] = "";

	if (time != 0 && time != TIME_UNKNOWN)
		clock_rfc3339(time, text);
	if (json != NULL && text[0] != '\0')
		json_member(json, key, str_from(text));
	if (json == NULL)
		buf_put_padded(out, time == TIME_UNKNOWN ? "unknown" : text,
			       RFC3339_SIZE + 1);
}

static void
put_object(struct buf *out, const struct version_info *version,
	   const char *equal)
{
	struct json_writer json;

	json_writer_init(&json, out);
	json_open_object(&json);
	json_key(&json, "number");
	json_put_uint(&json, version->number);
	json_member(&json, "state", str_from(STATES[version->state]));
	put_time(out, &json, "createTime", version->created);
	put_time(out, &json, "destroyTime", version->destroyed);
	put_time(out, &json, "scheduledDestroyTime", version->scheduled);
	if (equal != NULL)
		json_member(&json, "equal", str_from(equal));
	json_close(&json);
}

static void
put_row(struct buf *out, const struct version_info *version, const char *equal)
{
	char number[24];

	(void)format_text(number, sizeof(number), "%llu",
			  (unsigned long long)version->number);
	buf_put_padded(out, number, 9);
	buf_put_padded(out, STATES[version->state], 11);
	put_time(out, NULL, NULL, version->created);
	if (equal != NULL)
		buf_put_padded(out, equal, 9);
	put_time(out, NULL, NULL,
		 version->destroyed != 0 ? version->destroyed
					 : version->scheduled);
	while (out->len > 0 && out->ptr[out->len - 1] == ' ')
		out->len--;
	buf_put_char(out, '\n');
}

/* Prints one version, or with NULL what stands before the first one. */
static enum exit_status
print_version(const struct version_info *version, bool first, const char *equal)
{
	char memory[512];
	struct buf out;

	buf_init(&out, memory, sizeof(memory));
	if (version == NULL && print_wants_json()) {
		buf_put_cstr(&out, "{\"versions\":[");
	} else if (version == NULL) {
		buf_put_cstr(&out,
			     "VERSION  STATE      CREATED               ");
		buf_put_cstr(&out, compare_option != NULL ? "EQUAL    " : "");
		buf_put_cstr(&out, "DESTROYED\n");
	} else if (print_wants_json()) {
		buf_put_cstr(&out, first ? "\n" : ",\n");
		put_object(&out, version, equal);
	} else {
		put_row(&out, version, equal);
	}
	return print_result(buf_view(&out));
}

static enum exit_status
print_versions(struct program *program, struct status *st)
{
	static struct version_list list;
	struct client *client = &program->client;
	const struct retry retry = client_retries(client);
	const struct version_info *version;
	enum exit_status printed = EXIT_DONE;
	const char *equal;
	bool first = true;

	versions_start(&list, &client->sm, program->task.project,
		       program->task.secret, "", &retry);
	while ((version = versions_next(&list, st)) != NULL &&
	       compare(program, version, &equal, st) == CODE_OK) {
		if (first)
			printed = print_version(NULL, true, NULL);
		if (printed == EXIT_DONE)
			printed = print_version(version, first, equal);
		if (printed != EXIT_DONE)
			return printed;
		first = false;
	}
	if (st->code != CODE_OK) {
		secretmanager_hint(st, "grant roles/secretmanager.viewer, and "
				       "for --compare secretAccessor");
		return applet_fail(&APPLET_versions, st);
	}
	if (first)
		printed = print_version(NULL, true, NULL);
	if (printed == EXIT_DONE && print_wants_json())
		printed = print_result(STR("]}\n"));
	return printed;
}

static enum exit_status
run(struct program *program, const char *const *operand, size_t count)
{
	struct status st = { .code = CODE_OK };
	struct client *client = &program->client;
	struct secret_name name;

	if (program_start_clock(program, &st) != CODE_OK ||
	    secret_name_read(&name, count > 0 ? operand[0] : NULL,
			     &program->task, &st) != CODE_OK)
		return applet_fail(&APPLET_versions, &st);
	if (name.version[0] != '\0')
		(void)status_set(
			&st, CODE_INVALID_ARGUMENT,
			"the name is one of a version: all are listed");
	if (st.code == CODE_OK && compare_option != NULL)
		(void)input_read_file(compare_option, "--compare",
				      client->until, &program->task.input, &st);
	client->sm.secret = buf_view(&program->task.input);
	client->listener = NULL; /* nothing but versions is printed */
	client->sm.listener = NULL;
	if (st.code != CODE_OK || program_load(program, &st) != CODE_OK ||
	    program_confine(program, &st) != CODE_OK ||
	    client_connect(client, &st) != CODE_OK)
		return applet_fail(&APPLET_versions, &st);
	return print_versions(program, &st);
}

const struct applet APPLET_versions = {
	.name = "versions",
	.operands = "[NAME]",
	.description = "list the versions of a secret",
	.help = "Lists all versions, the newest first, of NAME, as for "
		"access.\n"
		"With --compare: yes, no, or unknown for what cannot be "
		"read.\n",
	.options = TABLES,
	.operands_max = 1,
	.run = run,
};
