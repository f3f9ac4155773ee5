/* What became of the tasks of a list: in the log, the result, on a terminal. */
#include "job/progress.h"

#include <fcntl.h>
#include <unistd.h>

#include "test.h"

static struct report report;
static struct progress progress;
static struct task_counts counts;
static char text[8192];

static int
start(void **state)
{
	(void)state;
	memset(&report, 0, sizeof(report));
	memset(&counts, 0, sizeof(counts));
	report.until = DEADLINE_NEVER;
	report.log.to_stderr = true;
	counts_succeeded(&counts, false);
	counts_succeeded(&counts, true);
	counts_failed(&counts, CODE_UNAVAILABLE, true);
	counts_failed(&counts, CODE_NOT_FOUND, false);
	counts_failed(&counts, CODE_NOT_FOUND, false);
	return 0;
}

static int saved, file;

static void
capture(void)
{
	saved = dup(STDERR_FILENO);
	file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	assert_true(saved >= 0 && file >= 0);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
}

/* What was written to standard error since capture(). */
static const char *
captured(void)
{
	ssize_t got;

	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	got = pread(file, text, sizeof(text) - 1, 0);
	(void)close(saved);
	(void)close(file);
	assert_true(got >= 0);
	text[got] = '\0';
	return text;
}

static const char *
logged(bool as_text)
{
	const struct log_line line = { .level = LOG_INFO,
				       .operation = "summary",
				       .message = "m",
				       .counts = &counts };

	report.log.text = as_text;
	capture();
	report_log(&report, &line);
	return captured();
}

/* In alphabetical order, which that of the codes is not. */
TEST_AFTER(start, codes_are_sorted)
{
	for (unsigned code = CODES - 1; code > 0; code--)
		counts_failed(&counts, (enum code)code, false);
	assert_non_null(strstr(logged(false),
			       "\"failed_by_code\":{\"ABORTED\":1,"
			       "\"ALREADY_EXISTS\":1,\"CANCELLED\":1,"
			       "\"DATA_LOSS\":1,\"DEADLINE_EXCEEDED\":1,"
			       "\"FAILED_PRECONDITION\":1,\"INTERNAL\":1,"
			       "\"INVALID_ARGUMENT\":1,\"NOT_FOUND\":3,"
			       "\"OUT_OF_RANGE\":1,"));
	assert_non_null(strstr(text, "\"PERMISSION_DENIED\":1,"
				     "\"RESOURCE_EXHAUSTED\":1,"
				     "\"UNAUTHENTICATED\":1,"
				     "\"UNAVAILABLE\":2,"
				     "\"UNIMPLEMENTED\":1,\"UNKNOWN\":1}"));
}

TEST_AFTER(start, they_are_members_of_a_line)
{
	assert_non_null(strstr(logged(false),
			       "\"failed_by_code\":{\"NOT_FOUND\":2,"
			       "\"UNAVAILABLE\":1},\"gcp_project\""));
	assert_non_null(strstr(text, "\"summary\",\"task_failed\":3,"
				     "\"task_skipped\":1,\"task_succeeded\":2,"
				     "\"task_total\":5,\"timestamp\""));
	assert_non_null(strstr(logged(true),
			       " failed_by_code=NOT_FOUND:2,UNAVAILABLE:1 "
			       "task_failed=3 task_skipped=1 task_succeeded=2 "
			       "task_total=5\n"));
	memset(&counts, 0, sizeof(counts));
	assert_null(strstr(logged(false), "failed_by_code"));
	assert_null(strstr(text, "task_skipped"));
	assert_non_null(strstr(text, "\"task_failed\":0,\"task_succeeded\":0,"
				     "\"task_total\":0"));
	assert_null(strstr(logged(true), "failed_by_code"));
}

TEST_AFTER(start, and_words)
{
	char message[64];

	counts_message(&counts, "total", message, sizeof(message));
	assert_string_equal(message, "5 total, 2 succeeded, 3 failed");
	assert_string_equal(counts_reason(&counts), "TasksFailed");
	assert_int_equal(counts.may_pass, 1);
	counts_not_tried(&counts);
	counts_message(&counts, "total", message, sizeof(message));
	assert_string_equal(message,
			    "6 total, 2 succeeded, 3 failed, 1 not tried");
	assert_string_equal(counts_reason(&counts), "TasksIncomplete");
	assert_non_null(strstr(logged(false),
			       "\"task_failed\":3,\"task_not_tried\":1,"));
	memset(&counts, 0, sizeof(counts));
	counts_succeeded(&counts, false);
	assert_string_equal(counts_reason(&counts), "TasksSucceeded");
	/* what another program says may be any number */
	counts_failed(&counts, (enum code)99, false);
	assert_int_equal(counts.by_code[CODE_UNKNOWN], 1);
}

TEST_AFTER(start, the_result_has_them)
{
	char path[] = "/tmp/test_progress.XXXXXX";
	struct status st = { .code = CODE_OK };
	const struct ending ending = { &st, "R", "m", NULL, &counts };
	int fd = mkstemp(path);
	ssize_t got;

	assert_true(fd >= 0);
	(void)close(fd);
	report_clear(&report);
	assert_int_equal(report_init(&report, path, NULL, 0, &st), CODE_OK);
	report.project = "p";
	assert_int_equal(report_result(&report, &ending, &st), CODE_OK);
	report_close(&report);
	fd = open(path, O_RDONLY);
	got = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	(void)unlink(path);
	assert_true(got > 0);
	text[got] = '\0';
	assert_string_equal(text, "{\"status\":\"success\",\"reason\":\"R\","
				  "\"message\":\"m\",\"details\":{"
				  "\"failed_by_code\":{\"NOT_FOUND\":2,"
				  "\"UNAVAILABLE\":1},\"gcp_project\":\"p\","
				  "\"task_failed\":3,\"task_skipped\":1,"
				  "\"task_succeeded\":2,\"task_total\":5}}\n");
}

static const char *
stepped(uint64_t bytes, uint64_t size, int64_t now_ms)
{
	capture();
	progress_step(&progress, &counts, bytes, size, now_ms);
	return captured();
}

TEST_AFTER(start, in_a_log_there_is_a_line_each_ten_seconds)
{
	progress_start(&progress, &report, 1000);
	progress.terminal = false; /* whatever runs the test */
	progress.next_ms = 11000;
	assert_string_equal(stepped(1, 2, 10999), "");
	assert_int_equal(progress_wait(&progress, 10999), 1);
	assert_non_null(
		strstr(stepped(1, 2, 11000),
		       "\"message\":\"5 so far, 2 succeeded, 3 failed\""
		       ",\"operation\":\"progress\",\"task_failed\":3"));
	assert_int_equal(progress_wait(&progress, 11000), 10000);
	assert_string_equal(stepped(1, 2, 20999), "");
	assert_string_not_equal(stepped(1, 2, 50000), "");
	assert_int_equal(progress_wait(&progress, 70000), 0);
	capture();
	progress_clear(&progress);
	assert_string_equal(captured(), "");
}

static void
on_terminal(void)
{
	progress_start(&progress, &report, 1000);
	progress.terminal = true;
	progress.next_ms = 1200;
}

TEST_AFTER(start, on_a_terminal_a_line_is_rewritten)
{
	on_terminal();
	assert_string_equal(stepped(100, 1000, 1100), "");
	assert_string_equal(stepped(100, 1000, 1200), "\r2 done, 3 failed");
	assert_int_equal(progress_wait(&progress, 1200), 200);
	assert_string_equal(stepped(100, 1000, 1399), "");
	/* 5 in 2 s; 900 bytes more at 50 a second */
	assert_string_equal(stepped(100, 1000, 3000),
			    "\r2 done, 3 failed, 2.5/s, 18 s left");
	assert_string_equal(stepped(100, 100, 3200),
			    "\r2 done, 3 failed, 2.2/s           ");
	assert_string_equal(stepped(100, 0, 3400), "\r2 done, 3 failed, 2.0/s");
	capture();
	progress_clear(&progress);
	progress_clear(&progress);
	assert_string_equal(captured(), "\r                       \r");
	assert_string_equal(stepped(100, 0, 3600), "\r2 done, 3 failed, 1.9/s");
}

TEST_AFTER(start, the_pace_is_that_of_the_last_seconds)
{
	on_terminal();
	(void)stepped(100, 1000000, 11000);
	(void)stepped(100, 1000000, 21000);
	for (int i = 0; i < 100; i++)
		counts_succeeded(&counts, false);
	assert_string_equal(stepped(200, 1000000, 31000) + 19,
			    ", 5.0/s, 55 h 32 min left");
	assert_string_equal(stepped(40200, 1000000, 32000) + 19,
			    ", 9.0/s, 4 min left      ");
}

TEST_AFTER(start, the_widest_line_fits_a_terminal)
{
	counts.succeeded = counts.failed = UINT64_MAX / 20000;
	on_terminal();
	assert_true(strlen(stepped(1, UINT64_MAX / 20000, 3000)) <= 80);
	assert_true(progress.shown <= 79);
	assert_non_null(strstr(text, " failed, "));
}

/* It is neither a reason to wait nor an error. */
TEST_AFTER(start, a_terminal_that_takes_nothing_is_not_waited_for)
{
	int fds[2], kept = dup(STDERR_FILENO);
	char junk[4096] = "";

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	while (write(fds[1], junk, sizeof(junk)) > 0)
		;
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	on_terminal();
	progress_step(&progress, &counts, 1, 2, 5000);
	progress_clear(&progress);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	assert_int_equal(report.failure.code, CODE_OK);
	(void)close(kept);
	(void)close(fds[0]);
	(void)close(fds[1]);
}
