/* Options of a list of tasks that are wrong, or do not fit together. */
#include "job/tasks_options.h"

#include "job/input.h"
#include "job/target.h"

#include "test.h"

static struct status st;
/* Options point into it: what one check gave is there in the next one. */
static char words[100][64];
static size_t used;

/* Up to four flags; NULL ends them. */
static enum code
check(const char *const *flags)
{
	static const struct opt_table *const TABLES[] = {
		&TARGET_OPTIONS, &INPUT_OPTIONS, &TASKS_OPTIONS, NULL
	};
	char *argv[4];
	size_t operands = 0;
	int count = 0;
	bool help;

	for (; flags[count] != NULL; count++) {
		assert_in_range(used, 0, COUNT(words) - 1);
		argv[count] = words[used++];
		(void)snprintf(argv[count], sizeof(words[0]), "%s",
			       flags[count]);
	}
	status_clear(&st);
	if (opt_parse(TABLES, count, argv, NULL, &operands, &help, &st) !=
	    CODE_OK)
		fail_msg("%s", st.message);
	return tasks_check(&st);
}

#define CHECK(...) check((const char *const[]){ __VA_ARGS__, NULL })

static void
assert_refused(const char *flag, const char *message)
{
	assert_int_equal(CHECK("--tasks=list", flag), CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, message);
}

/* The first one: there is no --tasks yet. */
TEST(flags_that_need_a_list_are_refused_without_one)
{
	static const char *const FLAGS[] = {
		"--tasks-folder=x", "--strict", "--workers=1",
		"--shards=1",       "--rate=1", "--task-timeout=1",
		"--failed=x",
	};
	char message[100];

	for (size_t i = 0; i < COUNT(FLAGS); i++) {
		(void)snprintf(message, sizeof(message), "%.*s needs --tasks",
			       (int)strcspn(FLAGS[i], "="), FLAGS[i]);
		assert_int_equal(CHECK(FLAGS[i]), CODE_INVALID_ARGUMENT);
		assert_string_equal(st.message, message);
	}
}

/* The second one: there is no index yet. */
TEST(a_shard_needs_its_index)
{
	assert_refused("--shards=3",
		       "--shards=3: JOB_COMPLETION_INDEX is missing");
	assert_non_null(strstr(st.hint, "completionMode: Indexed"));
	(void)setenv("JOB_COMPLETION_INDEX", "3", 1);
	assert_refused("--shards=3", "JOB_COMPLETION_INDEX=3 must be a number "
				     "from 0 to 2");
	assert_non_null(strstr(st.hint, "completionMode: Indexed"));
	assert_int_equal(CHECK("--tasks=list", "--shards=4"), CODE_OK);
	assert_int_equal(tasks_settings()->shards, 4);
	assert_int_equal(tasks_settings()->shard, 3);
	assert_refused("--shards=0",
		       "--shards=0 must be a number from 1 to 100000");
	assert_int_equal(CHECK("--tasks=list", "--shards=4"), CODE_OK);
}

TEST(numbers_have_a_range)
{
	assert_refused("--workers=0",
		       "--workers=0 must be a number from 1 to 32");
	assert_refused("--workers=33",
		       "--workers=33 must be a number from 1 to 32");
	assert_refused("--workers=4x",
		       "--workers=4x must be a number from 1 to 32");
	assert_int_equal(CHECK("--tasks=list", "--workers=32"), CODE_OK);
	assert_int_equal(tasks_settings()->workers, 32);
	assert_refused("--task-timeout=0",
		       "--task-timeout=0 must be from 1 to 86400 seconds, or "
		       "as 90s, 5m, 1h");
	assert_int_equal(CHECK("--tasks=list", "--task-timeout=2m"), CODE_OK);
	assert_int_equal(tasks_settings()->task_timeout_ms, 120000);
}

TEST(names_are_those_of_the_lines)
{
	assert_int_equal(CHECK("--tasks=list", "--gcp-project-id=P"),
			 CODE_INVALID_ARGUMENT);
	assert_int_equal(CHECK("--tasks=list", "--gcp-project-id=p"), CODE_OK);
	(void)setenv("SECRET_NAME", "s", 1);
	assert_int_equal(CHECK("--tasks=list"), CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "SECRET_NAME: each line of a list of "
					"tasks has its own");
	assert_string_equal(st.hint, "unset SECRET_NAME");
	(void)unsetenv("SECRET_NAME");
	assert_refused("--secret-name=s",
		       "--secret-name: each line of a list of tasks has its "
		       "own");
	assert_string_equal(st.hint, "");
	assert_refused("--cluster-id=c",
		       "--cluster-id: each line of a list of tasks has its "
		       "own");
}

TEST(standard_input_is_one_of_both)
{
	(void)CHECK("--tasks=list", "--pull-secret-file=-");
	status_clear(&st);
	assert_int_equal(input_check(&st), CODE_OK);
	(void)CHECK("--tasks=-", "--pull-secret-file=-");
	status_clear(&st);
	assert_int_equal(input_check(&st), CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "standard input is the list of tasks "
					"already");
}
