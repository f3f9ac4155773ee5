/* Keeping secrets out of texts that others wrote. */
#include "base/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *text;
	const char *secret;
	const char *wanted;
} CASES[] = {
	{ "", "supersecret", "" },
	{ "nothing of it", "supersecret", "nothing of it" },
	{ "got supersecret!", "supersecret", "got ***********!" },
	{ "supersecret", "supersecret", "***********" },
	/* a run of 8 is a leak, one of 7 is not */
	{ "x supersec y", "supersecret", "x ******** y" },
	{ "x superse y", "supersecret", "x superse y" },
	{ "x ersecret y", "supersecret", "x ******** y" },
	/* two places */
	{ "supersec and rsecret", "supersecret", "******** and rsecret" },
	{ "supersec and ersecret", "supersecret", "******** and ********" },
	/* runs that overlap in the text */
	{ "aaaaaaaaaaaa", "aaaaaaaa", "************" },
	/* a secret too short to have such a run */
	{ "short1", "short1", "short1" },
};

static void
runs_of_the_secret_are_masked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", CASES[i].text);
		redact(text, str_from(CASES[i].secret));
		assert_string_equal(text, CASES[i].wanted);
	}
}

/* JSON, and base64 of it: '{' and a quote, a space or the end of a line. */
static void
a_secret_in_the_wrong_place_is_not_shown(void **state)
{
	static const struct {
		const char *argument;
		bool secret;
	} rows[] = {
		{ "{", true },
		{ "{\"auths\":{}}", true },
		{ " \n\t{\"auths\":{}}", true },
		{ "eyJhdXRocyI6e319", true },
		{ "ewogICJhdXRocyI6IHt9Cn0K", true },
		{ "eyAiYXV0aHMiOiB7fX0=", true },
		{ "ew0KImF1dGhzIjoge319", true },
		{ "\newogICJhdXRocyI6IHt9Cn0K\n", true },
		{ "", false },
		{ "my-project", false },
		{ "/run/secrets/.dockerconfigjson", false },
		{ "ey", false },
		{ "eye", false },
		{ "x{", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argument = rows[i].argument;

		if (looks_secret(str_from(argument)) != rows[i].secret)
			fail_msg("%s", argument);
		if (rows[i].secret)
			assert_string_equal(shown(argument),
					    "(JSON, not shown)");
		else
			assert_ptr_equal(shown(argument), argument);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_of_the_secret_are_masked),
		cmocka_unit_test(a_secret_in_the_wrong_place_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
