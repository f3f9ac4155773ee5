/* What a mistyped word may have been meant to be. */
#include "base/suggest.h"

#include "test.h"

static const char *const KNOWN[] = {
	"--gcp-project-id", "--cluster-id", "--secret-name", "--no-proxy",
	"--https-proxy",    "run-job",      "token",         "a"
};

static const char *
meant_by(const char *word)
{
	struct suggestion near = { .word = str_from(word) };

	for (size_t i = 0; i < COUNT(KNOWN); i++)
		suggest_try(&near, KNOWN[i], KNOWN[i]);
	return near.best != NULL ? near.best : "nothing";
}

TEST(near_misses)
{
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "--cluster_id", "--cluster-id" },
		{ "--CLUSTER-ID", "--cluster-id" },
		{ "cluster-id", "--cluster-id" },
		{ "-cluster-id", "--cluster-id" },
		{ "--clusterid", "--cluster-id" },
		{ "--cluster-ids", "--cluster-id" },
		{ "--clsuter-id", "--cluster-id" },
		{ "--clister-id", "--cluster-id" },
		{ "--secretname", "--secret-name" },
		{ "--project", "--gcp-project-id" },
		{ "--gcp-project", "--gcp-project-id" },
		{ "--proxy", "--no-proxy" },
		{ "--http-proxy", "--https-proxy" },
		{ "run", "run-job" },
		{ "runjob", "run-job" },
		{ "job", "run-job" },
		{ "tokne", "token" },
		{ "toke", "token" },
		{ "--xyzzy", "nothing" },
		{ "to", "nothing" },
		{ "x", "nothing" },
		{ "", "nothing" },
		{ "--", "nothing" },
		{ "{\"auths\":{\"quay.io\":{\"auth\":\"dXNlcjpwYXNz\"}}}",
		  "nothing" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(meant_by(rows[i].word), rows[i].meant);
}

TEST(the_hint_names_what_is_shown)
{
	struct suggestion near = { .word = STR("TEST") };
	struct status st = { .code = CODE_OK };

	suggest_hint(&near, &st);
	assert_string_equal(st.hint, "");
	suggest_try(&near, "test", "--shown");
	suggest_hint(&near, &st);
	assert_string_equal(st.hint, "did you mean --shown?");
}
