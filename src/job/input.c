#include "job/input.h"

#include "base/bounds.h"
#include "base/redact.h"
#include "job/pullsecret.h"
#include "sys/file.h"

static struct {
	const char *file;
	const char *data; /* the pull secret itself */
	const char *fake; /* switch */
} given;

static const struct opt OPTIONS[] = {
	{ "pull-secret-file", "PULL_SECRET_FILE", "PATH|-", NULL,
	  "file with the pull secret, - for standard input", &given.file,
	  OPT_INPUT },
	{ NULL, "PULL_SECRET_DATA", "JSON", NULL,
	  "the pull secret itself; a file is safer", &given.data, OPT_SECRET },
	{ "fake-pull-secret", "FAKE_PULL_SECRET", NULL, NULL,
	  "store a well-known fake instead, for tests", &given.fake,
	  OPT_PLAIN },
};

const struct opt_table INPUT_OPTIONS = { "Pull secret", OPTIONS,
					 OPT_COUNT(OPTIONS) };

enum code
input_check(struct status *st)
{
	unsigned sources = (given.file != NULL ? 1U : 0U) +
			   (given.data != NULL ? 1U : 0U) +
			   (given.fake != NULL ? 1U : 0U);

	if (sources == 1)
		return CODE_OK;
	status_hint(st,
		    sources == 0
			    ? "set PULL_SECRET_FILE to a mounted file (or - "
			      "for standard input) or PULL_SECRET_DATA to "
			      "the JSON; --fake-pull-secret stores a fake "
			      "for tests"
			    : "unset all but one");
	return status_set(st, CODE_INVALID_ARGUMENT,
			  sources == 0
				  ? "no pull secret: neither PULL_SECRET_FILE "
				    "nor PULL_SECRET_DATA is set"
				  : "more than one source of the pull secret: "
				    "PULL_SECRET_FILE, PULL_SECRET_DATA and "
				    "--fake-pull-secret exclude each other");
}

/* A path that is the pull secret itself must not get into a message. */
enum code
input_read_file(const char *path, struct deadline until, struct buf *out,
		struct status *st)
{
	if (looks_secret(str_from(path))) {
		status_hint(st, "the pull secret itself belongs into "
				"PULL_SECRET_DATA");
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "PULL_SECRET_FILE holds no path but what "
				  "looks like a pull secret");
	}
	(void)file_read(path, "PULL_SECRET_FILE", until, out, st);
	if (st->code != CODE_OK && st->code != CODE_OUT_OF_RANGE &&
	    st->code != CODE_DEADLINE_EXCEEDED && st->code != CODE_CANCELLED &&
	    st->code != CODE_INTERNAL)
		st->code = CODE_INVALID_ARGUMENT;
	return st->code;
}

enum code
input_read(struct deadline until, struct buf *out, struct status *st)
{
	static const struct opt_table *const own[] = { &INPUT_OPTIONS, NULL };
	struct str data = str_from(given.data);

	if (given.fake != NULL) {
		buf_put_cstr(out, PULL_SECRET_FAKE);
		return CODE_OK;
	}
	if (given.file != NULL)
		return input_read_file(given.file, until, out, st);
	buf_put_str(out, data);
	opt_wipe(own);
	if (out->overflow)
		return status_set(st, CODE_OUT_OF_RANGE,
				  "PULL_SECRET_DATA: %zu bytes are more than "
				  "the %d that a secret version holds",
				  data.len, PULL_SECRET_MAX);
	return CODE_OK;
}
