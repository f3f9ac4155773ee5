#include "job/input.h"

#include <string.h>

#include "base/bounds.h"
#include "base/redact.h"
#include "job/pullsecret.h"
#include "job/tasks_options.h"
#include "sys/file.h"

static struct {
	const char *file;
	const char *data; /* the pull secret itself */
	const char *fake; /* switch */
} given;

static const struct opt OPTIONS[] = {
	{ "--pull-secret-file", "PULL_SECRET_FILE", "PATH|-",
	  "file with the pull secret, - for standard input", &given.file,
	  OPT_INPUT },
	{ NULL, "PULL_SECRET_DATA", "JSON",
	  "the pull secret itself; give exactly one source", &given.data,
	  OPT_SECRET },
	{ "--fake-pull-secret", "FAKE_PULL_SECRET", NULL,
	  "store a well-known fake instead, for tests", &given.fake,
	  OPT_PLAIN },
};

const struct opt_table INPUT_OPTIONS = { "Pull secret", OPTIONS,
					 OPT_COUNT(OPTIONS) };

static const struct opt_table *const OWN[] = { &INPUT_OPTIONS, NULL };

bool
input_given(void)
{
	return given.file != NULL || given.data != NULL || given.fake != NULL;
}

enum code
input_check(struct status *st)
{
	char names[120];
	struct buf list;
	size_t sources = 0;

	buf_init(&list, names, sizeof(names));
	for (size_t i = 0; i < OPT_COUNT(OPTIONS); i++) {
		if (*OPTIONS[i].value == NULL)
			continue;
		if (sources++ > 0)
			buf_put_cstr(&list, ", ");
		buf_put_cstr(&list, opt_origin(OPTIONS[i].variable));
	}
	if (given.file != NULL && strcmp(given.file, "-") == 0 &&
	    tasks_from_input())
		return status_set(
			st, CODE_INVALID_ARGUMENT,
			"standard input is the list of tasks already");
	if (sources == 1 || (sources == 0 && tasks_given()))
		return CODE_OK;
	if (sources > 1) {
		status_hint(st, "unset all but one");
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "more than one source of the pull secret: "
				  "%.*s",
				  (int)list.len, list.ptr);
	}
	status_hint(st, "set PULL_SECRET_FILE to a mounted file (or - for "
			"standard input) or PULL_SECRET_DATA to the JSON; "
			"--fake-pull-secret stores a fake for tests");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "no pull secret: neither PULL_SECRET_FILE nor "
			  "PULL_SECRET_DATA is set");
}

/* A path that is the pull secret itself must not get into a message. */
enum code
input_read_file(const char *path, const char *what, struct deadline until,
		struct buf *out, struct status *st)
{
	if (looks_secret(str_from(path))) {
		status_hint(st, "the pull secret itself belongs into "
				"PULL_SECRET_DATA");
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s: no path, but what looks like a pull "
				  "secret",
				  what);
	}
	(void)file_read(path, what, until, out, st);
	return input_explain(path, what, st);
}

enum code
input_explain(const char *path, const char *what, struct status *st)
{
	if (st->code == CODE_OUT_OF_RANGE) {
		/* White space that is cut off is read, too. */
		status_clear(st);
		(void)status_set(st, CODE_OUT_OF_RANGE,
				 "%s: %s holds more than the %d "
				 "bytes of a secret version",
				 what,
				 strcmp(path, "-") == 0 ? "standard input"
							: path,
				 PULL_SECRET_MAX);
	}
	if (st->code != CODE_OK && st->code != CODE_OUT_OF_RANGE &&
	    st->code != CODE_DEADLINE_EXCEEDED && st->code != CODE_CANCELLED &&
	    st->code != CODE_INTERNAL)
		st->code = CODE_INVALID_ARGUMENT;
	return st->code;
}

enum code
input_read(struct deadline until, struct buf *out, struct status *st)
{
	struct str data = str_from(given.data);

	if (given.fake != NULL) {
		buf_put_cstr(out, PULL_SECRET_FAKE);
		return CODE_OK;
	}
	if (given.file != NULL)
		return input_read_file(given.file,
				       opt_origin("PULL_SECRET_FILE"), until,
				       out, st);
	buf_put_str(out, data);
	opt_wipe(OWN);
	if (out->overflow)
		return status_set(st, CODE_OUT_OF_RANGE,
				  "PULL_SECRET_DATA: %zu bytes are more than "
				  "the %d that a secret version holds",
				  data.len, PULL_SECRET_MAX);
	return CODE_OK;
}

void
input_wipe_unread(void)
{
	if (given.data != NULL)
		return;
	given.data = opt_variable("PULL_SECRET_DATA");
	opt_wipe(OWN);
}
