#include "sys/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/redact.h"

/* Of a help text and its default, to stay within 80 columns. */
#define HELP_TEXT_MAX 60
#define HELP_COLUMN 34

const char *
opt_variable(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* A switch takes the words that people use for it, and no others. */
static enum code
set_switch(const struct opt *opt, const char *value, const char *origin,
	   struct status *st)
{
	static const char *const on[] = { "true", "1", "yes" };
	static const char *const off[] = { "false", "0", "no" };
	struct str text = str_from(value);

	for (size_t i = 0; i < OPT_COUNT(on); i++) {
		if (str_eq_nocase(text, str_from(on[i]))) {
			*opt->value = "true";
			return CODE_OK;
		}
		if (str_eq_nocase(text, str_from(off[i]))) {
			*opt->value = NULL;
			return CODE_OK;
		}
	}
	return status_set(st, CODE_INVALID_ARGUMENT, "%s must be true or false",
			  origin);
}

static enum code
read_variables(const struct opt_table *table, struct status *st)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct opt *opt = &table->opt[i];
		const char *value;

		if (opt->variable == NULL)
			continue;
		value = opt_variable(opt->variable);
		if (value == NULL)
			continue;
		if (opt->argument != NULL)
			*opt->value = value;
		else if (set_switch(opt, value, opt->variable, st) != CODE_OK)
			return st->code;
	}
	return CODE_OK;
}

static const struct opt *
find(const struct opt_table *const *table, struct str name)
{
	for (; *table != NULL; table++)
		for (size_t i = 0; i < (*table)->count; i++) {
			const struct opt *opt = &(*table)->opt[i];

			if (opt->flag != NULL &&
			    str_eq(name, str_from(opt->flag)))
				return opt;
		}
	return NULL;
}

/* Whether an argument before `argv[end]` gave the same flag. */
static bool
given_before(char **argv, int end, struct str name)
{
	for (int i = 0; i < end; i++) {
		struct str arg = str_from(argv[i]);
		struct str rest;

		if (!str_starts(arg, STR("--")))
			continue;
		rest = str_skip(arg, 2);
		rest.len = str_find(rest, '=');
		if (str_eq(rest, name))
			return true;
	}
	return false;
}

/* One "--name", "--name=value" or "--name value"; `*at` is its index. */
static enum code
parse_flag(const struct opt_table *const *table, int argc, char **argv, int *at,
	   struct status *st)
{
	struct str name = str_skip(str_from(argv[*at]), 2);
	size_t equals = str_find(name, '=');
	const char *value = equals < name.len ? name.ptr + equals + 1 : NULL;
	const struct opt *opt;

	name.len = equals;
	opt = find(table, name);
	if (opt == NULL)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "unknown option --%.*s", (int)name.len,
				  name.ptr);
	if (given_before(argv, *at, name))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "--%s is given twice", opt->flag);
	if (opt->argument == NULL)
		return set_switch(opt, value == NULL ? "true" : value,
				  argv[*at], st);
	if (value == NULL && *at + 1 < argc)
		value = argv[++*at];
	if (value == NULL || value[0] == '\0')
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "--%s needs an argument: %s", opt->flag,
				  opt->argument);
	*opt->value = value;
	return CODE_OK;
}

/* Operands are collected as far as there is room for them. */
struct operands {
	const char **text;
	size_t room;
	size_t count;
};

static enum code
take_operand(struct operands *operands, const char *arg, struct status *st)
{
	if (operands->count == operands->room)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "unexpected argument: %s",
				  redact_argument(arg));
	operands->text[operands->count++] = arg;
	return CODE_OK;
}

static bool
asks_for_help(struct str arg)
{
	return str_eq(arg, STR("--help")) || str_eq(arg, STR("-h"));
}

enum code
opt_parse(const struct opt_table *const *table, int argc, char **argv,
	  const char **operand, size_t *operand_count, bool *help,
	  struct status *st)
{
	struct operands operands = { operand, *operand_count, 0 };
	bool flags = true; /* until "--" */

	*help = false;
	*operand_count = 0;
	for (size_t t = 0; table[t] != NULL && st->code == CODE_OK; t++)
		(void)read_variables(table[t], st);
	for (int i = 0; i < argc && st->code == CODE_OK && !*help; i++) {
		struct str arg = str_from(argv[i]);

		/* A lone "-" is an operand: standard input. */
		if (!flags || arg.len < 2 || arg.ptr[0] != '-')
			(void)take_operand(&operands, argv[i], st);
		else if (str_eq(arg, STR("--")))
			flags = false;
		else if (asks_for_help(arg))
			*help = true;
		else if (str_starts(arg, STR("--")))
			(void)parse_flag(table, argc, argv, &i, st);
		else
			(void)status_set(st, CODE_INVALID_ARGUMENT,
					 "unknown option %s", argv[i]);
	}
	*operand_count = operands.count;
	return st->code;
}

static void
help_line(const struct opt *opt, struct buf *out)
{
	size_t start = out->len;

	buf_put_cstr(out, "  ");
	if (opt->flag != NULL) {
		buf_put_cstr(out, "--");
		buf_put_cstr(out, opt->flag);
		if (opt->argument != NULL) {
			buf_put_char(out, ' ');
			buf_put_cstr(out, opt->argument);
		}
	} else {
		buf_put_cstr(out, "(variable only)");
	}
	if (opt->variable != NULL) {
		do
			buf_put_char(out, ' ');
		while (!out->overflow && out->len - start < HELP_COLUMN);
		buf_put_cstr(out, opt->variable);
	}
	buf_put_cstr(out, "\n        ");
	buf_put_cstr(out, opt->help);
	if (opt->fallback != NULL) {
		bool fits = strlen(opt->help) + strlen(opt->fallback) <
			    HELP_TEXT_MAX;

		buf_put_cstr(out,
			     fits ? " (default: " : "\n        (default: ");
		buf_put_cstr(out, opt->fallback);
		buf_put_char(out, ')');
	}
	buf_put_char(out, '\n');
}

void
opt_help(const struct opt_table *const *table, struct buf *out)
{
	for (; *table != NULL; table++) {
		buf_put_cstr(out, "\n");
		buf_put_cstr(out, (*table)->title);
		buf_put_cstr(out, ":\n");
		for (size_t i = 0; i < (*table)->count; i++)
			help_line(&(*table)->opt[i], out);
	}
}

void
opt_wipe(const struct opt_table *const *table)
{
	for (; *table != NULL; table++)
		for (size_t i = 0; i < (*table)->count; i++) {
			const struct opt *opt = &(*table)->opt[i];

			if (opt->kind != OPT_SECRET || *opt->value == NULL)
				continue;
			wipe((char *)(uintptr_t)*opt->value,
			     str_from(*opt->value).len);
			*opt->value = NULL;
		}
}
