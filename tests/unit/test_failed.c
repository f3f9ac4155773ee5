/* The list of the tasks that failed. */
#include "job/failed.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/file_guard.h"

#include "one_file.h"

#define WHAT "--failed"

static struct failed failed;
static struct status st;
static struct task task;
static char content[1024];

AROUND_ALL(make_folder, remove_folder)

static int
start_again(void)
{
	failed_close(&failed);
	status_clear(&st);
	task_init(&task);
	task.project = "p";
	task.cluster_id = "c";
	(void)snprintf(task.secret, sizeof(task.secret), "s");
	buf_reset(&task.input);
	buf_put_cstr(&task.input, "\"");
	return failed_open(&failed, path, WHAT, &st) == CODE_OK ? 0 : -1;
}

static int
start(void **state)
{
	(void)state;
	(void)unlink(path);
	return start_again();
}

static const char *
written(void)
{
	FILE *f = fopen(path, "r");
	size_t len;

	assert_non_null(f);
	len = fread(content, 1, sizeof(content) - 1, f);
	content[len] = '\0';
	(void)fclose(f);
	return content;
}

#define TASK \
	"{\"cluster_id\":\"c\",\"gcp_project_id\":\"p\",\"secret_name\":" \
	"\"s\",\"pull_secret_data\":\"\\\"\"}\n"

TEST_AFTER(start, it_is_a_list_of_tasks)
{
	struct stat info;

	assert_int_equal(failed_add_line(&failed, STR("{bad"), &st), CODE_OK);
	assert_int_equal(failed_add_line(&failed, STR(""), &st), CODE_OK);
	assert_int_equal(failed_add(&failed, &task, &st), CODE_OK);
	assert_string_equal(written(), "{bad\n" TASK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
}

TEST_AFTER(start, the_next_run_begins_with_an_empty_one)
{
	assert_int_equal(failed_add(&failed, &task, &st), CODE_OK);
	failed_close(&failed);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(start_again(), 0);
	assert_string_equal(written(), "");
	assert_int_equal(failed_add_line(&failed, STR("x"), &st), CODE_OK);
	assert_string_equal(written(), "x\n");
}

/* Lines that were wrong stand in it as they were. */
TEST_AFTER(start, one_that_begins_with_a_bad_line_is_a_list)
{
	assert_int_equal(failed_add_line(&failed, STR("{bad"), &st), CODE_OK);
	assert_int_equal(failed_add(&failed, &task, &st), CODE_OK);
	assert_int_equal(start_again(), 0);
	assert_string_equal(written(), "");
}

TEST_AFTER(start, what_is_no_list_is_left_as_it_is)
{
	struct stat info;

	assert_int_equal(failed_add_line(&failed, STR("{\"auths\":{}}"), &st),
			 CODE_OK);
	failed_close(&failed);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(failed_open(&failed, path, WHAT, &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, " is no list of tasks and would be "
					   "emptied"));
	assert_string_equal(st.hint, "remove it if it can go");
	assert_string_equal(written(), "{\"auths\":{}}\n");
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0640);
}

TEST_AFTER(start, without_a_file_nothing_is_written)
{
	failed_close(&failed);
	assert_int_equal(failed_open(&failed, NULL, WHAT, &st), CODE_OK);
	assert_int_equal(failed_add(&failed, &task, &st), CODE_OK);
	assert_int_equal(failed_add_line(&failed, STR("x"), &st), CODE_OK);
	assert_string_equal(written(), "");
}

TEST_AFTER(start, a_file_that_is_read_is_not_emptied)
{
	int fd;

	assert_int_equal(failed_add_line(&failed, STR("x"), &st), CODE_OK);
	failed_close(&failed);
	file_guard(FILE_FAILED, path);
	fd = file_open(path);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(failed_open(&failed, path, WHAT, &st),
			 CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "is a file that is read, too"));
	assert_string_equal(written(), "x\n");
}

TEST_AFTER(start, a_full_volume_is_reported_and_leaves_whole_lines)
{
	struct rlimit limit = { .rlim_cur = sizeof(TASK) + 20,
				.rlim_max = RLIM_INFINITY };

	assert_int_equal(failed_add(&failed, &task, &st), CODE_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(failed_add(&failed, &task, &st), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "--failed: cannot write /tmp/"));
	assert_null(strstr(st.message, "pull_secret"));
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_string_equal(written(), TASK);
}

/* The largest pull secret, were all of it escaped by six, and all labels. */
TEST_AFTER(start, the_longest_task_fits)
{
	buf_reset(&task.input);
	while (buf_room(&task.input) > 0)
		buf_put_char(&task.input, '\x7f');
	memset(task.secret, 's', sizeof(task.secret) - 1);
	for (size_t i = 0; i + 130 < sizeof(task.labels); i += 128)
		(void)snprintf(task.labels + i, sizeof(task.labels) - i,
			       "%063zu=%062zu,", i, i);
	task.labels[strlen(task.labels) - 1] = '\0';
	assert_int_equal(failed_add(&failed, &task, &st), CODE_OK);
	memset(task.labels, 0, sizeof(task.labels));
	memset(task.secret, 0, sizeof(task.secret));
}
