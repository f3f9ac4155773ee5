/* What went wrong, as a value. */
#include "base/status.h"

#include "test.h"

/* google/rpc/code.proto, and what the program makes of each code. */
static const struct {
	enum code code;
	int number;
	const char *name;
	enum exit_status exit_status;
	bool retryable;
} CODES[] = {
	{ CODE_OK, 0, "OK", EXIT_DONE, false },
	{ CODE_CANCELLED, 1, "CANCELLED", EXIT_RETRY, false },
	{ CODE_UNKNOWN, 2, "UNKNOWN", EXIT_RETRY, false },
	{ CODE_INVALID_ARGUMENT, 3, "INVALID_ARGUMENT", EXIT_CONFIG, false },
	{ CODE_DEADLINE_EXCEEDED, 4, "DEADLINE_EXCEEDED", EXIT_RETRY, true },
	{ CODE_NOT_FOUND, 5, "NOT_FOUND", EXIT_CONFIG, false },
	{ CODE_ALREADY_EXISTS, 6, "ALREADY_EXISTS", EXIT_CONFIG, false },
	{ CODE_PERMISSION_DENIED, 7, "PERMISSION_DENIED", EXIT_AUTH, false },
	{ CODE_RESOURCE_EXHAUSTED, 8, "RESOURCE_EXHAUSTED", EXIT_RETRY, true },
	{ CODE_FAILED_PRECONDITION, 9, "FAILED_PRECONDITION", EXIT_CONFIG,
	  false },
	{ CODE_ABORTED, 10, "ABORTED", EXIT_RETRY, false },
	{ CODE_OUT_OF_RANGE, 11, "OUT_OF_RANGE", EXIT_CONFIG, false },
	{ CODE_UNIMPLEMENTED, 12, "UNIMPLEMENTED", EXIT_CONFIG, false },
	{ CODE_INTERNAL, 13, "INTERNAL", EXIT_RETRY, true },
	{ CODE_UNAVAILABLE, 14, "UNAVAILABLE", EXIT_RETRY, true },
	{ CODE_DATA_LOSS, 15, "DATA_LOSS", EXIT_INTEGRITY, false },
	{ CODE_UNAUTHENTICATED, 16, "UNAUTHENTICATED", EXIT_AUTH, false },
};

#define CODES_COUNT (sizeof(CODES) / sizeof(CODES[0]))

TEST(every_code_has_its_number_name_exit_and_retry)
{
	assert_int_equal(CODES_COUNT, 17);
	for (size_t i = 0; i < CODES_COUNT; i++) {
		struct status st;

		status_clear(&st);
		st.code = CODES[i].code;
		assert_int_equal(CODES[i].code, CODES[i].number);
		assert_string_equal(code_name(CODES[i].code), CODES[i].name);
		assert_int_equal(code_from_name(str_from(CODES[i].name)),
				 CODES[i].code);
		assert_int_equal(code_exit_status(CODES[i].code),
				 CODES[i].exit_status);
		assert_int_equal(status_retryable(&st), CODES[i].retryable);
		st.permanent = true;
		assert_false(status_retryable(&st));
	}
}

TEST(only_a_signal_interrupts)
{
	struct status st = { .code = CODE_OK };

	assert_false(status_interrupted(&st));
	(void)status_set(&st, CODE_CANCELLED, "stopped by SIGTERM");
	assert_true(status_interrupted(&st));
	st.http_status = 499; /* a server's */
	assert_false(status_interrupted(&st));
}

TEST(what_is_no_code_is_unknown)
{
	static const char *const NAMES[] = { "",          "ok",
					     "not_found", "NOT_FOUND ",
					     "NOT_FOUN",  "CODE_NOT_FOUND" };

	assert_string_equal(code_name((enum code)17), "UNKNOWN");
	assert_string_equal(code_name((enum code) - 1), "UNKNOWN");
	assert_int_equal(code_exit_status((enum code)17), EXIT_RETRY);
	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
		assert_int_equal(code_from_name(str_from(NAMES[i])),
				 CODE_UNKNOWN);
}

TEST(codes_of_http)
{
	static const struct {
		int http_status;
		enum code code;
	} ROWS[] = {
		{ 200, CODE_OK },
		{ 204, CODE_OK },
		{ 299, CODE_OK },
		{ 199, CODE_UNKNOWN },
		{ 300, CODE_UNKNOWN },
		{ 302, CODE_UNKNOWN },
		{ 400, CODE_INVALID_ARGUMENT },
		{ 401, CODE_UNAUTHENTICATED },
		{ 403, CODE_PERMISSION_DENIED },
		{ 404, CODE_UNKNOWN },
		{ 408, CODE_DEADLINE_EXCEEDED },
		{ 409, CODE_ABORTED },
		{ 418, CODE_UNKNOWN },
		{ 429, CODE_RESOURCE_EXHAUSTED },
		{ 499, CODE_CANCELLED },
		{ 500, CODE_INTERNAL },
		{ 501, CODE_UNIMPLEMENTED },
		{ 502, CODE_UNAVAILABLE },
		{ 503, CODE_UNAVAILABLE },
		{ 504, CODE_DEADLINE_EXCEEDED },
		{ 599, CODE_UNKNOWN },
		{ 0, CODE_UNKNOWN },
		{ -200, CODE_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
		assert_int_equal(code_from_http(ROWS[i].http_status),
				 ROWS[i].code);
}

TEST(clear_leaves_nothing)
{
	static const struct status EMPTY;
	struct status st;

	memset(&st, 0x55, sizeof(st));
	status_clear(&st);
	assert_int_equal(st.code, CODE_OK);
	assert_int_equal(st.http_status, 0);
	assert_int_equal(st.retry_after_ms, 0);
	assert_false(st.permanent);
	/* all of the texts, lest an old message shine through */
	assert_memory_equal(st.reason, EMPTY.reason, sizeof(st.reason));
	assert_memory_equal(st.message, EMPTY.message, sizeof(st.message));
	assert_memory_equal(st.hint, EMPTY.hint, sizeof(st.hint));
}

TEST(the_first_cause_stays)
{
	struct status st;

	status_clear(&st);
	assert_int_equal(status_set(&st, CODE_NOT_FOUND, "a %s %d", "b", 7),
			 CODE_NOT_FOUND);
	assert_string_equal(st.message, "a b 7");
	assert_int_equal(status_set(&st, CODE_INTERNAL, "vaguer"),
			 CODE_NOT_FOUND);
	assert_string_equal(st.message, "a b 7");
	status_hint(&st, "%d", 1);
	status_hint(&st, "do %d", 2);
	assert_string_equal(st.hint, "1");
	status_clear(&st);
	assert_int_equal(status_set(&st, CODE_INTERNAL, "new"), CODE_INTERNAL);
	assert_string_equal(st.message, "new");
	assert_string_equal(st.hint, "");
}

TEST(texts_are_one_printable_line)
{
	struct status st;

	status_clear(&st);
	(void)status_set(&st, CODE_UNKNOWN, "%s", "a\nb\x1b[1m\x7f\t\xc3\xa9");
	assert_string_equal(st.message, "a?b?[1m??\xc3\xa9");
	status_hint(&st, "%s", "a\r\nb");
	assert_string_equal(st.hint, "a??b");
	status_prefix(&st, "%s", "x\ny");
	assert_string_equal(st.message, "x?y: a?b?[1m??\xc3\xa9");
	/* CSI, right-to-left override, isolate, mark; no UTF-8, cut UTF-8 */
	status_clear(&st);
	(void)status_set(
		&st, CODE_UNKNOWN, "%s",
		"\xc2\x9b\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8f \x9b\xe2\x80");
	assert_string_equal(st.message, "???? ???");
	status_hint(&st, "%s", "\xc2\x9b\xe2\x82\xac");
	assert_string_equal(st.hint, "?\xe2\x82\xac");
}

TEST(long_texts_are_cut)
{
	char text[2 * STATUS_MESSAGE_MAX];
	struct status st;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	status_clear(&st);
	(void)status_set(&st, CODE_UNKNOWN, "%s", text);
	status_hint(&st, "%s", text);
	assert_int_equal(strlen(st.message), STATUS_MESSAGE_MAX - 1);
	assert_int_equal(strlen(st.hint), STATUS_HINT_MAX - 1);
	status_prefix(&st, "p");
	assert_int_equal(strlen(st.message), STATUS_MESSAGE_MAX - 1);
	assert_memory_equal(st.message, "p: aaa", 6);
	status_prefix(&st, "%s", text);
	assert_int_equal(strlen(st.message), STATUS_MESSAGE_MAX - 1);
	assert_memory_equal(st.message, "aaa", 3);
}

TEST(prefixes_nest)
{
	struct status st;

	status_clear(&st);
	(void)status_set(&st, CODE_UNKNOWN, "refused");
	status_prefix(&st, "connect to %s", "h:443");
	status_prefix(&st, "get a token");
	assert_string_equal(st.message,
			    "get a token: connect to h:443: refused");
	assert_int_equal(st.code, CODE_UNKNOWN);
}

TEST(errors_can_be_joined)
{
	struct status st = { .code = CODE_OK }, other = st;

	status_join(&st, &other);
	assert_int_equal(st.code, CODE_OK);
	(void)status_set(&other, CODE_INVALID_ARGUMENT, "first");
	status_join(&st, &other);
	assert_string_equal(st.message, "first");
	status_clear(&other);
	status_join(&st, &other);
	assert_string_equal(st.message, "first");
	(void)status_set(&other, CODE_NOT_FOUND, "second");
	status_hint(&other, "hint");
	status_join(&st, &other);
	assert_int_equal(st.code, CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "first; second");
	assert_string_equal(st.hint, "hint");
	for (int i = 0; i < 500; i++) /* stays within its bounds */
		status_join(&st, &other);
	assert_int_equal(strlen(st.message), STATUS_MESSAGE_MAX - 1);
}
