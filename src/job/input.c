#include "job/input.h"

#include "base/bounds.h"
#include "base/redact.h"
#include "job/pullsecret.h"
#include "net/proxy.h"
#include "sys/file.h"

enum code
input_check(const struct settings *s, struct status *st)
{
	unsigned sources = (s->pull_secret_file != NULL ? 1U : 0U) +
			   (s->pull_secret_data != NULL ? 1U : 0U) +
			   (s->fake_pull_secret != NULL ? 1U : 0U);

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
static enum code
read_source(const char *path, struct deadline until, struct buf *out,
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
input_read(const struct settings *s, struct deadline until, struct buf *out,
	   struct status *st)
{
	struct str data = str_from(s->pull_secret_data);

	if (s->fake_pull_secret != NULL) {
		buf_put_cstr(out, PULL_SECRET_FAKE);
		return CODE_OK;
	}
	if (s->pull_secret_file != NULL)
		return read_source(s->pull_secret_file, until, out, st);
	buf_put_str(out, data);
	if (out->overflow)
		return status_set(st, CODE_OUT_OF_RANGE,
				  "PULL_SECRET_DATA: %zu bytes are more than "
				  "the %d that a secret version holds",
				  data.len, PULL_SECRET_MAX);
	return CODE_OK;
}

void
input_wipe(struct settings *s)
{
	const char *data = s->pull_secret_data;

	if (data != NULL)
		wipe((char *)(uintptr_t)data, str_from(data).len);
	s->pull_secret_data = NULL;
	input_wipe_proxy(s);
}

void
input_wipe_proxy(const struct settings *s)
{
	proxy_wipe_text(s->https_proxy);
	proxy_wipe_text(opt_variable("HTTPS_PROXY"));
	proxy_wipe_text(opt_variable("https_proxy"));
}
