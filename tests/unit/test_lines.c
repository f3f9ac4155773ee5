/* The lines of a stream: cut anywhere, never waited for, wiped. */
#include "sys/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test.h"

#define SIZE 17

static int pipes[2];
static char memory[SIZE];
static struct lines lines;
static struct str line;

static int
make_pipe(void **state)
{
	(void)state;
	if (pipe(pipes) != 0)
		return -1;
	lines_init(&lines, pipes[0], memory, sizeof(memory));
	return 0;
}

static void
put(const char *bytes, size_t len)
{
	assert_int_equal(write(pipes[1], bytes, len), len);
}

static void
end(void)
{
	(void)close(pipes[1]);
}

/* The next step that is more than a read that brought something. */
static enum lines_step
next(void)
{
	enum lines_step step;

	while ((step = lines_next(&lines, &line)) == LINES_MORE) {
		step = lines_read(&lines);
		if (step != LINES_LINE)
			break;
	}
	return step;
}

static void
assert_line(const char *expected)
{
	assert_int_equal(next(), LINES_LINE);
	assert_int_equal(line.len, strlen(expected));
	assert_memory_equal(line.ptr, expected, line.len);
}

TEST_AFTER(make_pipe, lines_cut_at_each_byte_are_whole)
{
	static const char TEXT[] = "first\n\nthird \0x\nlast";

	for (size_t i = 0; i < sizeof(TEXT) - 1; i++) {
		put(&TEXT[i], 1);
		if (TEXT[i] != '\n') {
			assert_int_equal(next(), LINES_MORE);
			continue;
		}
		assert_int_equal(next(), LINES_LINE);
		assert_memory_equal(line.ptr, &TEXT[i] - line.len, line.len);
		assert_true(line.len == 5 || line.len == 0 || line.len == 8);
	}
	end();
	assert_line("last");
	assert_int_equal(next(), LINES_END);
	assert_int_equal(next(), LINES_END);
	assert_int_equal(lines.passed, sizeof(TEXT) - 1);
}

TEST_AFTER(make_pipe, several_lines_come_of_one_read)
{
	put("a\nbb\nccc\n", 9);
	assert_line("a");
	assert_line("bb");
	assert_int_equal(lines_next(&lines, &line), LINES_LINE);
	end();
	assert_int_equal(next(), LINES_END);
}

TEST_AFTER(make_pipe, the_longest_line_fits_with_and_without_its_end)
{
	put("0123456789abcdef\n0123456789ABCDEF", 33);
	assert_line("0123456789abcdef");
	end();
	assert_line("0123456789ABCDEF");
	assert_int_equal(next(), LINES_END);
}

TEST_AFTER(make_pipe, a_longer_line_is_skipped_to_its_end)
{
	for (int i = 0; i < 10; i++)
		put("0123456789", 10);
	assert_int_equal(next(), LINES_TOO_LONG);
	assert_int_equal(line.len, 0);
	assert_int_equal(next(), LINES_MORE);
	put("tail\nnext\n", 10);
	assert_line("next");
	put("0123456789abcdef+", 17);
	end();
	assert_int_equal(next(), LINES_TOO_LONG);
	assert_int_equal(next(), LINES_END);
}

TEST_AFTER(make_pipe, what_was_passed_is_wiped)
{
	put("secret\nhidden\nx", 15);
	assert_line("secret");
	assert_line("hidden");
	for (size_t i = 0; i < sizeof("secret"); i++)
		assert_int_equal(memory[i], 0);
	assert_int_equal(next(), LINES_MORE);
	for (size_t i = 1; i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0);
	lines_wipe(&lines);
	assert_int_equal(memory[0], 0);
	end();
}

TEST_AFTER(make_pipe, nothing_to_read_does_not_block)
{
	assert_int_equal(lines_next(&lines, &line), LINES_MORE);
	assert_int_equal(lines_read(&lines), LINES_MORE);
	assert_int_equal(fcntl(pipes[0], F_GETFL) & O_NONBLOCK, 0);
	end();
}

TEST_AFTER(make_pipe, a_failed_read_says_why)
{
	int folder = open("/", O_RDONLY | O_DIRECTORY);

	lines_init(&lines, folder, memory, sizeof(memory));
	assert_int_equal(next(), LINES_FAILED);
	assert_int_equal(errno, EISDIR);
	(void)close(folder);
	end();
}
