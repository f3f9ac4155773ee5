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
		struct secrets secrets = { .count = 0 };
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", CASES[i].text);
		secrets_add(&secrets, str_from(CASES[i].secret));
		redact(text, &secrets);
		if (strcmp(text, CASES[i].wanted) != 0)
			fail_msg("%s: %s, not %s", CASES[i].text, text,
				 CASES[i].wanted);
	}
}

/* Where two secrets meet, or one is an encoding of the other. */
TEST(all_secrets_are_masked_at_once)
{
	struct secrets secrets = { .count = 0 };
	char text[] = "got supersecret, c3VwZXJzZWNyZXQ= and "
		      "supersecretpassword.";

	secrets_add(&secrets, STR("c3VwZXJzZWNyZXQ="));
	secrets_add(&secrets, STR("supersecret"));
	secrets_add(&secrets, STR("short"));
	secrets_add(&secrets, STR("secretpassword"));
	assert_int_equal(secrets.count, 3);
	redact(text, &secrets);
	assert_string_equal(text, "got ***********, **************** and "
				  "*******************.");
}

/* What cannot be kept track of is not shown. */
TEST(too_many_secrets_hide_all)
{
	struct secrets secrets = { .count = 0 };
	char text[] = "harmless";

	redact(text, &secrets);
	assert_string_equal(text, "harmless");
	for (size_t i = 0; i < SECRETS_MAX; i++)
		secrets_add(&secrets, STR("supersecret"));
	redact(text, &secrets);
	assert_string_equal(text, "harmless");
	secrets_add(&secrets, STR("the last straw"));
	redact(text, &secrets);
	assert_string_equal(text, "");
}

/* JSON, and base64 of it: '{' and a quote, a space or the end of a line. */
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
