#include "job/journal.h"

#include <errno.h>
#include <string.h>

#include "base/codec.h"
#include "base/redact.h"
#include "gcp/secretmanager.h"
#include "job/shard.h"
#include "net/sha256.h"
#include "sys/file_guard.h"
#include "sys/lines.h"

/* The names of a secret and of a version, and what stands around them. */
#define LINE_SIZE (TASK_NAME_SIZE + VERSION_NAME_SIZE + 128)

#define BEFORE_SECRET "{\"secret\":\""
#define BEFORE_SHA256 "\",\"sha256\":\""
#define BEFORE_VERSION "\",\"version\":\""
#define AFTER_VERSION "\"}"

static const char *path_given;

static const struct opt OPTIONS[] = {
	{ "--journal", "JOURNAL_FILE", "PATH",
	  "file of what was verified, which a list's next run skips",
	  &path_given, OPT_OUTPUT },
};

const struct opt_table JOURNAL_OPTIONS = { "Journal", OPTIONS,
					   OPT_COUNT(OPTIONS) };

const char *
journal_path(void)
{
	return path_given;
}

void
journal_ignore(void)
{
	path_given = NULL;
}

/* The row of a secret, or the free one where it belongs. */
static size_t
find(const struct journal_row *row, uint64_t secret)
{
	/* The low bits choose the shard. */
	size_t at = (size_t)(secret >> 48);

	while (row[at].secret != secret &&
	       (row[at].secret | row[at].payload) != 0)
		at = (at + 1) % JOURNAL_ROWS;
	return at;
}

static enum code
put(struct journal *journal, uint64_t secret, uint64_t payload,
    struct status *st)
{
	struct journal_row *row = &journal->row[find(journal->row, secret)];

	if (row->secret != secret && journal->count == JOURNAL_SECRETS_MAX)
		return status_set(st, CODE_OUT_OF_RANGE,
				  "%s: %s has more than %d secrets",
				  journal->file.what,
				  redact_argument(journal->file.path),
				  JOURNAL_SECRETS_MAX);
	journal->count += row->secret != secret;
	row->secret = secret;
	row->payload = payload;
	return CODE_OK;
}

/* Takes what stands before `end` off the front, and `end`. */
static bool
take(struct str *rest, struct str end, struct str *part)
{
	part->ptr = rest->ptr;
	part->len = str_find(*rest, '"');
	*rest = str_skip(*rest, part->len);
	if (!str_starts(*rest, end))
		return false;
	*rest = str_skip(*rest, end.len);
	return true;
}

static bool
read_hex(struct str text, unsigned char digest[static SHA256_SIZE])
{
	if (text.len != 2 * SHA256_SIZE || !str_only(text, "0-9a-f"))
		return false;
	for (size_t i = 0; i < SHA256_SIZE; i++)
		digest[i] = (unsigned char)(hex_value(text.ptr[2 * i]) << 4 |
					    hex_value(text.ptr[2 * i + 1]));
	return true;
}

/* As put_line() writes it, byte for byte. */
static bool
read_line(struct str line, uint64_t *secret, uint64_t *payload)
{
	unsigned char digest[SHA256_SIZE];
	struct str name, hex, version;

	if (!str_starts(line, STR(BEFORE_SECRET)))
		return false;
	line = str_skip(line, sizeof(BEFORE_SECRET) - 1);
	if (!take(&line, STR(BEFORE_SHA256), &name) ||
	    !take(&line, STR(BEFORE_VERSION), &hex) ||
	    !take(&line, STR(AFTER_VERSION), &version) || line.len > 0 ||
	    !str_only(name, JOURNAL_NAME) || !str_only(version, JOURNAL_NAME) ||
	    !read_hex(hex, digest))
		return false;
	*payload = sha256_start(digest);
	sha256(name, digest);
	*secret = sha256_start(digest);
	return true;
}

/*
 * Whether it is the start of a line, or a block that the volume had not written
 * yet: only that is cut off, whatever file was named by mistake.
 */
static bool
is_torn(struct str rest)
{
	struct str start = STR(BEFORE_SECRET "projects/");

	if (rest.len > 0 && rest.ptr[0] == '\0')
		return true;
	if (start.len > rest.len)
		start.len = rest.len;
	return str_starts(rest, start);
}

/* A regular file is always ready. */
static enum lines_step
next_line(struct lines *lines, struct str *line)
{
	enum lines_step step;

	while ((step = lines_next(lines, line)) == LINES_MORE)
		if (lines_read(lines) == LINES_FAILED)
			return LINES_FAILED;
	return step;
}

static enum code
read_all(struct journal *journal, struct status *st)
{
	char memory[LINE_SIZE];
	struct append *file = &journal->file;
	struct lines lines;
	struct str line;
	enum lines_step step;
	uint64_t at = 0, secret, payload;
	size_t number = 0;

	lines_init(&lines, file->fd, memory, sizeof(memory));
	while ((step = next_line(&lines, &line)) == LINES_LINE) {
		if (at + line.len == file->size && is_torn(line))
			return append_cut(file, at, st);
		number++;
		if (!read_line(line, &secret, &payload))
			break;
		if (put(journal, secret, payload, st) != CODE_OK)
			return st->code;
		at += line.len + 1;
	}
	if (step == LINES_END)
		return CODE_OK;
	if (step == LINES_FAILED)
		return status_set(st, CODE_UNAVAILABLE,
				  "%s: cannot read %s: %s", file->what,
				  redact_argument(file->path), strerror(errno));
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s: line %zu of %s is none of a journal", file->what,
			  number + (step != LINES_LINE),
			  redact_argument(file->path));
}

enum code
journal_open(struct journal *journal, const char *path, struct status *st)
{
	const char *what = opt_origin("JOURNAL_FILE");

	if (path == NULL ||
	    file_guard_end(FILE_JOURNAL, what, path, st) != CODE_OK ||
	    append_open(&journal->file, path, what, st) != CODE_OK)
		return st->code;
	journal->is_open = true;
	if (read_all(journal, st) != CODE_OK)
		journal_close(journal);
	return st->code;
}

bool
journal_has(const struct journal *journal, const struct task *task)
{
	const struct journal_row *row =
		&journal->row[find(journal->row, task->hash)];

	return row->secret == task->hash &&
	       row->payload == sha256_start(task->digest);
}

enum code
journal_add(struct journal *journal, const struct task *task,
	    const char *version, struct status *st)
{
	static const char HEX[] = "0123456789abcdef";
	char name[TASK_NAME_SIZE], memory[LINE_SIZE];
	struct buf line;

	if (!journal->is_open)
		return CODE_OK;
	task_name(task, name);
	buf_init(&line, memory, sizeof(memory));
	buf_put_cstr(&line, BEFORE_SECRET);
	buf_put_cstr(&line, name);
	buf_put_cstr(&line, BEFORE_SHA256);
	for (size_t i = 0; i < sizeof(task->digest); i++) {
		buf_put_char(&line, HEX[task->digest[i] >> 4]);
		buf_put_char(&line, HEX[task->digest[i] & 15]);
	}
	buf_put_cstr(&line, BEFORE_VERSION);
	buf_put_cstr(&line, version);
	buf_put_cstr(&line, AFTER_VERSION "\n");
	if (put(journal, task->hash, sha256_start(task->digest), st) != CODE_OK)
		return st->code;
	return append_line(&journal->file, buf_view(&line), st);
}

void
journal_close(struct journal *journal)
{
	if (journal->is_open)
		append_close(&journal->file);
	journal->is_open = false;
}
