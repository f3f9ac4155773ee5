/* Files beneath a folder, whatever links and names say. */
#include "sys/beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char top[] = "/tmp/test_beneath.XXXXXX";
static int folder;
static struct status st;

static const char *
at(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void
put(const char *name)
{
	FILE *f = fopen(at(name), "w");

	assert_non_null(f);
	(void)fputs("content", f);
	(void)fclose(f);
}

static void
link_to(const char *target, const char *name)
{
	assert_int_equal(symlink(target, at(name)), 0);
}

static int
make(void **state)
{
	(void)state;
	if (mkdtemp(top) == NULL || mkdir(at("list"), 0700) != 0 ||
	    mkdir(at("list/sub"), 0700) != 0 ||
	    mkdir(at("list/..2026"), 0700) != 0 ||
	    mkfifo(at("list/fifo"), 0600) != 0)
		return -1;
	put("outside");
	put("list/plain");
	put("list/sub/deep");
	put("list/..2026/mounted");
	/* As Kubernetes mounts them. */
	link_to("..2026", "list/..data");
	link_to("..data/mounted", "list/mounted");
	link_to("../outside", "list/leads_out");
	link_to("/etc/passwd", "list/absolute");
	link_to("/proc/self/exe", "list/magic");
	link_to("/dev/null", "list/device");
	link_to("loop", "list/loop");
	link_to("sub/../plain", "list/inside");
	folder = beneath_open(at("list"));
	return folder < 0;
}

static int
clean(void **state)
{
	static const char *const NAMES[] = {
		"outside",
		"list/plain",
		"list/sub/deep",
		"list/..2026/mounted",
		"list/..data",
		"list/mounted",
		"list/leads_out",
		"list/absolute",
		"list/magic",
		"list/device",
		"list/loop",
		"list/inside",
		"list/fifo",
		"list/sub",
		"list/..2026",
		"list",
		"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(NAMES); i++)
		if (remove(at(NAMES[i])) != 0)
			return -1;
	return 0;
}

static enum code
read_path(const char *path)
{
	static char memory[16];
	static struct buf out;

	buf_init(&out, memory, sizeof(memory));
	status_clear(&st);
	if (beneath_read(folder, path, "TEST", DEADLINE_NEVER, &out, &st) ==
	    CODE_OK)
		assert_true(str_eq(buf_view(&out), STR("content")));
	else
		assert_int_equal(out.len, 0);
	return st.code;
}

TEST(files_and_links_beneath_it_are_read)
{
	static const char *const PATHS[] = { "plain",    "./plain",
					     "sub/deep", "mounted",
					     "inside",   "..data/mounted" };

	for (size_t i = 0; i < COUNT(PATHS); i++)
		assert_int_equal(read_path(PATHS[i]), CODE_OK);
}

TEST(what_leads_out_is_refused)
{
	static const char *const PATHS[] = {
		"../outside",        "/etc/passwd", "leads_out", "absolute",
		"sub/../../outside", "magic",       "device",    "loop"
	};

	for (size_t i = 0; i < COUNT(PATHS); i++) {
		assert_int_equal(read_path(PATHS[i]), CODE_INVALID_ARGUMENT);
		assert_non_null(strstr(st.message, PATHS[i]));
		assert_non_null(strstr(st.message,
				       "it leads out of the list's folder"));
	}
}

TEST(only_regular_files_are_read)
{
	static const char *const PATHS[] = { "fifo", "sub", "..data" };

	for (size_t i = 0; i < COUNT(PATHS); i++) {
		assert_int_equal(read_path(PATHS[i]), CODE_INVALID_ARGUMENT);
		assert_non_null(strstr(st.message, "it is no regular file"));
	}
}

TEST(what_cannot_be_opened_says_why)
{
	assert_int_equal(read_path("missing"), CODE_NOT_FOUND);
	assert_string_equal(st.message, "TEST: cannot open missing: "
					"No such file or directory");
	assert_int_equal(read_path("plain/x"), CODE_NOT_FOUND);
}

/* Of a process that is in the folder. */
TEST(a_magic_link_beneath_it_is_not_followed)
{
	int root = beneath_open("/proc/self"), list = folder;

	folder = root;
	assert_int_equal(read_path("fd/0"), CODE_INVALID_ARGUMENT);
	assert_int_equal(read_path("exe"), CODE_INVALID_ARGUMENT);
	folder = list;
	(void)close(root);
}

AROUND_ALL(make, clean)
