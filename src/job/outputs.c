#include "job/outputs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/redact.h"
#include "gcp/adc.h"
#include "job/options.h"
#include "job/tasks_options.h"
#include "sys/file_probe.h"

static const char RESULT[] = "RESULTS_PATH";
static const char TERMINATION[] = "TERMINATION_LOG_PATH";
static const char PULL_SECRET_FILE[] = "PULL_SECRET_FILE";

/* Files that nothing may be written to: the inputs first, then outputs. */
struct others {
	size_t inputs, all;
	struct other_file file[16];
	char gcloud_file[ADC_PATH_SIZE];
};

#define OUTPUTS 3

static void
add_input(struct others *others, const char *what, const char *path)
{
	if (path != NULL &&
	    others->inputs + OUTPUTS <
		    sizeof(others->file) / sizeof(others->file[0]))
		others->file[others->inputs++] =
			(struct other_file){ what, path, -1 };
}

/*
 * The files that a job's options say it reads, or writes, and its other
 * outputs.
 */
static void
list_others(struct others *others, const struct opt_table *const *options)
{
	struct other_file *outputs;

	others->inputs = 0;
	if (options_gcloud_file(others->gcloud_file))
		add_input(others, "gcloud's credentials", others->gcloud_file);
	for (size_t t = 0; options[t] != NULL; t++)
		for (size_t i = 0; i < options[t]->count; i++) {
			const struct opt *opt = &options[t]->opt[i];

			if ((opt->kind & (OPT_INPUT | OPT_OUTPUT)) != 0)
				add_input(others, opt_origin(opt->variable),
					  *opt->value);
		}
	/* No less precious to a job that does not read it. */
	add_input(others, PULL_SECRET_FILE, opt_variable(PULL_SECRET_FILE));
	outputs = &others->file[others->inputs];
	outputs[0] =
		(struct other_file){ TERMINATION,
				     options_of_run()->termination_log, -1 };
	outputs[1] =
		(struct other_file){ "standard output", NULL, STDOUT_FILENO };
	outputs[2] =
		(struct other_file){ "standard error", NULL, STDERR_FILENO };
	others->all = others->inputs + OUTPUTS;
}

/* A file that an option names is none of the others, and none is it. */
static enum code
check_output(const struct others *others, const struct opt *opt,
	     struct status *st)
{
	const char *path = *opt->value, *what = opt_origin(opt->variable);

	for (size_t i = 0; i < others->all; i++)
		if ((others->file[i].path != path) &&
		    report_check_others(path, what, &others->file[i], 1, st) !=
			    CODE_OK)
			break;
	return st->code;
}

static bool
is_failed_list(const struct opt *opt)
{
	return strcmp(opt->variable, "FAILED_FILE") == 0;
}

/* To go on with the tasks that failed. */
static void
hint_at_list(const struct opt *opt, struct status *st)
{
	if (is_failed_list(opt) && file_same(*opt->value, tasks_path()))
		status_hint(st, "mv it first, then name the new file with "
				"--tasks");
}

static enum code
check_outputs(const struct others *others,
	      const struct opt_table *const *options, struct status *st)
{
	for (size_t t = 0; options[t] != NULL && tasks_given(); t++)
		for (size_t i = 0; i < options[t]->count; i++) {
			const struct opt *opt = &options[t]->opt[i];

			if ((opt->kind & OPT_OUTPUT) == 0 ||
			    *opt->value == NULL)
				continue;
			if (check_output(others, opt, st) != CODE_OK) {
				hint_at_list(opt, st);
				return st->code;
			}
			file_guard(is_failed_list(opt) ? FILE_FAILED
						       : FILE_JOURNAL,
				   *opt->value);
		}
	return st->code;
}

enum code
outputs_prepare(struct report *report, const struct opt_table *const *options,
		struct status *st)
{
	const struct run_options *given = options_of_run();
	struct status second = { .code = CODE_OK }, third = second;
	struct others others;

	list_others(&others, options);
	(void)report_init(report, given->results_path, others.file, others.all,
			  st);
	/* The termination log may be standard output or error, too. */
	(void)report_init_termination_log(report, given->termination_log,
					  others.file, others.inputs, &second);
	(void)check_outputs(&others, options, &third);
	if (st->code == CODE_OK)
		*st = second;
	if (st->code == CODE_OK)
		*st = third;
	return st->code;
}

static enum code
probe_result(const struct output *output, struct status *st)
{
	struct file_target target;

	if (file_target_open(&target, output->path, output->option, st) !=
	    CODE_OK) {
		st->code = CODE_INVALID_ARGUMENT;
		return st->code;
	}
	if (!file_probe_room(target.folder, RESULT_FILE_MAX))
		(void)status_set(st, CODE_UNAVAILABLE, "%s: no room at %s",
				 output->option, redact_argument(output->path));
	file_target_close(&target);
	return st->code;
}

/* Of the job's other outputs, the termination log only: this is no job. */
enum code
outputs_probe(enum file_output which, const struct opt_table *const *options,
	      struct output *output, struct status *st)
{
	const struct run_options *given = options_of_run();
	bool result = which == FILE_RESULT;
	const char *path =
		result ? given->results_path : given->termination_log;
	struct others others;

	output->option = opt_origin(result ? RESULT : TERMINATION);
	output->usual = result ? RESULTS_FOLDER : TERMINATION_LOG;
	output->path = path;
	output->given = path != NULL;
	if (path == NULL && access(output->usual, F_OK) != 0)
		return CODE_OK;
	if (path == NULL)
		output->path = result ? RESULTS_FILE : TERMINATION_LOG;
	list_others(&others, options);
	if (report_check_others(output->path, output->option, others.file,
				others.inputs + result, st) != CODE_OK)
		return st->code;
	file_guard(which, output->path);
	if (result)
		return probe_result(output, st);
	return file_probe_writable(output->path)
		       ? CODE_OK
		       : report_refuse_termination_log(output->path, errno, st);
}
