/* What a pull secret must be, rule by rule, so that all of its readers agree. */
#include "job/pullsecret.h"

#include "base/codec.h"

#include "test.h"

#define ENTRY(auth) "{\"auths\":{\"r\":{\"auth\":\"" auth "\"}}}"

static struct json_tokens tokens;
static char scratch_memory[PULL_SECRET_MAX];
static struct buf scratch;
static struct status st;
static struct pullsecret_findings found;
static struct pullsecret_policy policy = { .strictness = STRICTNESS_NORMAL };

static enum code
check(struct str text)
{
	buf_init(&scratch, scratch_memory, sizeof(scratch_memory));
	memset(scratch_memory, 's', sizeof(scratch_memory));
	status_clear(&st);
	memset(&found, 'f', sizeof(found));
	return pullsecret_check(text, &policy, &tokens, &scratch, &found, &st);
}

TEST(what_every_reader_takes_is_valid)
{
	static const struct {
		const char *text;
		size_t registries;
	} rows[] = {
		{ ENTRY("dTpw"), 1 },
		{ PULL_SECRET_FAKE, 1 },
		/* an empty password, and colons in one */
		{ ENTRY("dTo="), 1 },
		{ ENTRY("dTo6Og=="), 1 },
		{ ENTRY("dTrDpA=="), 1 },
		/* escapes of PHP (u:???) and .NET (u:>>>), line breaks */
		{ ENTRY("dTo\\/Pz8="), 1 },
		{ ENTRY("dTo\\u002bPj4="), 1 },
		{ ENTRY("\\u0064T\\u0070w"), 1 },
		{ ENTRY("dTpw\\n"), 1 },
		{ ENTRY("\\r\\ndT\\r\\no=\\u000a"), 1 },
		/* further members, of any type */
		{ "{\"auths\":{\"r\":{\"auth\":\"dTpw\",\"email\":null,"
		  "\"x\":[1,{}]}},\"credsStore\":\"\",\"HttpHeaders\":{}}",
		  1 },
		{ "{\"auths\":{\"a\":{\"auth\":\"dTpw\"},"
		  "\"b:5000\":{\"auth\":\"dTpw\"},"
		  "\"c/d/*\":{\"auth\":\"dTpw\"}}}",
		  3 },
		{ "\n\t { \"auths\" : { \"r\" : { \"auth\" : \"dTpw\" } } "
		  "}\r\n",
		  1 },
		/* a key may be escaped */
		{ "{\"\\u0061uths\":{\"r\":{\"\\u0061uth\":\"dTpw\"}}}", 1 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (check(str_from(rows[i].text)) != CODE_OK)
			fail_msg("row %zu: %s", i, st.message);
		assert_int_equal(found.registries, rows[i].registries);
		assert_string_equal(st.hint, "");
	}
}

TEST(each_broken_rule_is_told_with_its_place)
{
	static const struct {
		const char *text;
		const char *message;
	} rows[] = {
		/* the root */
		{ "[]", "column 1, at $: a pull secret must be an object" },
		{ "\"x\"", "at $: a pull secret must be an object" },
		{ "null", "at $: a pull secret must be an object" },
		{ "7", "at $: a pull secret must be an object" },
		/* auths */
		{ "{}", "at $: auths is missing" },
		{ "{\"Auths\":{}}", "column 2, at $.Auths: auths but for" },
		{ "{\"auths\":null}", "at $.auths: auths must be an object" },
		{ "{\"auths\":[]}", "at $.auths: auths must be an object" },
		{ "{\"auths\":\"x\"}", "at $.auths: auths must be an object" },
		{ "{\"auths\":{}}", "at $.auths: auths is empty" },
		/* an entry */
		{ "{\"auths\":{\"r\":null}}",
		  "the entry of a registry must be" },
		{ "{\"auths\":{\"r\":\"dTpw\"}}",
		  "at $.auths.r: the entry of a registry must be" },
		{ "{\"auths\":{\"r\":[]}}", "the entry of a registry must be" },
		{ "{\"auths\":{\"r\":{}}}", "at $.auths.r: the entry lacks" },
		{ "{\"auths\":{\"r\":{\"Auth\":\"dTpw\"}}}",
		  "at $.auths.r.Auth: auth but for" },
		{ "{\"auths\":{\"r\":{\"username\":\"u\",\"password\":\"p\"}}}",
		  "at $.auths.r: the entry lacks auth" },
		/* auth */
		{ "{\"auths\":{\"r\":{\"auth\":null}}}",
		  "at $.auths.r.auth: auth must be a string" },
		{ "{\"auths\":{\"r\":{\"auth\":7}}}", "auth must be a string" },
		{ "{\"auths\":{\"r\":{\"auth\":{}}}}",
		  "auth must be a string" },
		{ ENTRY(""), "auth is empty" },
		/* RFC 4648 sections 3.2, 3.3, 3.5 and 5 */
		{ ENTRY("dTo"), "auth is not padded base64" },
		{ ENTRY("dTpw="), "auth is not padded base64" },
		{ ENTRY("dTpw===="), "auth is not padded base64" },
		{ ENTRY("dTp3"
			"dQ"),
		  "auth is not padded base64" },
		{ ENTRY("dTp="), "auth is not padded base64" },
		{ ENTRY("=dTp"), "auth is not padded base64" },
		{ ENTRY("dTo=dTo="), "auth is not padded base64" },
		{ ENTRY(" dTpw"), "auth is not padded base64" },
		{ ENTRY("dTpw\\t"), "auth is not padded base64" },
		{ ENTRY("dTpw\\u000b"), "auth is not padded base64" },
		{ ENTRY("dTpw\\u0000"), "auth is not padded base64" },
		{ ENTRY("dTo\\n"), "auth is not padded base64" },
		{ ENTRY("dTr\\u005f"), "auth is not padded base64" },
		{ ENTRY("\\r\\n"), "auth is empty" },
		{ ENTRY("dTr_"), "auth is not padded base64" },
		{ ENTRY("dTr-"), "auth is not padded base64" },
		{ ENTRY("user:password"), "auth is not padded base64" },
		{ ENTRY("d\xc3\xa4pw"), "auth is not padded base64" },
		/* user:password */
		{ ENTRY("dXNlcg=="), "there is no colon in it" },
		{ ENTRY("OnA="), "the user name in auth is empty" },
		{ ENTRY("Og=="), "the user name in auth is empty" },
		/* the second of two */
		{ "{\"auths\":{\"a\":{\"auth\":\"dTpw\"},\n \"b\":{}}}",
		  "line 2, column 6, at $.auths.b: the entry lacks auth" },
		/* no JSON, or two keys of one name */
		{ "", "line 1, column 1" },
		{ "{", "line 1, column 2" },
		{ "x", "line 1, column 1" },
		{ "{\"auths\":{},\"auths\":{}}", "a key that its object has" },
		{ "{\"auths\":{\"r\":{\"auth\":\"dTpw\"}}}x", "line 1" },
		{ "\xef\xbb\xbf" ENTRY("dTpw"), "line 1, column 1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (check(str_from(rows[i].text)) != CODE_INVALID_ARGUMENT ||
		    strstr(st.message, rows[i].message) == NULL)
			fail_msg("row %zu: %s", i, st.message);
		assert_int_equal(strncmp(st.message, "line ", 5), 0);
	}
}

#define WITH(members) "{\"auths\":{\"r.io\":{\"auth\":\"dTpw\"}}," members "}"
#define IN_ENTRY(members) \
	"{\"auths\":{\"r.io\":{\"auth\":\"dTpw\"," members "}}}"
#define HELPER(key, helper) \
	"{\"auths\":{\"" key "\":{\"auth\":\"dTpw\"}}," \
	"\"credHelpers\":{\"" helper "\":\"x\"}}"

/*
 * Each text with what its consumers make of it: whether the kubelet (its
 * pkg/credentialprovider), CRI-O (containers/image) and the OpenShift
 * installer log in with `auth`. Valid is what all of them take.
 */
TEST(what_one_consumer_refuses_is_refused)
{
	static const struct {
		const char *text;
		bool kubelet, crio, installer;
		const char *message;
	} rows[] = {
		/* the types that they read */
		{ IN_ENTRY("\"email\":\"\""), true, true, true, "" },
		{ IN_ENTRY("\"email\":null"), true, true, true, "" },
		{ IN_ENTRY("\"email\":1"), false, true, true,
		  "at $.auths[\"r.io\"].email: email must be a string; refused "
		  "by kubelet, mco" },
		{ IN_ENTRY("\"email\":false"), false, true, true,
		  "email must be" },
		{ IN_ENTRY("\"username\":\"u\",\"password\":null"), true, true,
		  true, "" },
		{ IN_ENTRY("\"username\":[]"), false, true, true,
		  ".username: username must be a string; refused by kubelet" },
		{ IN_ENTRY("\"password\":{}"), false, true, true,
		  ".password: password must be a string; refused by kubelet" },
		{ IN_ENTRY("\"identitytoken\":null"), true, true, true, "" },
		{ IN_ENTRY("\"identitytoken\":\"\""), true, true, true, "" },
		{ IN_ENTRY("\"identitytoken\":7"), true, false, true,
		  ".identitytoken: identitytoken must be a string; refused by "
		  "crio" },
		{ WITH("\"HttpHeaders\":{\"A\":\"b\",\"C\":null}"), true, true,
		  true, "" },
		{ WITH("\"HttpHeaders\":null"), true, true, true, "" },
		{ WITH("\"HttpHeaders\":\"\""), false, true, true,
		  "at $.HttpHeaders: HttpHeaders must be an object of "
		  "strings; refused by kubelet" },
		{ WITH("\"HttpHeaders\":[]"), false, true, true,
		  "HttpHeaders must" },
		{ WITH("\"HttpHeaders\":{\"ab\":[\"b\"]}"), false, true, true,
		  "at $.HttpHeaders.ab: HttpHeaders must be an object of" },
		{ WITH("\"credHelpers\":{\"q.io\":\"x\"}"), true, true, true,
		  "" },
		{ WITH("\"credHelpers\":{\"q.io\":null}"), true, true, true,
		  "" },
		{ WITH("\"credHelpers\":{\"q.io\":1}"), true, false, true,
		  "at $.credHelpers[\"q.io\"]: credHelpers must be an object "
		  "of strings; refused by crio, mco" },
		{ WITH("\"credHelpers\":true"), true, false, true,
		  "at $.credHelpers: credHelpers must be" },
		/* others are nobody's */
		{ WITH("\"credsStore\":7,\"x\":[1]"), true, true, true, "" },
		{ IN_ENTRY("\"x\":7,\"y\":{}"), true, true, true, "" },
		/* keys in another case; U+017F and U+212A fold to s and k */
		{ WITH("\"AUTHS\":null"), false, false, false,
		  "at $[key 2]: auths but for upper and lower" },
		{ WITH("\"auth\xc5\xbf\":null"), false, false, false,
		  "at $[key 2]: auths but for" },
		{ WITH("\"\\u0041uths\":null"), false, false, false,
		  "auths but for" },
		{ WITH("\"httpHeaders\":1"), false, true, true,
		  "at $.httpHeaders: HttpHeaders but for" },
		{ WITH("\"CredHelpers\":{\"r.io\":\"x\"}"), true, false, true,
		  "at $.CredHelpers: credHelpers but for" },
		{ IN_ENTRY("\"Auth\":\"OnA=\""), false, false, true,
		  ".Auth: auth but for" },
		{ IN_ENTRY("\"UserName\":1"), false, true, true,
		  "username but for" },
		{ IN_ENTRY("\"paSSword\":1"), false, true, true,
		  "password but for" },
		{ IN_ENTRY("\"Email\":1"), false, true, true, "email but for" },
		{ IN_ENTRY("\"identityTo\xe2\x84\xaa"
			   "en\":1"),
		  true, false, true, "identitytoken but for" },
		{ IN_ENTRY("\"auths\":1,\"AUTHS\":1"), true, true, true, "" },
		{ WITH("\"auth\":1,\"Email\":1"), true, true, true, "" },
		{ WITH("\"authz\":1,\"aut\":1,\"auth\\u0000\":2"), true, true,
		  true, "" },
		/* CRI-O asks the helper of a registry before auths */
		{ HELPER("r.io", "r.io"), true, false, true,
		  "at $.credHelpers[\"r.io\"]: credHelpers names a registry" },
		{ HELPER("r.io/org/*", "r.io"), true, false, true,
		  "credHelpers names" },
		{ HELPER("https://r.io/v1/", "r.io"), true, false, true,
		  "credHelpers names" },
		{ HELPER("http://r.io:5000", "r.io:5000"), true, false, true,
		  "credHelpers names" },
		{ HELPER("https://index.docker.io/v1/", "docker.io"), true,
		  false, true, "credHelpers names" },
		{ HELPER("\\u0072.io", "r\\u002eio"), true, false, true,
		  "credHelpers names" },
		{ HELPER("r.io", "r.io:5000"), true, true, true, "" },
		{ HELPER("a.r.io", "r.io"), true, true, true, "" },
		{ HELPER("r.io", "r.io/org"), true, true, true, "" },
		{ HELPER("docker.io", "index.docker.io"), true, true, true,
		  "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool all = rows[i].kubelet && rows[i].crio && rows[i].installer;

		if ((check(str_from(rows[i].text)) == CODE_OK) != all ||
		    strstr(st.message, rows[i].message) == NULL)
			fail_msg("row %zu: %s", i, st.message);
	}
}

TEST(the_usual_mixups_get_a_hint)
{
	static const struct {
		const char *text;
		const char *hint;
	} rows[] = {
		{ "{\"kind\":\"Secret\",\"data\":{}}", "Kubernetes Secret" },
		{ "{\"r\":{\"auth\":\"dTpw\"}}", "jq '{auths:.}' FILE" },
		{ "{\"x\":1,\"r\":{\"auth\":\"dTpw\"}}", "jq '{auths" },
		{ "{\"kind\":\"secret\"}", "" },
		{ "{\"x\":{}}", "" },
		/* base64 of {"auths":{}}, in all its forms */
		{ "eyJhdXRocyI6e319", "this is base64" },
		{ " eyJhdXRocyI6e319\n", "this is base64" },
		{ "eyJhdXRocyI6IHt9fQ==", "this is base64" },
		{ "eyJhdXRocyI6IHt9fQ", "this is base64" },
		{ "CnsiYXV0aHMiOnt9fQ==", "this is base64" },
		{ "dTpw", "" },
		{ "{\"auths\":", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(check(str_from(rows[i].text)),
				 CODE_INVALID_ARGUMENT);
		if (strstr(st.hint, rows[i].hint) == NULL ||
		    (rows[i].hint[0] == '\0' && st.hint[0] != '\0'))
			fail_msg("row %zu: %s", i, st.hint);
	}
}

TEST(no_message_holds_a_value)
{
	static const char *const rows[] = {
		ENTRY("CANARY"),
		ENTRY("Q0FOQVJZ"),
		"{\"auths\":{\"r\":{\"auth\":[\"CANARY\"]}}}",
		"{\"auths\":{\"r\":\"CANARY\"}}",
		"{\"auths\":{\"r\":{\"x\":\"CANARY\"}}}",
		"{\"auths\":\"CANARY\"}",
		IN_ENTRY("\"email\":[\"CANARY\"]"),
		WITH("\"HttpHeaders\":\"CANARY\""),
		WITH("\"credHelpers\":{\"x\":[\"CANARY\"]}"),
		"\"CANARY\"",
		"CANARY",
		"{\"x\":\"CANARY}",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(check(str_from(rows[i])),
				 CODE_INVALID_ARGUMENT);
		assert_null(strstr(st.message, "CANARY"));
		assert_null(strstr(st.hint, "CANARY"));
	}
}

/* However it ends, nothing decoded stays behind. */
TEST(decoded_credentials_are_wiped)
{
	static const char *const rows[] = {
		ENTRY("Y2FuYXJ5OnBhc3N3b3Jk"),
		ENTRY("Y2FuYXJ5"),
		ENTRY("\\u0059\\u0032FuYXJ5OnBhc3N3b3Jk"),
		ENTRY("\\u0063\\u0061nary"),
		HELPER("canary.io", "canary.io"),
		"Y2FuYXJ5IHsgeyB7",
		"eyJhdXRocyI6e319",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)check(str_from(rows[i]));
		assert_null(memmem(scratch_memory, sizeof(scratch_memory),
				   "canary", 6));
		assert_null(memmem(scratch_memory, sizeof(scratch_memory),
				   "auths", 5));
	}
}

/* Secret Manager's limit: 65,536 bytes. */
TEST(the_size_has_a_ceiling)
{
	static char text[PULL_SECRET_MAX + 1];
	const struct str start = STR("{\"auths\":{\"r\":{\"auth\":\"dTpw\"}}}");

	memset(text, ' ', sizeof(text));
	memcpy(text, start.ptr, start.len);
	assert_int_equal(check((struct str){ text, PULL_SECRET_MAX }), CODE_OK);
	assert_int_equal(check((struct str){ text, PULL_SECRET_MAX + 1 }),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "65537 bytes are more than"));
}

/* One auth that fills the whole secret needs three quarters of it. */
TEST(the_longest_auth_is_decoded)
{
	static char text[PULL_SECRET_MAX];
	const struct str before = STR("{\"auths\":{\"r\":{\"auth\":\"dTpw");
	const struct str after = STR("\"}}}");
	size_t auth = sizeof(text) - before.len - after.len;

	auth -= auth % 4;
	memset(text, 'a', sizeof(text));
	memcpy(text, before.ptr, before.len);
	memcpy(text + before.len + auth, after.ptr, after.len);
	assert_int_equal(check((struct str){ text,
					     before.len + auth + after.len }),
			 CODE_OK);
}

TEST(white_space_at_the_end_is_cut_off)
{
	static const struct {
		struct str text;
		size_t length;
	} rows[] = {
		{ { "", 0 }, 0 },
		{ { " ", 1 }, 0 },
		{ { " \t\r\n", 4 }, 0 },
		{ { "{}", 2 }, 2 },
		{ { "{}\n", 3 }, 2 },
		{ { " {} \r\n\t ", 8 }, 3 },
		/* no white space of JSON's */
		{ { "{}\v", 3 }, 3 },
		{ { "{}\0", 3 }, 3 },
		{ { "{}\xc2\xa0", 4 }, 4 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str text = pullsecret_strip(rows[i].text);

		assert_int_equal(text.len, rows[i].length);
		assert_ptr_equal(text.ptr, rows[i].text.ptr);
	}
}
