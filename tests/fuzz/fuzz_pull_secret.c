/* Any text as a pull secret: refused without a byte of it, or truly valid. */
#include "job/pullsecret.h"

#include "base/json_walk.h"
#include "fuzz.h"

static struct json_tokens tokens;
static char scratch_memory[PULL_SECRET_MAX];

/* Longer than the longest name in our own words, "identitytoken". */
#define RUN 14

/* Whether RUN bytes in a row of the input are in a message. */
static bool
quotes(const char *message, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + RUN <= size; i++)
		if (memmem(message, strlen(message), data + i, RUN) != NULL)
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text =
		pullsecret_strip((struct str){ (const char *)data, size });
	struct status st = { .code = CODE_OK };
	struct json json;
	struct buf scratch;
	static struct pullsecret_findings found;
	/* Profile, strictness and today by the length: all of them turn up. */
	const struct pullsecret_policy policy = {
		.strictness = (enum strictness)(size % 3),
		.profile = (unsigned)(size / 3 % 64),
		.required = size % 7 == 0 ? "quay.io,r" : NULL,
		.now = size % 2 == 0 ? 1800000000 : 0,
	};

	buf_init(&scratch, scratch_memory, sizeof(scratch_memory));
	must_tell(pullsecret_check(text, &policy, &tokens, &scratch, &found,
				   &st),
		  &st);
	if (st.code != CODE_OK) {
		/* Paths name registries; what follows the path is ours. */
		const char *reason = strrchr(st.message, ':');

		must(reason == NULL ||
		     strstr(reason, "//index.docker.io/v1/ beside") != NULL ||
		     !quotes(reason, data, size));
		return 0;
	}
	must(found.registries > 0 && text.len <= PULL_SECRET_MAX);
	must(json_parse(&json, text, &tokens, &st) == CODE_OK);
	must(json_size(json_get(json_root(&json), "auths")) ==
	     found.registries);
	return 0;
}
