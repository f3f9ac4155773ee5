/* Files, read and written whole, in a folder of the test's own. */
#include "sys/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/wait.h"

#include "test.h"

static char folder[] = "/tmp/test_file.XXXXXX";
static char path[128];
static struct status st;

static const char *
in_folder(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
put(const char *name, const char *content)
{
	FILE *f = fopen(in_folder(name), "w");

	assert_non_null(f);
	(void)fputs(content, f);
	(void)fclose(f);
}

static struct buf
read_back(const char *name, char *memory, size_t size)
{
	struct buf out;

	buf_init(&out, memory, size);
	status_clear(&st);
	(void)file_read(in_folder(name), "TEST_FILE", DEADLINE_NEVER, &out,
			&st);
	return out;
}

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	static const char *const names[] = { "a", "fifo", "result", "full" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_folder(names[i]));
	return rmdir(folder);
}

TEST(a_file_is_read_to_its_end)
{
	char memory[16];
	struct buf out;

	put("a", "0123456789");
	out = read_back("a", memory, sizeof(memory));
	assert_int_equal(st.code, CODE_OK);
	assert_true(str_eq(buf_view(&out), STR("0123456789")));
	out = read_back("a", memory, 10); /* fits exactly */
	assert_int_equal(st.code, CODE_OK);
	assert_int_equal(out.len, 10);
	out = read_back("a", memory, 9);
	assert_int_equal(st.code, CODE_OUT_OF_RANGE);
	assert_non_null(strstr(st.message, "larger than 9 bytes"));
	assert_null(strstr(st.message, "0123"));
}

TEST(what_cannot_be_read_is_named)
{
	char memory[16];

	(void)read_back("missing", memory, sizeof(memory));
	assert_int_equal(st.code, CODE_NOT_FOUND);
	assert_non_null(strstr(st.message, "TEST_FILE"));
	assert_non_null(strstr(st.message, "missing"));
	(void)read_back(".", memory, sizeof(memory));
	assert_int_equal(st.code, CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "is a directory"));
	assert_int_equal(symlink("loop", in_folder("loop")), 0);
	(void)read_back("loop", memory, sizeof(memory));
	assert_int_equal(st.code, CODE_INVALID_ARGUMENT);
	assert_int_equal(unlink(in_folder("loop")), 0);
}

/* A FIFO is waited for, in pieces as they come. */
TEST(a_fifo_is_read_to_its_end)
{
	char memory[16];
	struct buf out;
	pid_t child;
	int status;

	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int fd;

		(void)usleep(50000);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, "one", 3) != 3)
			_exit(1);
		(void)usleep(20000);
		_exit(write(fd, "two", 3) == 3 ? 0 : 1);
	}
	out = read_back("fifo", memory, sizeof(memory));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(st.code, CODE_OK);
	assert_true(str_eq(buf_view(&out), STR("onetwo")));
}

TEST(a_target_is_replaced_whole_and_readable)
{
	struct file_target target;
	struct stat before, after;
	mode_t mask = umask(077);
	char memory[32];
	struct buf out;

	put("result", "old");
	(void)stat(in_folder("result"), &before);
	status_clear(&st);
	assert_int_equal(file_target_open(&target, in_folder("result"), "TEST",
					  &st),
			 CODE_OK);
	assert_int_equal(file_target_write(&target, STR("new content"), &st),
			 CODE_OK);
	file_target_close(&target);
	(void)umask(mask);
	assert_int_equal(stat(in_folder("result"), &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 0777, 0644);
	out = read_back("result", memory, sizeof(memory));
	assert_true(str_eq(buf_view(&out), STR("new content")));
}

TEST(a_target_is_removed_and_may_be_missing)
{
	struct file_target target;

	put("result", "old");
	status_clear(&st);
	assert_int_equal(file_target_open(&target, in_folder("result"), "TEST",
					  &st),
			 CODE_OK);
	file_target_remove(&target);
	assert_int_equal(access(in_folder("result"), F_OK), -1);
	file_target_remove(&target);
	file_target_close(&target);
	file_target_close(&target);
	assert_int_equal(target.folder, -1);
}

TEST(a_target_that_cannot_be_is_refused)
{
	struct file_target target;
	char deep[600];

	status_clear(&st);
	assert_int_equal(file_target_open(&target, in_folder("no/result"),
					  "TEST", &st),
			 CODE_NOT_FOUND);
	status_clear(&st);
	target.folder = 0;
	assert_int_equal(file_target_open(&target, "/tmp/", "TEST", &st),
			 CODE_INVALID_ARGUMENT);
	assert_int_equal(target.folder, -1); /* not standard input */
	memset(deep, 'x', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	status_clear(&st);
	assert_int_equal(file_target_open(&target, deep, "TEST", &st),
			 CODE_INVALID_ARGUMENT);
	/* a folder cannot be replaced by a file, which is told at once */
	status_clear(&st);
	assert_int_equal(file_target_open(&target, folder, "TEST", &st),
			 CODE_INVALID_ARGUMENT);
	assert_int_equal(target.folder, -1);
	/* or at the end, and nothing is left beside it */
	status_clear(&st);
	assert_int_equal(file_target_open(&target, in_folder("late"), "TEST",
					  &st),
			 CODE_OK);
	assert_int_equal(mkdir(in_folder("late"), 0700), 0);
	assert_int_equal(file_target_write(&target, STR("x"), &st),
			 CODE_INTERNAL);
	assert_int_equal(rmdir(in_folder("late")), 0);
	file_target_close(&target);
}

TEST(a_write_that_fails_is_told)
{
	int full = open("/dev/full", O_WRONLY);
	int ends[2];

	wait_init();
	assert_true(full >= 0);
	status_clear(&st);
	assert_int_equal(file_write_all(full, STR("x"), DEADLINE_NEVER, &st),
			 CODE_UNAVAILABLE);
	(void)close(full);
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	status_clear(&st);
	assert_int_equal(file_write_all(ends[1], STR("x"), DEADLINE_NEVER, &st),
			 CODE_UNAVAILABLE);
	(void)close(ends[1]);
}

TEST(a_note_is_a_regular_file_that_is_there)
{
	struct stat info;
	int note;

	assert_int_equal(file_open_for_writing(in_folder("note")), -1);
	put("note", "old");
	note = file_open_for_writing(in_folder("note"));
	assert_true(note >= 0);
	assert_int_equal(fstat(note, &info), 0);
	assert_int_equal(info.st_size, 3);
	(void)close(note);
	assert_int_equal(file_open_for_writing(folder), -1);
	assert_int_equal(file_open_for_writing("/dev/full"), -1);
	assert_int_equal(symlink("note", in_folder("link")), 0);
	assert_int_equal(file_open_for_writing(in_folder("link")), -1);
	assert_int_equal(unlink(in_folder("link")), 0);
	assert_int_equal(unlink(in_folder("note")), 0);
}

AROUND_ALL(make_folder, remove_folder)
