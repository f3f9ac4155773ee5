/* The launcher of a list, beside a worker that says what it likes. */
#include "job/launcher.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/target.h"
#include "sys/channel.h"
#include "sys/wait.h"

#include "test.h"

/* More than all of a test takes. */
#define PATIENCE_MS 20000

static const struct job JOB = { .name = "job" };
static struct launcher launcher;
static struct report report;
static struct status st;
static struct message said;
static struct task_message got;
static char list[] = "/tmp/test_launcher.XXXXXX";
/* The ends of the worker and of the spawner. */
static int worker, spawner;

static int
prepare(void **state)
{
	static const struct opt_table *const TABLES[] = { &TARGET_OPTIONS,
							  &TASKS_OPTIONS,
							  NULL };
	static char project[] = "--gcp-project-id=p", option[] = "--tasks";
	char *argv[] = { option, list, project };
	size_t operands = 0;
	bool help;
	int fd = mkstemp(list);

	(void)state;
	wait_init();
	return fd < 0 || close(fd) != 0 ||
	       opt_parse(TABLES, 3, argv, NULL, &operands, &help, &st) !=
		       CODE_OK ||
	       tasks_check(&st) != CODE_OK;
}

static int
clean(void **state)
{
	(void)state;
	return unlink(list);
}

AROUND_ALL(prepare, clean)

/* One worker, which was ordered, and a list of so many tasks. */
static int
start(void **state)
{
	FILE *f = fopen(list, "w");
	int end[2];

	(void)state;
	if (f == NULL ||
	    fputs("{\"cluster_id\":\"c1\"}\n"
		  "{\"cluster_id\":\"c2\"}\n",
		  f) < 0 ||
	    fclose(f) != 0)
		return -1;
	memset(&launcher, 0, sizeof(launcher));
	report_clear(&report);
	report.log.level = LOG_ERROR + 1;
	launcher.job = &JOB;
	launcher.report = &report;
	launcher.until = deadline_in(PATIENCE_MS);
	pace_init(&launcher.pace, 1000);
	progress_start(&launcher.progress, &report, clock_ms());
	launcher.crew.count = 1;
	if (tasks_open(&launcher.tasks, false, &st) != CODE_OK ||
	    channel_pair(end, MESSAGE_MAX, &st) != CODE_OK)
		return -1;
	launcher.crew.seat[0] = (struct seat){ .fd = end[0] };
	worker = end[1];
	if (channel_pair(end, MESSAGE_MAX, &st) != CODE_OK)
		return -1;
	launcher.crew.control = end[0];
	spawner = end[1];
	return 0;
}

static void
say(enum message_type type)
{
	said = (struct message){ .type = type,
				 .operation = "summary",
				 .text = "all is well" };
	assert_true(channel_send(worker, &said, sizeof(said), STR("")));
}

static void
say_nonsense(void)
{
	assert_true(channel_send(worker, "?", 1, STR("")));
}

static void
worker_ends(void)
{
	const struct order order = { ORDER_ENDED, 0, SIGKILL };

	assert_true(channel_send(spawner, &order, sizeof(order), STR("")));
}

/* How often the launcher ordered it. */
static unsigned
orders(enum message_type type)
{
	struct order order;
	unsigned count = 0;

	while (channel_receive(spawner, &order, sizeof(order), NULL) > 0)
		count += order.type == (uint32_t)type;
	return count;
}

static void
take_task(void)
{
	(void)poll(&(struct pollfd){ worker, POLLIN, 0 }, 1, PATIENCE_MS);
	assert_true(channel_receive(worker, &got, sizeof(got), NULL) > 0);
}

/*
 * Runs the launcher while another process acts as its worker and spawner, whose
 * channels close then; what that found.
 */
static unsigned
run_beside(unsigned (*other)(void))
{
	pid_t child = fork();
	int how;

	assert_true(child >= 0);
	if (child == 0)
		_exit((int)other());
	(void)close(worker);
	(void)close(spawner);
	launcher_run(&launcher);
	assert_int_equal(waitpid(child, &how, 0), child);
	(void)close(launcher.crew.seat[0].fd);
	tasks_close(&launcher.tasks);
	assert_true(WIFEXITED(how));
	return (unsigned)WEXITSTATUS(how);
}

/*
 * What a worker said after its nonsense is not taken for what the next one
 * says, who has the same channel.
 */
static unsigned
next_one(void)
{
	(void)poll(NULL, 0, 200);
	return 0;
}

TEST_AFTER(start, nothing_is_left_of_a_worker_that_is_not_heard)
{
	say_nonsense();
	say(MESSAGE_READY);
	assert_true(channel_send(worker, "", 0, STR("")));
	say(MESSAGE_OUTCOME);
	worker_ends();
	assert_int_equal(run_beside(next_one), 0);
	assert_int_equal(launcher.counts.succeeded, 0);
	assert_int_equal(launcher.counts.failed, 0);
	assert_int_equal(launcher.counts.not_tried, 2);
}

/* Without a task there is nothing to tell: it would be about the run. */
static unsigned
idle_one(void)
{
	(void)poll(&(struct pollfd){ spawner, POLLIN, 0 }, 1, 1000);
	return orders(ORDER_STOP);
}

TEST_AFTER(start, an_idle_worker_writes_no_log)
{
	say(MESSAGE_LOG);
	say(MESSAGE_READY);
	say(MESSAGE_LOG);
	assert_int_equal(run_beside(idle_one), 1);
}

/* Stops the launcher, and waits until it is (proc(5): state T). */
static void
stop_launcher(void)
{
	char path[32], state = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	(void)kill(getppid(), SIGSTOP);
	while (state != 'T') {
		FILE *f = fopen(path, "r");

		if (f == NULL || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			_exit(2);
		(void)fclose(f);
	}
}

/* Its process is about to be killed. The launcher hears both at once. */
static unsigned
wrong_one(void)
{
	take_task();
	stop_launcher();
	say(MESSAGE_OUTCOME);
	say_nonsense();
	(void)kill(getppid(), SIGCONT);
	(void)poll(&(struct pollfd){ spawner, POLLIN, 0 }, 1, PATIENCE_MS);
	return poll(&(struct pollfd){ worker, POLLIN, 0 }, 1, 200) == 1;
}

TEST_AFTER(start, a_worker_that_is_not_heard_gets_no_task)
{
	say(MESSAGE_READY);
	assert_int_equal(run_beside(wrong_one), 0);
	assert_int_equal(launcher.counts.succeeded, 1);
	assert_int_equal(launcher.counts.failed, 0);
	assert_int_equal(launcher.counts.not_tried, 1);
}

/* What the journal has is no sign that there is a token. */
static enum exit_status without;

static unsigned
one_without_token(void)
{
	take_task();
	said = (struct message){ .type = MESSAGE_OUTCOME,
				 .code = CODE_UNAUTHENTICATED,
				 .exit = without,
				 .operation = "init-client" };
	assert_true(channel_send(worker, &said, sizeof(said), STR("")));
	return poll(&(struct pollfd){ worker, POLLIN, 0 }, 1, 200) == 1;
}

static void
stops_without_token(enum exit_status exit)
{
	without = exit;
	counts_succeeded(&launcher.counts, true);
	say(MESSAGE_READY);
	(void)run_beside(one_without_token);
	assert_int_equal(launcher.exit, exit);
	assert_int_equal(launcher.counts.failed, 1);
	assert_int_equal(launcher.counts.not_tried, 1);
}

TEST_AFTER(start, without_a_token_the_first_task_ends_it)
{
	stops_without_token(EXIT_AUTH);
	assert_int_equal(start(NULL), 0);
	stops_without_token(EXIT_RETRY);
}

/* At one request a second. */
static unsigned
patient_one(void)
{
	take_task();
	return got.time_ms > 280000 + 3000 && got.time_ms <= 280000 + 4000;
}

TEST_AFTER(start, the_turns_of_a_task_come_on_top_of_its_time)
{
	launcher.until = DEADLINE_NEVER;
	say(MESSAGE_READY);
	assert_int_equal(run_beside(patient_one), 1);
}

/* ppoll(2) takes no more descriptors than a process may have. */
TEST_AFTER(start, a_run_that_cannot_wait_has_failed)
{
	struct pollfd none[2] = { { .fd = -1 }, { .fd = -1 } };
	struct rlimit limit, small;
	bool waits;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	small = limit;
	small.rlim_cur = 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &small), 0);
	/* valgrind keeps the limit to itself. */
	waits = poll(none, COUNT(none), 0) >= 0;
	if (!waits)
		launcher_run(&launcher);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (waits)
		return;
	assert_int_equal(launcher.stop.code, CODE_INTERNAL);
	assert_int_equal(launcher.exit, EXIT_RETRY);
	assert_int_equal(launcher.counts.not_tried, 2);
}

/*
 * The whole list is read ahead at once, but only what is done says how fast it
 * goes: half of it in 100 s.
 */
static FILE *terminal;

static bool
shows(const char *text)
{
	char shown[4096] = "";

	if (pread(fileno(terminal), shown, sizeof(shown) - 1, 0) < 0)
		return false;
	return strstr(shown, text) != NULL;
}

static unsigned
half_way(void)
{
	bool right = false;

	say(MESSAGE_READY);
	take_task();
	say(MESSAGE_OUTCOME);
	take_task();
	for (int i = 0; i < PATIENCE_MS / 10 && !right; i++) {
		(void)poll(NULL, 0, 10);
		right = shows("1 done, 0 failed, 0.0/s, 1 min left");
	}
	say(MESSAGE_OUTCOME);
	return right;
}

TEST_AFTER(start, the_time_left_is_that_of_what_is_not_done)
{
	int kept = dup(STDERR_FILENO);

	terminal = tmpfile();
	assert_non_null(terminal);
	launcher.progress.terminal = true;
	launcher.progress.since.at_ms -= 100000;
	assert_true(dup2(fileno(terminal), STDERR_FILENO) >= 0);
	assert_int_equal(run_beside(half_way), 1);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	assert_int_equal(launcher.counts.succeeded, 2);
	(void)close(kept);
	(void)fclose(terminal);
}
