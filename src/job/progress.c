#include "job/progress.h"

#include <string.h>
#include <unistd.h>

#include "base/format.h"

/* Columns of a terminal, but the last one, after which some begin a line. */
#define COLUMNS 79

#define LINE_MS 200
#define LOG_MS 10000

void
progress_start(struct progress *progress, struct report *report, int64_t now_ms)
{
	*progress = (struct progress){
		.report = report,
		.terminal = !report->log.quiet && isatty(STDERR_FILENO) == 1,
		.since.at_ms = now_ms,
		.later.at_ms = now_ms,
	};
	progress->next_ms = now_ms + (progress->terminal ? LINE_MS : LOG_MS);
}

/* Not worth a wait, nor a failure. */
static void
show(struct str text)
{
	struct status unused = { .code = CODE_OK };

	(void)file_write_all(STDERR_FILENO, text, deadline_in(0), &unused);
}

/* Over the line that stands there, with spaces over its end. */
static void
rewrite(struct progress *progress, const char *text)
{
	char memory[2 * COLUMNS + 4];
	struct buf line;
	size_t len = strlen(text);

	buf_init(&line, memory, sizeof(memory));
	buf_put_char(&line, '\r');
	buf_put_padded(&line, text, progress->shown);
	if (len == 0)
		buf_put_char(&line, '\r');
	progress->shown = len;
	show(buf_view(&line));
}

void
progress_clear(struct progress *progress)
{
	if (progress->shown > 0)
		rewrite(progress, "");
}

static void
put_left(char *out, size_t size, uint64_t seconds)
{
	unsigned long long minutes = seconds / 60;

	if (minutes == 0)
		(void)format_text(out, size, ", %llu s left",
				  (unsigned long long)seconds);
	else if (minutes < 60)
		(void)format_text(out, size, ", %llu min left", minutes);
	else
		(void)format_text(out, size, ", %llu h %llu min left",
				  minutes / 60, minutes % 60);
}

/* What the pace says is meaningless within the first second. */
static void
put_pace(const struct progress *progress, const struct progress_point *now,
	 uint64_t size, char *out, size_t out_size)
{
	const struct progress_point *since = &progress->since;
	uint64_t ms = (uint64_t)(now->at_ms - since->at_ms), tenths;
	size_t used;

	out[0] = '\0';
	if (ms < 1000)
		return;
	tenths = (now->done - since->done) * 10000 / ms;
	(void)format_text(out, out_size, ", %llu.%llu/s",
			  (unsigned long long)tenths / 10,
			  (unsigned long long)tenths % 10);
	used = strlen(out);
	if (now->bytes > since->bytes && size > now->bytes)
		put_left(out + used, out_size - used,
			 (size - now->bytes) * ms /
				 (now->bytes - since->bytes) / 1000);
}

static void
log_counts(struct progress *progress, const struct task_counts *counts)
{
	char message[128];
	const struct log_line line = { .level = LOG_INFO,
				       .operation = "progress",
				       .message = message,
				       .counts = counts };

	counts_message(counts, "so far", message, sizeof(message));
	report_log(progress->report, &line);
}

void
progress_step(struct progress *progress, const struct task_counts *counts,
	      uint64_t bytes, uint64_t size, int64_t now_ms)
{
	const struct progress_point now = { now_ms,
					    counts->succeeded + counts->failed,
					    bytes };
	char text[COLUMNS + 1], pace[64];

	if (now_ms < progress->next_ms)
		return;
	progress->next_ms = now_ms + (progress->terminal ? LINE_MS : LOG_MS);
	if (!progress->terminal) {
		log_counts(progress, counts);
		return;
	}
	put_pace(progress, &now, size, pace, sizeof(pace));
	(void)format_text(text, sizeof(text), "%llu done, %llu failed%s",
			  (unsigned long long)counts->succeeded,
			  (unsigned long long)counts->failed, pace);
	rewrite(progress, text);
	if (now_ms - progress->later.at_ms >= LOG_MS) {
		progress->since = progress->later;
		progress->later = now;
	}
}

int64_t
progress_wait(const struct progress *progress, int64_t now_ms)
{
	return progress->next_ms > now_ms ? progress->next_ms - now_ms : 0;
}
