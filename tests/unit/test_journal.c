/* The journal of a list, and the kind of file that it is (sys/append.h). */
#include "job/journal.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/shard.h"
#include "net/sha256.h"
#include "sys/file.h"
#include "sys/file_guard.h"

#include "one_file.h"

#define VERSION "projects/1/secrets/s/versions/1"

static struct journal journal, other;
static struct status st;
static struct task task;
static char content[4096];

AROUND_ALL(make_folder, remove_folder)

static int
start(void **state)
{
	(void)state;
	journal_close(&journal);
	memset(&journal, 0, sizeof(journal));
	(void)unlink(path);
	return 0;
}

#define JOURNAL_TEST(name) TEST_AFTER(start, name)

/* The task of secret `secret` in project p with `payload`. */
static const struct task *
task_of(const char *secret, const char *payload)
{
	task_init(&task);
	task.project = "p";
	(void)snprintf(task.secret, sizeof(task.secret), "%s", secret);
	task.hash = task_hash(&task);
	sha256(str_from(payload), task.digest);
	return &task;
}

static enum code
reopen(void)
{
	journal_close(&journal);
	memset(&journal, 0, sizeof(journal));
	status_clear(&st);
	return journal_open(&journal, path, &st);
}

static enum code
add(const char *secret, const char *payload)
{
	status_clear(&st);
	return journal_add(&journal, task_of(secret, payload), VERSION, &st);
}

static void
put(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	(void)fclose(f);
}

static size_t
get(void)
{
	FILE *f = fopen(path, "r");
	size_t len;

	assert_non_null(f);
	len = fread(content, 1, sizeof(content) - 1, f);
	content[len] = '\0';
	(void)fclose(f);
	return len;
}

/* What sha256sum says of "one". */
#define ONE_LEFT "c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
#define ONE "7692" ONE_LEFT
#define LINE(secret) \
	"{\"secret\":\"projects/p/secrets/" secret "\",\"sha256\":\"" ONE \
	"\",\"version\":\"" VERSION "\"}\n"

JOURNAL_TEST(what_was_verified_is_known_to_the_next_run)
{
	struct stat info;

	assert_int_equal(reopen(), CODE_OK);
	assert_false(journal_has(&journal, task_of("a", "one")));
	assert_int_equal(add("a", "one"), CODE_OK);
	assert_true(journal_has(&journal, task_of("a", "one")));
	assert_int_equal(reopen(), CODE_OK);
	assert_true(journal_has(&journal, task_of("a", "one")));
	assert_false(journal_has(&journal, task_of("a", "two")));
	assert_false(journal_has(&journal, task_of("b", "one")));
	(void)get();
	assert_string_equal(content, LINE("a"));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
}

JOURNAL_TEST(the_last_version_of_a_secret_counts)
{
	assert_int_equal(reopen(), CODE_OK);
	assert_int_equal(add("a", "one"), CODE_OK);
	assert_int_equal(add("a", "two"), CODE_OK);
	for (int i = 0; i < 2; i++) {
		assert_false(journal_has(&journal, task_of("a", "one")));
		assert_true(journal_has(&journal, task_of("a", "two")));
		assert_int_equal(reopen(), CODE_OK);
	}
	assert_int_equal(journal.count, 1);
}

JOURNAL_TEST(without_a_journal_nothing_is_known_or_written)
{
	status_clear(&st);
	assert_int_equal(journal_open(&journal, NULL, &st), CODE_OK);
	assert_int_equal(add("a", "one"), CODE_OK);
	assert_false(journal_has(&journal, task_of("a", "one")));
}

JOURNAL_TEST(a_last_line_that_was_torn_is_cut_off)
{
	static const char lines[] = LINE("a") LINE("b");
	const size_t whole = sizeof(LINE("a")) - 1;

	for (size_t len = whole; len < sizeof(lines) - 1; len++) {
		put(lines, len);
		assert_int_equal(reopen(), CODE_OK);
		assert_int_equal(journal.count, 1);
		assert_int_equal(get(), whole);
	}
	/* or not written by the volume, before the power failed */
	put(LINE("a") "\0\0\0\0\0", whole + 5);
	assert_int_equal(reopen(), CODE_OK);
	assert_int_equal(add("b", "one"), CODE_OK);
	(void)get();
	assert_string_equal(content, lines);
}

JOURNAL_TEST(what_is_no_journal_is_left_alone)
{
	static char longest[3000];
	const char *const bad[] = {
		"\n",
		"{}\n",
		"garbage\n",
		"{\"auths\":{}}",
		"{\"secret\"x",
		LINE("a\"b"),
		LINE("a\\u0062"),
		LINE("\xc3\xa4"),
		"{\"secret\":\"projects/p/secrets/a\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"" ONE "\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"" ONE
		"0\",\"version\":\"v\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"0" ONE
		"\",\"version\":\"v\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"\",\"version\":\"v\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"769G" ONE_LEFT
		"\",\"version\":\"v\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"769A" ONE_LEFT
		"\",\"version\":\"v\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"" ONE "\",\"version\":\"\"}\n",
		"{\"secret\":\"a\",\"sha256\":\"" ONE
		"\",\"version\":\"v\"} \n",
		" " LINE("a"),
		longest,
	};

	memset(longest, 'x', sizeof(longest) - 1);
	for (size_t i = 0; i < COUNT(bad); i++) {
		char text[4000];
		size_t len = (size_t)snprintf(text, sizeof(text), "%s%s%s",
					      LINE("a"), bad[i],
					      strchr(bad[i], '\n') == NULL
						      ? ""
						      : LINE("b"));

		put(text, len);
		assert_int_equal(reopen(), CODE_INVALID_ARGUMENT);
		assert_non_null(strstr(st.message, "line 2 of /tmp"));
		assert_int_equal(get(), len);
		assert_false(journal.is_open);
		assert_null(strstr(st.message, "auths"));
	}
}

JOURNAL_TEST(two_runs_do_not_share_it)
{
	assert_int_equal(reopen(), CODE_OK);
	assert_int_equal(journal_open(&other, path, &st), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "another run"));
	journal_close(&journal);
	status_clear(&st);
	assert_int_equal(journal_open(&other, path, &st), CODE_OK);
	journal_close(&other);
}

JOURNAL_TEST(only_a_regular_file_of_ours)
{
	struct stat info;
	char linked[sizeof(path) + 8];

	(void)snprintf(linked, sizeof(linked), "%s.linked", path);
	put("", 0);
	assert_int_equal(rename(path, linked), 0);
	assert_int_equal(symlink(linked, path), 0);
	assert_int_equal(reopen(), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "no regular file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(linked), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(reopen(), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "no regular file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(reopen(), CODE_INVALID_ARGUMENT);
	assert_int_equal(rmdir(path), 0);
	status_clear(&st);
	assert_int_equal(journal_open(&journal, "/dev/null", &st),
			 CODE_INVALID_ARGUMENT);
	status_clear(&st);
	assert_int_equal(journal_open(&journal, "/nowhere/j", &st),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message,
			    "JOURNAL_FILE: cannot open /nowhere/j: No such "
			    "file or directory");
	/* of others it is taken back */
	put("", 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(reopen(), CODE_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
}

JOURNAL_TEST(a_file_that_is_read_is_no_journal)
{
	int fd;

	put("", 0);
	file_guard(FILE_JOURNAL, path);
	fd = file_open(path);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(reopen(), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "is a file that is read, too"));
	assert_int_equal(reopen(), CODE_OK);
}

JOURNAL_TEST(a_full_volume_is_reported_and_leaves_whole_lines)
{
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };
	const size_t whole = sizeof(LINE("a")) - 1;

	assert_int_equal(reopen(), CODE_OK);
	assert_int_equal(add("a", "one"), CODE_OK);
	limit.rlim_cur = whole + 50;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(add("b", "one"), CODE_UNAVAILABLE);
	assert_non_null(strstr(st.message, "cannot write"));
	assert_int_equal(get(), whole);
	limit.rlim_cur = RLIM_INFINITY;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(add("c", "one"), CODE_OK);
	(void)get();
	assert_string_equal(content, LINE("a") LINE("c"));
}

JOURNAL_TEST(its_room_is_limited)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (int i = 0; i < JOURNAL_SECRETS_MAX; i++)
		(void)fprintf(f,
			      "{\"secret\":\"projects/p/secrets/%d\","
			      "\"sha256\":\"" ONE "\",\"version\":\"v\"}\n",
			      i);
	(void)fclose(f);
	assert_int_equal(reopen(), CODE_OK);
	assert_true(journal_has(&journal, task_of("0", "one")));
	assert_true(journal_has(&journal, task_of("49999", "one")));
	assert_false(journal_has(&journal, task_of("50000", "one")));
	assert_int_equal(add("7", "two"), CODE_OK);
	assert_int_equal(add("a", "one"), CODE_OUT_OF_RANGE);
	assert_non_null(strstr(st.message, "more than 50000 secrets"));
	assert_int_equal(reopen(), CODE_OK);
	f = fopen(path, "a");
	(void)fputs(LINE("a"), f);
	(void)fclose(f);
	assert_int_equal(reopen(), CODE_OUT_OF_RANGE);
	(void)start(NULL);
}
