/* The runner, with a job of its own: more than one task, and reports that are lost. */
#include "job/job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/wait.h"

#include "test.h"

#define TASKS_MAX 4

static char folder[] = "/tmp/test_job.XXXXXX";
static struct program program;
/* What each task ends with; what was worked on, in order. */
static enum exit_status ends[TASKS_MAX];
static size_t tasks, worked_on[TASKS_MAX], count;
static bool writes;

static bool
next_task(struct task_source *source, struct task *task, struct status *st)
{
	(void)task;
	(void)st;
	return source->count++ < tasks;
}

static void
work(struct client *client, struct task *task, struct report *report,
     struct outcome *outcome)
{
	size_t number = count;

	(void)client;
	(void)task;
	(void)report;
	assert_true(count < TASKS_MAX);
	worked_on[count++] = number;
	outcome->reason = ends[number] == EXIT_DONE ? "FakeDone" : NULL;
	outcome->exit = ends[number];
	if (writes) {
		outcome->effect = EFFECT_DONE;
		(void)snprintf(outcome->resource, sizeof(outcome->resource),
			       "projects/1/secrets/s/versions/1");
	}
	if (ends[number] != EXIT_DONE)
		(void)status_set(&outcome->status, CODE_PERMISSION_DENIED,
				 "task %zu", number);
}

static const struct job FAKE = {
	.name = "fake",
	.description = "",
	.start = "Starting",
	.messages = { .done = "done: ",
		      .unknown = "unknown",
		      .none = "none",
		      .repeated = "do not" },
	.prepare = work,
};

static size_t
read_file(const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t got = 0;
	int file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = open(path, O_RDONLY);
	if (file >= 0) {
		got = read(file, out, size - 1);
		(void)close(file);
	}
	assert_true(got >= 0);
	out[got] = '\0';
	return (size_t)got;
}

/* Runs the job with its log in `log`, or on `full` for one that is lost. */
static enum exit_status
run_job(const char *full, char *log, size_t size)
{
	struct task_source source = { .next = next_task };
	struct status st = { .code = CODE_OK };
	enum exit_status result;
	int saved = dup(STDOUT_FILENO), file;
	char path[64], out[64];

	(void)snprintf(path, sizeof(path), "%s/result", folder);
	(void)snprintf(out, sizeof(out), "%s/log", folder);
	memset(&program, 0, sizeof(program));
	count = 0;
	program_init(&program);
	program.report.cluster_id = "c";
	program.report.project = "p";
	assert_int_equal(report_init(&program.report, path, NULL, 0, &st),
			 CODE_OK);
	assert_int_equal(report_reserve(&program.report, "unknown", &st),
			 CODE_OK);
	(void)fflush(stdout);
	file = open(full != NULL ? full : out, O_WRONLY | O_CREAT | O_TRUNC,
		    0600);
	assert_true(dup2(file, STDOUT_FILENO) >= 0);
	result = job_run(&FAKE, &program, &source);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	(void)close(file);
	(void)close(saved);
	(void)read_file("log", log, size);
	(void)unlink(out);
	program_wipe(&program);
	return result;
}

static void
assert_result(const char *status, const char *reason)
{
	char text[RESULT_FILE_MAX], start[128], path[64];

	(void)snprintf(start, sizeof(start),
		       "{\"status\":\"%s\",\"reason\":\"%s\",", status, reason);
	assert_true(read_file("result", text, sizeof(text)) > 0);
	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("%s does not begin with %s", text, start);
	(void)snprintf(path, sizeof(path), "%s/result", folder);
	assert_int_equal(unlink(path), 0);
}

TEST(every_task_is_worked_on_and_counted)
{
	static const struct {
		size_t tasks;
		enum exit_status ends[TASKS_MAX];
		enum exit_status result;
		const char *summary, *status, *reason;
	} rows[] = {
		{ 1,
		  { EXIT_DONE },
		  EXIT_DONE,
		  "1 total, 1 succeeded, 0 failed",
		  "success",
		  "FakeDone" },
		{ 3,
		  { EXIT_DONE, EXIT_DONE, EXIT_DONE },
		  EXIT_DONE,
		  "3 total, 3 succeeded, 0 failed",
		  "success",
		  "FakeDone" },
		{ 3,
		  { EXIT_AUTH, EXIT_DONE, EXIT_RETRY },
		  EXIT_DONE,
		  "3 total, 1 succeeded, 2 failed",
		  "success",
		  "FakeDone" },
		{ 2,
		  { EXIT_PULL_SECRET, EXIT_AUTH },
		  EXIT_AUTH,
		  "2 total, 0 succeeded, 2 failed",
		  "failure",
		  "PermissionDenied" },
		{ 2,
		  { EXIT_AUTH, EXIT_INTEGRITY },
		  EXIT_INTEGRITY,
		  "2 total, 0 succeeded, 2 failed",
		  "failure",
		  "VerificationFailed" },
	};
	static char log[65536];

	writes = false;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t failed = 0;

		tasks = rows[i].tasks;
		memcpy(ends, rows[i].ends, sizeof(ends));
		assert_int_equal(run_job(NULL, log, sizeof(log)),
				 rows[i].result);
		assert_int_equal(count, tasks);
		for (size_t task = 0; task < tasks; task++) {
			char line[32];

			assert_int_equal(worked_on[task], task);
			(void)snprintf(line, sizeof(line), "\"task %zu\"",
				       task);
			assert_int_equal(strstr(log, line) != NULL,
					 ends[task] != EXIT_DONE);
			failed += ends[task] != EXIT_DONE;
		}
		assert_non_null(strstr(log, rows[i].summary));
		assert_int_equal(strstr(log, "\"error\"") != NULL, failed > 0);
		assert_result(rows[i].status, rows[i].reason);
	}
}

/* A log that is lost: what was written is verified, or nothing was changed. */
TEST(what_cannot_be_told_is_a_failure)
{
	static char log[4096];

	tasks = 1;
	ends[0] = EXIT_DONE;
	writes = true;
	assert_int_equal(run_job("/dev/full", log, sizeof(log)),
			 EXIT_UNREPORTED);
	assert_result("failure", "ReportIncomplete");
	writes = false;
	assert_int_equal(run_job("/dev/full", log, sizeof(log)), EXIT_RETRY);
	assert_result("failure", "ReportIncomplete");
	/* What failed keeps its own exit status. */
	ends[0] = EXIT_AUTH;
	assert_int_equal(run_job("/dev/full", log, sizeof(log)), EXIT_AUTH);
	assert_result("failure", "PermissionDenied");
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
