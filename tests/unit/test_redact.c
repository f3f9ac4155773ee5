/* Keeping secrets out of texts that others wrote. */
#include "base/redact.h"

#include "test.h"

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
	/* percent-encoded: all of it, or some; not cut off or wrong */
	{ "x %73%75%70%65%72%73%65%63 y", "supersecret",
	  "x ************************ y" },
	{ "supe%72%73ec y", "supersecret", "************ y" },
	{ "%73upersec%7", "supersecret", "**********%7" },
	{ "supers%6", "supersecret", "supers%6" },
	{ "superse%6g", "supersecret", "superse%6g" },
	/* JSON's escapes, also escaped again; not half of a surrogate pair */
	{ "s\\u0075p\\u0065rsec", "supersecret", "******************" },
	{ "s\\\\u0075persec", "supersecret", "**************" },
	{ "{\\\"a\\\":\\\"b\\\"}", "{\"a\":\"b\"}", "*************" },
	{ "p\\u00e4\\u20acssword", "p\xc3\xa4\xe2\x82\xacssword",
	  "******************d" },
	{ "p\\ud83dassword", "passwords", "p\\ud83dassword" },
	{ "superse\\u006", "supersecret", "superse\\u006" },
	{ "superse\\", "supersecret", "superse\\" },
	/* hexadecimal digits, from an even or odd place; 7 bytes are no leak */
	{ "7375706572736563", "supersecret", "****************" },
	{ "f7375706572736563", "supersecret", "f****************" },
	{ "x=737570657273654B", "superseK", "x=****************" },
	{ "73757065727365", "supersecret", "73757065727365" },
	/* base64: two groups, at each alignment, in both alphabets */
	{ "c3VwZXJzZWNyZXQ=", "supersecret", "************ZXQ=" },
	{ "eHN1cGVyc2VjcmV0", "supersecret", "eHN1************" },
	{ "eHhzdXBlcnNlY3JldA", "supersecret", "eHhz************dA" },
	{ "+/+/aaaa", "\xfb\xff\xbfi\xa6\x9a--", "********" },
	{ "-_-_aaaa", "\xfb\xff\xbfi\xa6\x9a--", "********" },
	{ "c3VwZXJ", "supersecret", "c3VwZXJ" },
	/* a secret too short to have such a run */
	{ "short1", "short1", "short1" },
};

TEST(runs_of_the_secret_are_masked)
{
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", CASES[i].text);
		redact(text, str_from(CASES[i].secret));
		if (strcmp(text, CASES[i].wanted) != 0)
			fail_msg("%s: %s, not %s", CASES[i].text, text,
				 CASES[i].wanted);
	}
}

/* JSON, and base64 of it: '{' and a quote, a space or the end of a line. */
TEST(all_texts_of_a_status_are_masked)
{
	struct status st = { .code = CODE_OK };

	(void)status_set(&st, CODE_UNKNOWN, "got supersecret");
	status_hint(&st, "see https://x.example/?q=supersecret");
	(void)snprintf(st.reason, sizeof(st.reason), "supersecret");
	redact_status(&st, STR("supersecret"));
	assert_string_equal(st.message, "got ***********");
	assert_string_equal(st.hint, "see https://x.example/?q=***********");
	assert_string_equal(st.reason, "***********");
}

TEST(a_secret_in_the_wrong_place_is_not_shown)
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

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *argument = rows[i].argument;

		if (looks_secret(str_from(argument)) != rows[i].secret)
			fail_msg("%s", argument);
		if (rows[i].secret)
			assert_string_equal(redact_argument(argument),
					    "(JSON, not shown)");
		else
			assert_ptr_equal(redact_argument(argument), argument);
	}
}
