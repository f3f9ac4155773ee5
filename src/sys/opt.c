#include "sys/opt.h"

#include <stdlib.h>
#include <string.h>

#include "base/format.h"
#include "base/redact.h"
#include "base/suggest.h"
#include "sys/clock.h"

#define HELP_WIDTH 79
#define HELP_TEXT_COLUMN 8
#define HELP_VARIABLE_COLUMN 34
/* Of a value in a message. */
#define VALUE_SHOWN 100

/* The tables in force. */
static struct {
	const struct opt_table *const *table;
	bool flags[OPT_ROWS_MAX]; /* of each row: whether its flag was given */
} parsed;

/* The row number `i`, from 0, of all tables in force; NULL: the end. */
static const struct opt *
row(size_t i)
{
	const struct opt_table *const *table = parsed.table;

	if (i >= OPT_ROWS_MAX)
		return NULL; /* no table has so many, which is tested */
	for (; table != NULL && *table != NULL; i -= (*table)->count, table++)
		if (i < (*table)->count)
			return &(*table)->opt[i];
	return NULL;
}

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
	return status_set(st, CODE_INVALID_ARGUMENT,
			  "%s=%s must be true or false", origin,
			  redact_argument(value));
}

/* All of them, also after an error: some say what must not be overwritten. */
static void
read_variables(struct status *st)
{
	const struct opt *opt;

	for (size_t i = 0; (opt = row(i)) != NULL; i++) {
		const char *value;

		if (opt->variable == NULL || *opt->value != NULL)
			continue;
		value = opt_variable(opt->variable);
		if (value == NULL)
			continue;
		if (opt->argument != NULL)
			*opt->value = value;
		else
			(void)set_switch(opt, value, opt->variable, st);
	}
}

/* People write flags as they know them: from variables, from other tools. */
static enum code
refuse_flag(struct str arg, struct status *st)
{
	struct suggestion near = { .word = arg };
	const struct opt *opt;

	if (st->code != CODE_OK)
		return st->code; /* the hint would be none of that error's */
	for (size_t i = 0; (opt = row(i)) != NULL; i++) {
		const char *shown =
			opt->flag != NULL ? opt->flag : opt->variable;

		suggest_try(&near, shown, shown);
		if (opt->variable != NULL)
			suggest_try(&near, opt->variable, shown);
	}
	suggest_hint(&near, st);
	return status_set(st, CODE_INVALID_ARGUMENT, "unknown option %.*s",
			  (int)arg.len, arg.ptr);
}

/* One "--name", "--name=value" or "--name value"; `*at` is its index. */
static enum code
parse_flag(int argc, char **argv, int *at, struct status *st)
{
	struct str name = str_from(argv[*at]);
	size_t equals = str_find(name, '=');
	const char *value = equals < name.len ? name.ptr + equals + 1 : NULL;
	const struct opt *opt;
	size_t i = 0;

	name.len = equals;
	while ((opt = row(i)) != NULL &&
	       (opt->flag == NULL || !str_eq(name, str_from(opt->flag))))
		i++;
	if (opt == NULL)
		return refuse_flag(name, st);
	if (parsed.flags[i])
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s is given twice", opt->flag);
	parsed.flags[i] = true;
	if (opt->argument == NULL)
		return set_switch(opt, value == NULL ? "true" : value,
				  opt->flag, st);
	if (value == NULL && *at + 1 < argc)
		value = argv[++*at];
	if (value == NULL || (value[0] == '\0' && (opt->kind & OPT_NONE) == 0))
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s needs an argument: %s", opt->flag,
				  opt->argument);
	*opt->value = value[0] == '\0' ? NULL : value;
	return CODE_OK;
}

/* Operands are collected as far as there is room for them. */
struct operands {
	const char **text;
	size_t room;
	size_t count;
	const char *excess; /* the first one that has no room */
};

static void
take_operand(struct operands *operands, const char *arg)
{
	if (operands->count < operands->room)
		operands->text[operands->count++] = arg;
	else if (operands->excess == NULL)
		operands->excess = arg;
}

bool
opt_asks_for_help(const char *arg)
{
	return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

enum code
opt_parse(const struct opt_table *const *table, int argc, char **argv,
	  const char **operand, size_t *operand_count, bool *help,
	  struct status *st)
{
	struct operands operands = { operand, *operand_count, 0, NULL };
	bool flags = true; /* until "--" */

	*help = false;
	*operand_count = 0;
	parsed.table = table;
	memset(parsed.flags, 0, sizeof(parsed.flags));
	read_variables(st);
	for (int i = 0; i < argc && !*help; i++) {
		struct str arg = str_from(argv[i]);

		/* A lone "-" is an operand: standard input. */
		if (!flags || arg.len < 2 || arg.ptr[0] != '-')
			take_operand(&operands, argv[i]);
		else if (str_eq(arg, STR("--")))
			flags = false;
		else if (opt_asks_for_help(argv[i]))
			*help = true;
		else if (str_starts(arg, STR("--")))
			(void)parse_flag(argc, argv, &i, st);
		else
			(void)refuse_flag(arg, st);
	}
	*operand_count = operands.count;
	if (*help)
		status_clear(st);
	else if (operands.excess != NULL)
		(void)status_set(st, CODE_INVALID_ARGUMENT,
				 "unexpected argument: %s",
				 redact_argument(operands.excess));
	return st->code;
}

/* The row of a variable, and the name that its value really came with. */
static const struct opt *
find_variable(const char *variable, const char **origin)
{
	const struct opt *opt, *other;

	*origin = variable;
	for (size_t i = 0; (opt = row(i)) != NULL; i++) {
		if (opt->variable == NULL ||
		    strcmp(opt->variable, variable) != 0)
			continue;
		other = row(i + 1);
		if (parsed.flags[i])
			*origin = opt->flag;
		else if (other != NULL && other->help == NULL &&
			 opt_variable(variable) == NULL &&
			 opt_variable(other->variable) != NULL)
			*origin = other->variable;
		return opt;
	}
	return NULL;
}

const char *
opt_origin(const char *variable)
{
	const char *origin;

	(void)find_variable(variable, &origin);
	return origin;
}

bool
opt_is_flag(const char *variable)
{
	return opt_origin(variable)[0] == '-';
}

const char *
opt_given(const char *variable)
{
	static char text[64 + VALUE_SHOWN];
	const char *origin, *value;
	const struct opt *opt = find_variable(variable, &origin);
	struct str shown;

	if (opt == NULL || *opt->value == NULL ||
	    (opt->kind & (OPT_SECRET | OPT_HIDDEN)) != 0)
		return origin;
	value = redact_argument(*opt->value);
	shown = str_from(value);
	/* A URL may have a user and a password. */
	if (str_contains(shown, STR("://")) && str_find(shown, '@') < shown.len)
		return origin;
	(void)format_text(text, sizeof(text), "%s=%.*s%s", origin,
			  (int)(shown.len > VALUE_SHOWN ? VALUE_SHOWN - 3
							: shown.len),
			  value, shown.len > VALUE_SHOWN ? "..." : "");
	return text;
}

enum code
opt_duration(const char *variable, uint64_t least, uint64_t most,
	     uint64_t *seconds, struct status *st)
{
	const char *origin;
	const struct opt *opt = find_variable(variable, &origin);
	uint64_t given;

	if (opt == NULL || *opt->value == NULL)
		return CODE_OK;
	if (!clock_duration(str_from(*opt->value), &given) || given < least ||
	    given > most)
		return status_set(st, CODE_INVALID_ARGUMENT,
				  "%s must be from %lu to %lu seconds, or as "
				  "90s, 5m, 1h",
				  opt_given(variable), (unsigned long)least,
				  (unsigned long)most);
	*seconds = given;
	return CODE_OK;
}

static void
put_spaces(struct buf *out, size_t start, size_t column)
{
	do
		buf_put_char(out, ' ');
	while (!out->overflow && out->len - start < column);
}

/* The words of a text, on lines that start at HELP_TEXT_COLUMN. */
static void
put_words(struct buf *out, size_t *line, struct str rest)
{
	struct str word;

	while (str_split(&rest, ' ', &word)) {
		if (out->len - *line + word.len >= HELP_WIDTH) {
			buf_put_char(out, '\n');
			*line = out->len;
		}
		put_spaces(out, *line,
			   out->len == *line ? HELP_TEXT_COLUMN : 0);
		buf_put_str(out, word);
	}
}

/* `count` rows are left, `opt` is the first. */
static void
help_row(const struct opt *opt, size_t count, struct buf *out)
{
	struct str rest = str_from(opt->help), text;
	size_t line = out->len;

	buf_put_cstr(out, "  ");
	buf_put_cstr(out, opt->flag != NULL ? opt->flag : "(variable only)");
	if (opt->flag != NULL && opt->argument != NULL) {
		buf_put_char(out, ' ');
		buf_put_cstr(out, opt->argument);
	}
	for (size_t i = 0; i < count && (i == 0 || opt[i].help == NULL); i++) {
		if (opt[i].variable == NULL)
			continue;
		put_spaces(out, line, HELP_VARIABLE_COLUMN);
		buf_put_cstr(out, opt[i].variable);
		if (i + 1 < count && opt[i + 1].help == NULL) {
			buf_put_char(out, '\n');
			line = out->len;
		}
	}
	buf_put_char(out, '\n');
	line = out->len;
	(void)str_split(&rest, '|', &text);
	put_words(out, &line, text);
	if (rest.ptr != NULL) {
		put_words(out, &line, STR("(default:"));
		put_words(out, &line, rest);
		buf_put_char(out, ')');
	}
	buf_put_char(out, '\n');
}

void
opt_help(const struct opt_table *const *table, struct buf *out)
{
	for (; *table != NULL; table++) {
		const struct opt *opt = (*table)->opt;
		size_t count = (*table)->count;

		buf_put_cstr(out, "\n");
		buf_put_cstr(out, (*table)->title);
		buf_put_cstr(out, ":\n");
		for (size_t i = 0; i < count; i++)
			if (opt[i].help != NULL)
				help_row(&opt[i], count - i, out);
	}
}

void
opt_wipe(const struct opt_table *const *table)
{
	for (; *table != NULL; table++)
		for (size_t i = 0; i < (*table)->count; i++) {
			const struct opt *opt = &(*table)->opt[i];

			if ((opt->kind & OPT_SECRET) == 0 ||
			    *opt->value == NULL)
				continue;
			wipe((char *)(uintptr_t)*opt->value,
			     str_from(*opt->value).len);
			*opt->value = NULL;
		}
}
