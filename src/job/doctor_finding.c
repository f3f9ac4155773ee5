#include "job/doctor_finding.h"

#include <stdarg.h>
#include <string.h>

#include "base/format.h"
#include "sys/wait.h"

void
doctor_record(struct doctor *d, enum doctor_step step,
	      enum doctor_verdict verdict, enum exit_status exit,
	      const char *format, ...)
{
	struct doctor_finding *finding = &d->finding[step];
	va_list args;

	finding->verdict = verdict;
	finding->exit = exit;
	va_start(args, format);
	(void)format_args(finding->message, sizeof(finding->message), format,
			  args);
	va_end(args);
}

void
doctor_fail(struct doctor *d, enum doctor_step step, const struct status *st)
{
	enum exit_status exit = code_exit_status(st->code);

	if (status_interrupted(st))
		exit = (enum exit_status)(128 + wait_signal());
	doctor_record(d, step, DOCTOR_FAILED, exit, "%s", st->message);
	if (st->hint[0] != '\0')
		doctor_hint(d, step, "%s", st->hint);
}

void
doctor_hint(struct doctor *d, enum doctor_step step, const char *format, ...)
{
	char *hint = d->finding[step].hint;
	size_t used = strlen(hint);
	va_list args;

	if (used > 0 && used < DOCTOR_HINT_MAX - 1)
		hint[used++] = '\n';
	va_start(args, format);
	(void)format_args(hint + used, DOCTOR_HINT_MAX - used, format, args);
	va_end(args);
}
