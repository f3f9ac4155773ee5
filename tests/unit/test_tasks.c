/* A list of tasks: what its lines say, and what is wrong with them. */
#include "job/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "job/labels.h"
#include "job/shard.h"
#include "job/target.h"

#include "test.h"

static char top[] = "/tmp/test_tasks.XXXXXX";
/* Options point into these. */
static char list[64];
static struct tasks tasks;
static struct task task;
static struct status st;

static const char *
at(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void
set_list(const char *path)
{
	(void)snprintf(list, sizeof(list), "%s", path);
}

static void
put(const char *name, const void *bytes, size_t len)
{
	FILE *f = fopen(at(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	(void)fclose(f);
}

static int
make(void **state)
{
	static const struct opt_table *const TABLES[] = {
		&TARGET_OPTIONS, &TASKS_OPTIONS, &LABEL_OPTIONS, NULL
	};
	static char project[] = "--gcp-project-id=default";
	static char labels[] = "--label=team=a,env=test";
	static char option[] = "--tasks";
	char *argv[] = { option, list, project, labels };
	size_t operands = 0;
	bool help;

	(void)state;
	if (mkdtemp(top) == NULL)
		return -1;
	set_list(at("list"));
	return opt_parse(TABLES, 4, argv, NULL, &operands, &help, &st) !=
		       CODE_OK ||
	       tasks_check(&st) != CODE_OK || labels_check(&st) != CODE_OK;
}

static int
clean(void **state)
{
	static const char *const NAMES[] = { "list", "c1.json", "empty",
					     "large", "" };

	(void)state;
	tasks_close(&tasks);
	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (remove(at(NAMES[i])) != 0)
			return -1;
	return 0;
}

static void
open_list(const char *text, size_t len)
{
	put("list", text, len);
	tasks_close(&tasks);
	status_clear(&st);
	assert_int_equal(tasks_open(&tasks, true, &st), CODE_OK);
	tasks_share(&tasks, STR("shared"));
}

static enum tasks_step
next(void)
{
	enum tasks_step step;

	status_clear(&st);
	do
		step = tasks_next(&tasks, &task, &st);
	while (step == TASKS_MORE || step == TASKS_AGAIN);
	return step;
}

/* A list of one line. */
static enum tasks_step
read_one(const char *line)
{
	open_list(line, strlen(line));
	return next();
}

static void
assert_task(const char *line)
{
	if (read_one(line) != TASKS_TASK)
		fail_msg("%s: %s", line, st.message);
}

static void
assert_bad(const char *line, const char *message)
{
	assert_int_equal(read_one(line), TASKS_BAD);
	assert_string_equal(st.message, message);
	assert_int_equal(task.input.len, 0);
	assert_true(str_eq(tasks_line(&tasks), str_from(line)));
	assert_int_equal(next(), TASKS_END);
}

static void
assert_input(const char *expected)
{
	assert_true(str_eq(buf_view(&task.input), str_from(expected)));
}

TEST(a_line_says_it_all)
{
	assert_task("{\"cluster_id\":\"c1\",\"gcp_project_id\":\"p-1\","
		    "\"secret_name\":\"S_1\",\"labels\":{\"env\":\"prod\","
		    "\"k\":\"\"},\"pull_secret_file\":\"c1.json\"}\n");
	assert_int_equal(task.line, 1);
	assert_string_equal(task.cluster_id, "c1");
	assert_string_equal(task.project, "p-1");
	assert_string_equal(task.secret, "S_1");
	assert_string_equal(task.labels, "env=prod,k=");
	assert_string_equal(task.path, "c1.json");
	assert_int_equal(task.input.len, 0);
	assert_true(task.hash == task_hash(&task));
	assert_int_equal(next(), TASKS_END);
}

TEST(a_cluster_is_enough)
{
	assert_task("{\"cluster_id\":\"c1\"}");
	assert_string_equal(task.project, "default");
	assert_string_equal(task.secret, "hyperfleet-c1-pull-secret");
	assert_string_equal(task.labels, "");
	assert_string_equal(task.path, "");
	assert_int_equal(tasks_load(&tasks, &task, DEADLINE_NEVER, &st),
			 CODE_OK);
	assert_true(str_eq(task.payload, STR("shared")));
}

TEST(blank_lines_count_and_the_end_needs_no_line_feed)
{
	static const char TEXT[] = "\n \t\r\n{\"cluster_id\":\"a\"}\r\n\n"
				   "{\"cluster_id\":\"b\"}";
	uint64_t done, size;

	open_list(TEXT, sizeof(TEXT) - 1);
	assert_int_equal(next(), TASKS_TASK);
	assert_int_equal(task.line, 3);
	assert_int_equal(next(), TASKS_TASK);
	assert_int_equal(task.line, 5);
	assert_string_equal(task.cluster_id, "b");
	assert_int_equal(next(), TASKS_END);
	tasks_progress(&tasks, &done, &size);
	assert_int_equal(done, sizeof(TEXT) - 1);
	assert_int_equal(size, sizeof(TEXT) - 1);
}

TEST(an_empty_list_ends)
{
	assert_int_equal(read_one(""), TASKS_END);
	assert_int_equal(read_one("\n\n"), TASKS_END);
}

/* An object as its bytes stand there, a string without its escapes. */
TEST(a_pull_secret_is_taken_as_it_is)
{
	assert_task("{\"cluster_id\":\"c\",\"pull_secret_data\": { \"auths\" "
		    ":{\"a\\u0062\" : 1.50}} }");
	assert_input("{ \"auths\" :{\"a\\u0062\" : 1.50}}");
	assert_task("{\"cluster_id\":\"c\",\"pull_secret_data\":"
		    "\"{\\\"a\\\\\\u0062\\/\\ud83d\\ude00\\n\\t\\u0007\\\"}"
		    "\\n\"}");
	assert_input("{\"a\\b/\xf0\x9f\x98\x80\n\t\a\"}\n");
	assert_int_equal(tasks_load(&tasks, &task, DEADLINE_NEVER, &st),
			 CODE_OK);
	assert_int_equal(task.payload.len, task.input.len - 1);
}

/* Wherever two reads meet. */
TEST(a_line_may_come_in_any_pieces)
{
	static const char LINE[] = "{\"cluster_id\":\"c\",\"pull_secret_data\":"
				   "\"\\u00e4\xc3\xa4\\\\\"}\n";
	int pipes[2];

	for (size_t cut = 0; cut < sizeof(LINE); cut++) {
		open_list("", 0);
		assert_int_equal(pipe(pipes), 0);
		(void)close(tasks.lines.fd);
		tasks.lines.fd = pipes[0];
		assert_int_equal(write(pipes[1], LINE, cut), cut);
		if (cut > 0 && cut < sizeof(LINE) - 1)
			assert_int_equal(tasks_next(&tasks, &task, &st),
					 TASKS_MORE);
		if (cut < sizeof(LINE) - 1)
			assert_int_equal(tasks_next(&tasks, &task, &st),
					 TASKS_AGAIN);
		assert_int_equal(write(pipes[1], LINE + cut,
				       sizeof(LINE) - 1 - cut),
				 sizeof(LINE) - 1 - cut);
		(void)close(pipes[1]);
		assert_int_equal(next(), TASKS_TASK);
		assert_input("\xc3\xa4\xc3\xa4\\");
		assert_int_equal(next(), TASKS_END);
	}
}

TEST(what_is_wrong_with_a_line_has_its_number)
{
	static const char *const ROWS[][2] = {
		{ "{}", "line 1: cluster_id is missing or empty" },
		{ "{\"cluster_id\":\"\"}",
		  "line 1: cluster_id is missing or empty" },
		{ "{\"cluster_id\":7}",
		  "line 1: cluster_id must be a string, not a number" },
		{ "{\"cluster_id\":null}",
		  "line 1: cluster_id must be a string, not null" },
		{ "{\"cluster_id\":\"C\"}",
		  "line 1: cluster_id=C: character 1 is not allowed, only "
		  "a-z0-9_-" },
		{ "{\"cluster_id\":\"{x\"}",
		  "line 1: cluster_id=(JSON, not shown): character 1 is not "
		  "allowed, only a-z0-9_-" },
		{ "{\"cluster_id\":\"a\\u0000b\"}",
		  "line 1: cluster_id: at most 63 characters, and no NUL" },
		{ "{\"cluster_id\":\"c\",\"gcp_project_id\":\".p\"}",
		  "line 1: gcp_project_id=.p must start with a letter or a "
		  "digit" },
		{ "{\"gcp_project_id\":\"P\",\"secret_name\":\"a/b\"}",
		  "line 1: gcp_project_id=P: character 1 is not allowed, only "
		  "a-z0-9:.-; cluster_id is missing or empty; "
		  "secret_name=a/b: character 2 is not allowed, only "
		  "A-Za-z0-9_-" },
		{ "{\"cluster_id\":\"c\",\"clusterid\":\"d\"}",
		  "line 1: $.clusterid: unknown member" },
		{ "{\"cluster_id\":\"c\",\"c2VjcmV0OnNlY3JldA==\":1}",
		  "line 1: $[key 2]: unknown member" },
		{ "{\"cluster_id\":\"c\",\"cluster\\u005fid\":\"d\"}",
		  "line 1: column 19, at $[key 2]: a key that its object has "
		  "already" },
		{ "[1]", "line 1: a task must be an object, not an array" },
		{ "{\"cluster_id\":\"c\"} x",
		  "line 1: column 20, at $: something after the end of the "
		  "JSON value" },
		{ "{\"cluster_id\":\"c\",\"labels\":[]}",
		  "line 1: labels must be an object, not an array" },
		{ "{\"cluster_id\":\"c\",\"labels\":{\"a\":1}}",
		  "line 1: $.labels.a must be a string, not a number" },
		{ "{\"cluster_id\":\"c\",\"labels\":{\"c2VjcmV0OnNlY3JldA==\":"
		  "\"x\"}}",
		  "line 1: $.labels[key 1]: key and value must be of a-z 0-9 _ "
		  "-, 63 at most, a letter first" },
		{ "{\"cluster_id\":\"c\",\"labels\":{\"a\":\"x\",\"b\":\"y,c="
		  "z\"}}",
		  "line 1: $.labels.b: key and value must be of a-z 0-9 _ -, "
		  "63 "
		  "at most, a letter first" },
		{ "{\"cluster_id\":\"c\",\"labels\":{\"managed-by\":\"x\"}}",
		  "line 1: labels: managed-by is there twice, or one of this "
		  "program's own" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_file\":\"a\","
		  "\"pull_secret_data\":\"b\"}",
		  "line 1: both pull_secret_file and pull_secret_data" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":[]}",
		  "line 1: pull_secret_data must be an object or a string, not "
		  "an array" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":\"\"}",
		  "line 1: pull_secret_data is empty" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_file\":\"\"}",
		  "line 1: pull_secret_file is empty" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_file\":\"/a/b\"}",
		  "line 1: pull_secret_file: /a/b: it must be a path relative "
		  "to the list's folder" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_file\":\"a/../b\"}",
		  "line 1: pull_secret_file: a/../b: it must not have .. in "
		  "its path" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_file\":\"{}\"}",
		  "line 1: pull_secret_file: (JSON, not shown): it looks like "
		  "a pull secret, which is no path" },
	};

	for (size_t i = 0; i < COUNT(ROWS); i++)
		assert_bad(ROWS[i][0], ROWS[i][1]);
}

TEST(an_unknown_member_may_be_a_known_one)
{
	(void)read_one("{\"cluster_id\":\"c\",\"clusterid\":\"d\"}");
	assert_string_equal(st.hint, "did you mean cluster_id?");
}

TEST(a_bad_line_does_not_stop_the_others)
{
	static const char TEXT[] = "{\"cluster_id\":\"a\"}\n"
				   "{\"cluster_id\":\"b\",\"x\0y\":1}\n"
				   "{\"cluster_id\":\"c\xff\"}\n"
				   "{\"cluster_id\":\"d\"}\n";

	open_list(TEXT, sizeof(TEXT) - 1);
	assert_int_equal(next(), TASKS_TASK);
	assert_int_equal(next(), TASKS_BAD);
	assert_true(str_starts(str_from(st.message), STR("line 2: column ")));
	assert_int_equal(tasks_line(&tasks).len, 26);
	assert_int_equal(next(), TASKS_BAD);
	assert_true(str_starts(str_from(st.message), STR("line 3: column ")));
	assert_int_equal(next(), TASKS_TASK);
	assert_string_equal(task.cluster_id, "d");
}

/* What it says is shown nowhere. */
TEST(no_message_holds_a_part_of_an_inline_pull_secret)
{
	static const char SECRET[] = "c2VjcmV0OnBhc3N3b3Jk";
	static const char *const LINES[][2] = {
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":\"", "\" x}" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":[\"", "\"]}" },
		{ "{\"cluster_id\":\"c\",\"", "\":1}" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":{\"auth\":",
		  "}}" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":{\"",
		  "\":1,2}}" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_data\":\"", "\\x\"}" },
		{ "{\"cluster_id\":\"c\",\"pull_secret_file\":\"eyJ", "\"}" },
		{ "\"", "\"" },
	};
	char line[256];

	for (size_t i = 0; i < COUNT(LINES); i++) {
		(void)snprintf(line, sizeof(line), "%s%s%s", LINES[i][0],
			       SECRET, LINES[i][1]);
		assert_int_equal(read_one(line), TASKS_BAD);
		assert_null(strstr(st.message, "c2VjcmV0"));
		assert_null(strstr(st.hint, "c2VjcmV0"));
	}
}

TEST(a_line_that_is_too_long_is_skipped)
{
	static char text[TASK_LINE_MAX + 100];

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"cluster_id\":\"a\"}", 18);
	text[TASK_LINE_MAX] = '\n';
	memcpy(text + TASK_LINE_MAX + 1, "{\"cluster_id\":\"b\"}", 18);
	open_list(text, sizeof(text));
	assert_int_equal(next(), TASKS_TASK);
	assert_int_equal(next(), TASKS_TASK);
	text[TASK_LINE_MAX] = ' ';
	text[TASK_LINE_MAX + 1] = '\n';
	memcpy(text + TASK_LINE_MAX + 2, "{\"cluster_id\":\"b\"}", 18);
	open_list(text, sizeof(text));
	assert_int_equal(next(), TASKS_BAD);
	assert_string_equal(st.message, "line 1: longer than 163840 bytes");
	assert_int_equal(tasks_line(&tasks).len, 0);
	assert_int_equal(next(), TASKS_TASK);
	assert_int_equal(task.line, 2);
}

/* As a string with every character escaped, that is all that fits a line. */
TEST(the_largest_pull_secret_fits_and_a_larger_one_does_not)
{
	static char text[TASK_LINE_MAX];
	static const char HEAD[] = "{\"cluster_id\":\"c\",\"pull_secret_data\":"
				   "\"";
	const size_t head = sizeof(HEAD) - 1;
	size_t room = PULL_SECRET_MAX + PULL_SECRET_SLACK;

	memcpy(text, HEAD, head);
	for (size_t i = 0; i < room; i++)
		memcpy(text + head + 2 * i, "\\\"", 2);
	memcpy(text + head + 2 * room, "\"}\n", 4);
	assert_task(text);
	assert_int_equal(task.input.len, room);
	memcpy(text + head + 2 * room, "x\"}\n", 5);
	assert_int_equal(read_one(text), TASKS_BAD);
	assert_string_equal(st.message,
			    "line 1: pull_secret_data holds more than the "
			    "65536 bytes of a secret version");
	assert_int_equal(st.code, CODE_OUT_OF_RANGE);
	assert_int_equal(task.input_memory[0], 0);
}

/* Not where it runs in valgrind, which does not know this call. */
static bool
has_openat2(void)
{
	return syscall(SYS_openat2, -1, "", NULL, (size_t)0) != 0 &&
	       errno != ENOSYS;
}

TEST(a_file_beside_the_list_is_read)
{
	if (!has_openat2())
		return;
	put("c1.json", "{\"auths\":{}}\n\n", 14);
	put("empty", "", 0);
	assert_task("{\"cluster_id\":\"c\",\"pull_secret_file\":\"c1.json\"}");
	assert_int_equal(tasks_load(&tasks, &task, DEADLINE_NEVER, &st),
			 CODE_OK);
	assert_int_equal(task.input.len, 14);
	assert_true(str_eq(task.payload, STR("{\"auths\":{}}")));
	/* printf '{"auths":{}}' | sha256sum */
	assert_int_equal(task.digest[0], 0xec);
	assert_int_equal(task.digest[31], 0x7a);
	assert_task("\n{\"cluster_id\":\"c\",\"pull_secret_file\":\"none\"}");
	assert_int_equal(tasks_load(&tasks, &task, DEADLINE_NEVER, &st),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "line 2: pull_secret_file: cannot open "
					"none: No such file or directory");
	assert_string_equal(st.hint, "it is sought in the list's folder, or in "
				     "--tasks-folder");
	assert_task("{\"cluster_id\":\"c\",\"pull_secret_file\":\"empty\"}");
	assert_int_equal(tasks_load(&tasks, &task, DEADLINE_NEVER, &st),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message,
			    "line 1: pull_secret_file: empty is empty");
}

TEST(a_file_that_is_too_large_is_refused)
{
	static char large[PULL_SECRET_MAX + PULL_SECRET_SLACK + 1];

	if (!has_openat2())
		return;
	put("large", large, sizeof(large));
	assert_task("{\"cluster_id\":\"c\",\"pull_secret_file\":\"large\"}");
	assert_int_equal(tasks_load(&tasks, &task, DEADLINE_NEVER, &st),
			 CODE_OUT_OF_RANGE);
	assert_string_equal(st.message,
			    "line 1: pull_secret_file: large holds more than "
			    "the 65536 bytes of a secret version");
}

/* Standard input has no folder, and nor has a pipe of any name. */
TEST(a_pipe_has_no_paths)
{
	static const char LINE[] = "{\"cluster_id\":\"c\","
				   "\"pull_secret_file\":\"c1.json\"}\n";
	int pipes[2], input = dup(STDIN_FILENO);

	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(pipes), 0);
		assert_int_equal(write(pipes[1], LINE, sizeof(LINE) - 1),
				 sizeof(LINE) - 1);
		(void)close(pipes[1]);
		(void)dup2(pipes[0], STDIN_FILENO);
		tasks_close(&tasks);
		set_list(i == 0 ? "-" : "/dev/stdin");
		status_clear(&st);
		assert_int_equal(tasks_open(&tasks, true, &st), CODE_OK);
		assert_int_equal(tasks_folder(&tasks), -1);
		assert_int_equal(next(), TASKS_BAD);
		assert_string_equal(st.message,
				    "line 1: pull_secret_file: c1.json: a list "
				    "from a pipe needs TASKS_FOLDER for "
				    "paths");
		(void)close(pipes[0]);
	}
	set_list(at("list"));
	(void)dup2(input, STDIN_FILENO);
	(void)close(input);
}

TEST(without_any_pull_secret_a_line_is_wrong)
{
	open_list("{\"cluster_id\":\"c\"}", 18);
	tasks_share(&tasks, STR(""));
	assert_int_equal(next(), TASKS_BAD);
	assert_string_equal(st.message,
			    "line 1: no pull secret: neither pull_secret_file "
			    "nor pull_secret_data");
	assert_string_equal(st.hint, "--pull-secret-file gives one for all");
}

/* What jq makes without -c: each line of it is wrong. */
TEST(json_of_many_lines_is_explained_once)
{
	static const char ARRAY[] = "[\n  {\n    \"cluster_id\": \"c\"\n  },\n"
				    "  {\n";
	static const char OBJECTS[] = "{\n  \"cluster_id\": \"c\"\n}\n{\n";

	open_list(ARRAY, sizeof(ARRAY) - 1);
	assert_int_equal(next(), TASKS_BAD);
	assert_string_equal(st.hint,
			    "one object a line: jq -c '.[]' makes that");
	for (int i = 0; i < 4; i++) {
		assert_int_equal(next(), TASKS_BAD);
		assert_string_equal(st.hint, "");
	}
	open_list(OBJECTS, sizeof(OBJECTS) - 1);
	assert_int_equal(next(), TASKS_BAD);
	assert_string_equal(st.hint, "one object a line: jq -c '.' makes that");
	(void)next();
	(void)next();
	assert_int_equal(next(), TASKS_BAD);
	assert_string_equal(st.hint, "");
	(void)read_one("[{\"cluster_id\":\"c\"}]");
	assert_string_equal(st.hint,
			    "one object a line: jq -c '.[]' makes that");
}

/* One list serves all jobs. */
TEST(a_job_without_pull_secret_leaves_it_alone)
{
	open_list("{\"cluster_id\":\"c\",\"pull_secret_data\":\"x\"}", 41);
	tasks_close(&tasks);
	status_clear(&st);
	assert_int_equal(tasks_open(&tasks, false, &st), CODE_OK);
	assert_int_equal(next(), TASKS_TASK);
	assert_int_equal(task.input.len, 0);
}

TEST(a_list_that_cannot_be_opened_is_refused)
{
	tasks_close(&tasks);
	status_clear(&st);
	set_list(top);
	assert_int_equal(tasks_open(&tasks, true, &st), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, ": Is a directory"));
	tasks_close(&tasks);
	status_clear(&st);
	set_list(at("none"));
	assert_int_equal(tasks_open(&tasks, true, &st), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "--tasks: cannot open "));
	set_list(at("list"));
}

/* What is written is read as the same. */
TEST(a_task_is_written_as_a_line)
{
	static const char LINE[] =
		"{\"cluster_id\":\"c\",\"gcp_project_id\":\"default\","
		"\"secret_name\":\"hyperfleet-c-pull-secret\","
		"\"pull_secret_data\":\"{ \\\"a\\\\u0062\\\":1}\","
		"\"labels\":{\"env\":\"prod\",\"k\":\"\"}}\n";
	char memory[300];
	struct buf out;

	assert_task("{\"cluster_id\":\"c\",\"pull_secret_data\":{ "
		    "\"a\\u0062\":1},\"labels\":{\"env\":\"prod\",\"k\":\"\"}"
		    "}");
	buf_init(&out, memory, sizeof(memory));
	tasks_write_line(&task, &out);
	assert_false(out.overflow);
	assert_true(str_eq(buf_view(&out), STR(LINE)));
	assert_task(LINE);
	assert_input("{ \"a\\u0062\":1}");
	assert_task("{\"cluster_id\":\"c\",\"pull_secret_file\":\"x\"}");
	buf_reset(&out);
	tasks_write_line(&task, &out);
	assert_true(
		str_ends(buf_view(&out), STR("\"pull_secret_file\":\"x\"}\n")));
	buf_init(&out, memory, 20);
	tasks_write_line(&task, &out);
	assert_true(out.overflow);
}

TEST(a_version_is_a_number_from_1)
{
	char memory[200];
	struct buf out;

	assert_task("{\"cluster_id\":\"c\",\"secret_version\":3}");
	assert_string_equal(task.version, "3");
	assert_task("{\"cluster_id\":\"c\",\"secret_version\":\"12\"}");
	assert_string_equal(task.version, "12");
	buf_init(&out, memory, sizeof(memory));
	tasks_write_line(&task, &out);
	assert_true(
		str_contains(buf_view(&out), STR("\"secret_version\":\"12\"")));
	assert_task("{\"cluster_id\":\"c\"}");
	assert_string_equal(task.version, "");
	assert_bad("{\"cluster_id\":\"c\",\"secret_version\":0}",
		   "line 1: secret_version=0 must be the number of a version, "
		   "from 1");
	assert_bad("{\"cluster_id\":\"c\",\"secret_version\":\"latest\"}",
		   "line 1: secret_version=latest must be the number of a "
		   "version, from 1");
	assert_bad("{\"cluster_id\":\"c\",\"secret_version\":null}",
		   "line 1: secret_version must be a string, not null");
}

/* The task's own win over --label. */
TEST(labels_are_merged)
{
	struct label fixed[LABELS_FIXED];

	assert_task("{\"cluster_id\":\"c\",\"labels\":{\"env\":\"prod\","
		    "\"k\":\"\"}}");
	assert_string_equal(labels_of(&task, fixed).more, "env=prod,k=,team=a");
	assert_task("{\"cluster_id\":\"c\"}");
	assert_string_equal(labels_of(&task, fixed).more, "team=a,env=test");
}

/* 64 with this program's own and those of --label. */
TEST(labels_are_counted)
{
	static const char MORE[] = ",\"one-more\":\"v\"}}";
	char line[1024];
	int at_ = snprintf(line, sizeof(line),
			   "{\"cluster_id\":\"c\",\"labels\":{\"env\":\"e\"");

	for (int i = 0; i < 57; i++)
		at_ += snprintf(line + at_, sizeof(line) - (size_t)at_,
				",\"k%d\":\"v\"", i);
	memcpy(line + at_, "}}", sizeof("}}"));
	assert_task(line);
	memcpy(line + at_, MORE, sizeof(MORE));
	assert_bad(line, "line 1: labels: at most 59 labels");
}

AROUND_ALL(make, clean)
