/*
 * Log lines and the result file when everything in them is as long and as
 * awkward as it can be: no failure may be lost for want of room.
 */
#include "job/report.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_walk.h"
#include "sys/wait.h"

#include "test.h"

#define VERSION "projects/1/secrets/s/versions/1"

static char folder[] = "/tmp/test_report.XXXXXX";
static struct json_tokens tokens;
static struct report report;

/* Texts that grow in JSON, in different ways. */
static const char *const PIECES[] = {
	"x",        /* not at all */
	"\"",       /* a quotation mark becomes two bytes */
	"\x01",     /* a control character becomes six */
	"\xff",     /* no UTF-8 at all */
	"\xc3\xa4", /* two bytes that stay */
	"\xf0\x9f\x98\x80",
};

static void
fill_with(char *out, size_t size, const char *piece)
{
	size_t len = strlen(piece), at = 0;

	for (; at + len < size; at += len)
		memcpy(out + at, piece, len);
	out[at] = '\0';
}

/* What `make` writes to standard output, in `out` and as text. */
static size_t
captured(void (*make)(const struct log_line *line), const struct log_line *line,
	 char *out, size_t size)
{
	int saved = dup(STDOUT_FILENO);
	int file = open(folder, O_TMPFILE | O_RDWR, 0600);
	ssize_t got;

	assert_true(saved >= 0 && file >= 0);
	(void)fflush(stdout);
	assert_true(dup2(file, STDOUT_FILENO) >= 0);
	make(line);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	got = pread(file, out, size, 0);
	(void)close(saved);
	(void)close(file);
	assert_true(got >= 0);
	return (size_t)got;
}

static void
log_it(const struct log_line *line)
{
	report_log(&report, line);
}

static void
assert_json(const char *text, size_t len)
{
	struct status why = { .code = CODE_OK };
	struct json json;

	assert_int_equal(json_parse(&json, (struct str){ text, len }, &tokens,
				    &why),
			 CODE_OK);
	assert_int_equal(json_type(json_root(&json)), JSON_OBJECT);
}

/* One line that a terminal shows as it is. */
static void
assert_plain(const char *text, size_t len)
{
	assert_int_equal(text[len - 1], '\n');
	for (size_t i = 0; i < len - 1; i++)
		assert_true((unsigned char)text[i] >= ' ' && text[i] != 0x7f &&
			    (unsigned char)text[i] != 0xff);
}

TEST(the_longest_line_fits)
{
	static const struct conn_usage usage = { INT64_MAX, INT64_MAX,
						 INT64_MAX, INT64_MAX,
						 INT64_MAX, INT64_MAX,
						 0 };
	static char name[4096], text[LOG_LINE_MAX + 1];

	for (size_t i = 0; i < 2 * COUNT(PIECES); i++) {
		const char *piece = PIECES[i % COUNT(PIECES)];
		struct status st = { .code = CODE_FAILED_PRECONDITION,
				     .http_status = 599 };
		const struct log_line line = {
			.level = LOG_WARNING,
			.operation = "start",
			.message = st.message,
			.version = VERSION,
			.timed = true,
			.duration_ms = INT64_MAX,
			.status = &st,
			.attempt = 4294967295U,
			.retry_in_ms = INT64_MAX,
			.usage = &usage,
		};
		size_t len;

		fill_with(st.message, sizeof(st.message), piece);
		fill_with(st.hint, sizeof(st.hint), piece);
		fill_with(name, sizeof(name), piece);
		memset(&report, 0, sizeof(report));
		report.log.text = i >= COUNT(PIECES);
		report.until = DEADLINE_NEVER;
		report.cluster_id = name;
		report.project = name;
		len = captured(log_it, &line, text, sizeof(text));
		assert_int_equal(report.failure.code, CODE_OK);
		assert_true(len > sizeof(st.message) && text[len - 1] == '\n');
		if (report.log.text)
			assert_plain(text, len);
		else
			assert_json(text, len - 1);
	}
}

TEST(the_longest_result_fits)
{
	static char name[4096], text[RESULT_FILE_MAX + 1], path[64];

	(void)snprintf(path, sizeof(path), "%s/result.json", folder);
	for (size_t i = 0; i < sizeof(PIECES) / sizeof(PIECES[0]); i++) {
		struct status outcome = { .code = CODE_FAILED_PRECONDITION };
		const struct ending ending = { &outcome, "Reason",
					       outcome.message, VERSION, NULL };
		struct status st = { .code = CODE_OK };
		ssize_t len;
		int file;

		fill_with(outcome.message, sizeof(outcome.message), PIECES[i]);
		fill_with(outcome.hint, sizeof(outcome.hint), PIECES[i]);
		fill_with(name, sizeof(name), PIECES[i]);
		memset(&report, 0, sizeof(report));
		assert_int_equal(report_init(&report, path, NULL, 0, &st),
				 CODE_OK);
		report.cluster_id = name;
		report.project = name;
		assert_int_equal(report_reserve(&report, "unknown", &st),
				 CODE_OK);
		assert_int_equal(report_result(&report, &ending, &st), CODE_OK);
		report_close(&report);
		file = open(path, O_RDONLY);
		len = read(file, text, sizeof(text));
		(void)close(file);
		assert_true(len > 1000);
		assert_json(text, (size_t)len);
	}
	assert_int_equal(unlink(path), 0);
}

static void
read_result(const char *path, char *out, size_t size)
{
	int file = open(path, O_RDONLY);
	ssize_t len = read(file, out, size - 1);

	(void)close(file);
	assert_true(len > 0);
	out[len] = '\0';
	assert_json(out, (size_t)len);
}

/* What turns out after the result was written replaces it. */
TEST(a_result_can_be_replaced)
{
	struct status success = { .code = CODE_OK };
	struct status failure = { .code = CODE_UNAVAILABLE };
	const struct ending first = { &success, "Stored", "m", VERSION, NULL };
	const struct ending second = { &failure, "Lost", "m", VERSION, NULL };
	struct status st = { .code = CODE_OK };
	static char text[RESULT_FILE_MAX + 1];
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/result.json", folder);
	memset(&report, 0, sizeof(report));
	assert_int_equal(report_init(&report, path, NULL, 0, &st), CODE_OK);
	report.cluster_id = "c";
	report.project = "p";
	assert_int_equal(report_reserve(&report, "unknown", &st), CODE_OK);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(report_result(&report, &first, &st), CODE_OK);
	read_result(path, text, sizeof(text));
	assert_non_null(strstr(text, "\"success\",\"reason\":\"Stored\""));
	assert_int_equal(report_result(&report, &second, &st), CODE_OK);
	read_result(path, text, sizeof(text));
	assert_non_null(strstr(text, "\"failure\",\"reason\":\"Lost\""));
	report_close(&report);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
	assert_int_equal(mkdir(folder, 0700), 0);
}

static void
full_log(const struct log_line *line)
{
	int full = open("/dev/full", O_WRONLY);

	assert_true(dup2(full, STDOUT_FILENO) >= 0);
	(void)close(full);
	report_log(&report, line);
}

TEST(a_line_that_is_lost_is_remembered)
{
	const struct log_line line = { .operation = "start", .message = "m" };
	char text[8];

	memset(&report, 0, sizeof(report));
	report.until = DEADLINE_NEVER;
	report.cluster_id = "c";
	report.project = "p";
	assert_int_equal(captured(full_log, &line, text, sizeof(text)), 0);
	assert_int_equal(report.failure.code, CODE_UNAVAILABLE);
}

static int
make_folder(void **state)
{
	(void)state;
	wait_init();
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

AROUND_ALL(make_folder, remove_folder)
