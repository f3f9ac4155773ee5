/* Flags and variables, on a table of the test's own. */
#include "sys/opt.h"

#include "job/jobs.h"

#include "test.h"

static struct {
	const char *name;
	const char *secret;
	const char *loud;
	const char *list;
	const char *hidden;
	const char *time;
} values;

static const struct opt OPTS[] = {
	{ "--name", "TEST_NAME", "TEXT", "a text|none", &values.name,
	  OPT_PLAIN },
	{ NULL, "TEST_SECRET", "TEXT", "only a variable", &values.secret,
	  OPT_SECRET },
	{ "--loud", "TEST_LOUD", NULL, "a switch", &values.loud, OPT_PLAIN },
	{ "--list", "TEST_LIST", "LIST", "may be empty", &values.list,
	  OPT_NONE },
	{ NULL, "test_list", "LIST", NULL, &values.list, OPT_PLAIN },
	{ "--hidden", "TEST_HIDDEN", "TEXT", "with a password", &values.hidden,
	  OPT_HIDDEN },
	{ "--time", "TEST_TIME", "DURATION", "how long", &values.time,
	  OPT_PLAIN },
};

static const struct opt_table TABLE = { "Test", OPTS, OPT_COUNT(OPTS) };

static const struct opt_table *const TABLES[] = { &TABLE, NULL };
static const char *operands[2];
static size_t operand_count;
static bool help;
static struct status st;

static enum code
parse(size_t room, int argc, const char **argv)
{
	memset(&values, 0, sizeof(values));
	status_clear(&st);
	operand_count = room;
	return opt_parse(TABLES, argc, (char **)(uintptr_t)argv, operands,
			 &operand_count, &help, &st);
}

#define PARSE(room, ...) \
	parse(room, \
	      (int)(sizeof((const char *[]){ __VA_ARGS__ }) / \
		    sizeof(const char *)), \
	      (const char *[]){ __VA_ARGS__ })

static int
unset_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPT_COUNT(OPTS); i++)
		(void)unsetenv(OPTS[i].variable);
	return 0;
}

TEST_AFTER(unset_all, a_flag_takes_its_argument_both_ways)
{
	assert_int_equal(PARSE(0, "--name", "a"), CODE_OK);
	assert_string_equal(values.name, "a");
	assert_int_equal(PARSE(0, "--name=b=c"), CODE_OK);
	assert_string_equal(values.name, "b=c");
	/* an argument may look like a flag */
	assert_int_equal(PARSE(0, "--name", "--loud"), CODE_OK);
	assert_string_equal(values.name, "--loud");
	assert_null(values.loud);
}

TEST_AFTER(unset_all, a_flag_wins_over_its_variable)
{
	(void)setenv("TEST_NAME", "variable", 1);
	(void)setenv("TEST_SECRET", "s", 1);
	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	assert_string_equal(values.name, "variable");
	assert_string_equal(values.secret, "s");
	assert_int_equal(PARSE(0, "--name=flag"), CODE_OK);
	assert_string_equal(values.name, "flag");
}

TEST_AFTER(unset_all, an_empty_variable_counts_as_unset)
{
	(void)setenv("TEST_NAME", "", 1);
	(void)setenv("TEST_LOUD", "", 1);
	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	assert_null(values.name);
	assert_null(values.loud);
	assert_null(opt_variable("TEST_NAME"));
}

TEST_AFTER(unset_all, a_switch_takes_words_for_on_and_off)
{
	static const char *const on[] = { "true", "TRUE", "1", "yes" };
	static const char *const off[] = { "false", "False", "0", "no" };

	for (size_t i = 0; i < 4; i++) {
		(void)setenv("TEST_LOUD", on[i], 1);
		assert_int_equal(parse(0, 0, NULL), CODE_OK);
		assert_string_equal(values.loud, "true");
		(void)setenv("TEST_LOUD", off[i], 1);
		assert_int_equal(parse(0, 0, NULL), CODE_OK);
		assert_null(values.loud);
	}
	(void)setenv("TEST_LOUD", "maybe", 1);
	assert_int_equal(parse(0, 0, NULL), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "TEST_LOUD"));
	(void)setenv("TEST_LOUD", "true", 1);
	assert_int_equal(PARSE(0, "--loud=false"), CODE_OK);
	assert_null(values.loud);
	assert_int_equal(PARSE(0, "--loud"), CODE_OK);
	assert_non_null(values.loud);
}

TEST_AFTER(unset_all, what_is_wrong_is_named)
{
	assert_int_equal(PARSE(0, "--nmae", "x"), CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "unknown option --nmae");
	assert_string_equal(st.hint, "did you mean --name?");
	assert_int_equal(PARSE(0, "-n"), CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "unknown option -n");
	assert_int_equal(PARSE(0, "--name", "a", "--name=b"),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "--name is given twice");
	assert_int_equal(PARSE(0, "--loud", "--loud"), CODE_INVALID_ARGUMENT);
	assert_int_equal(PARSE(0, "--name"), CODE_INVALID_ARGUMENT);
	assert_non_null(strstr(st.message, "needs an argument"));
	assert_int_equal(PARSE(0, "--name="), CODE_INVALID_ARGUMENT);
	assert_int_equal(PARSE(1, "one", "two"), CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "unexpected argument: two");
	/* a secret has no flag */
	assert_int_equal(PARSE(0, "--TEST_SECRET=x"), CODE_INVALID_ARGUMENT);
}

TEST_AFTER(unset_all, the_first_error_counts_and_the_rest_is_filled_in)
{
	(void)setenv("TEST_LOUD", "maybe", 1);
	(void)setenv("TEST_TIME", "5m", 1);
	assert_int_equal(PARSE(0, "--nmae", "x", "--name", "a"),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "TEST_LOUD=maybe must be true or "
					"false");
	assert_string_equal(st.hint, "");
	assert_string_equal(values.time, "5m");
	assert_string_equal(values.name, "a");
}

TEST_AFTER(unset_all, operands_and_the_end_of_flags)
{
	assert_int_equal(PARSE(2, "-", "--loud"), CODE_OK);
	assert_int_equal(operand_count, 1);
	assert_string_equal(operands[0], "-");
	assert_int_equal(PARSE(2, "a", "--", "--loud"), CODE_OK);
	assert_int_equal(operand_count, 2);
	assert_string_equal(operands[1], "--loud");
	assert_null(values.loud);
}

TEST_AFTER(unset_all, help_ends_the_parsing)
{
	assert_int_equal(PARSE(0, "--help", "--nonsense"), CODE_OK);
	assert_true(help);
	assert_int_equal(PARSE(0, "-h"), CODE_OK);
	assert_true(help);
	/* as of the usual tools, operands or not */
	assert_int_equal(PARSE(0, "operand", "--help"), CODE_OK);
	assert_true(help);
	assert_int_equal(PARSE(0, "--nonsense", "--help"), CODE_OK);
	assert_true(help);
	assert_string_equal(st.message, "");
	assert_int_equal(PARSE(0, "--loud"), CODE_OK);
	assert_false(help);
}

TEST_AFTER(unset_all, a_secret_is_overwritten_where_it_stands)
{
	char name[] = "a name", secret[] = "hunter2";

	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	values.name = name;
	values.secret = secret;
	opt_wipe(TABLES);
	assert_null(values.secret);
	assert_memory_equal(secret, "\0\0\0\0\0\0\0", sizeof(secret));
	assert_string_equal(values.name, "a name");
}

TEST_AFTER(unset_all, another_variable_counts_if_the_first_is_unset)
{
	(void)setenv("test_list", "lower", 1);
	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	assert_string_equal(values.list, "lower");
	assert_string_equal(opt_origin("TEST_LIST"), "test_list");
	assert_string_equal(opt_given("TEST_LIST"), "test_list=lower");
	(void)setenv("TEST_LIST", "upper", 1);
	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	assert_string_equal(values.list, "upper");
	assert_string_equal(opt_given("TEST_LIST"), "TEST_LIST=upper");
	assert_int_equal(PARSE(0, "--list=flag"), CODE_OK);
	assert_string_equal(opt_given("TEST_LIST"), "--list=flag");
	/* an empty flag overrides both */
	assert_int_equal(PARSE(0, "--list", ""), CODE_OK);
	assert_null(values.list);
	assert_string_equal(opt_given("TEST_LIST"), "--list");
}

TEST_AFTER(unset_all, a_value_is_shown_as_it_was_given)
{
	char text[200];

	(void)setenv("TEST_NAME", "a", 1);
	(void)setenv("TEST_SECRET", "hunter2", 1);
	assert_int_equal(PARSE(0, "--hidden=x", "--time", "5m"), CODE_OK);
	assert_string_equal(opt_given("TEST_NAME"), "TEST_NAME=a");
	assert_string_equal(opt_given("TEST_SECRET"), "TEST_SECRET");
	assert_string_equal(opt_given("TEST_HIDDEN"), "--hidden");
	assert_string_equal(opt_given("TEST_TIME"), "--time=5m");
	assert_string_equal(opt_origin("TEST_TIME"), "--time");
	assert_string_equal(opt_given("TEST_OTHER"), "TEST_OTHER");
	assert_int_equal(PARSE(0, "--name={\"auths\":1}"), CODE_OK);
	assert_null(strstr(opt_given("TEST_NAME"), "auths"));
	assert_int_equal(PARSE(0, "--name=https://me:pw@host"), CODE_OK);
	assert_string_equal(opt_given("TEST_NAME"), "--name");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(PARSE(0, "--name", text), CODE_OK);
	assert_int_equal(strlen(opt_given("TEST_NAME")), 107);
	assert_string_equal(opt_given("TEST_NAME") + 104, "...");
}

TEST_AFTER(unset_all, a_duration_has_its_limits)
{
	uint64_t seconds = 7;

	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	assert_int_equal(opt_duration("TEST_TIME", 1, 60, &seconds, &st),
			 CODE_OK);
	assert_int_equal(seconds, 7);
	assert_int_equal(PARSE(0, "--time=1m"), CODE_OK);
	assert_int_equal(opt_duration("TEST_TIME", 1, 60, &seconds, &st),
			 CODE_OK);
	assert_int_equal(seconds, 60);
	(void)setenv("TEST_TIME", "61", 1);
	assert_int_equal(parse(0, 0, NULL), CODE_OK);
	assert_int_equal(opt_duration("TEST_TIME", 1, 60, &seconds, &st),
			 CODE_INVALID_ARGUMENT);
	assert_string_equal(st.message, "TEST_TIME=61 must be from 1 to 60 "
					"seconds, or as 90s, 5m, 1h");
	assert_int_equal(PARSE(0, "--time=0"), CODE_OK);
	assert_int_equal(opt_duration("TEST_TIME", 1, 60, &seconds, &st),
			 CODE_INVALID_ARGUMENT);
	assert_int_equal(seconds, 60);
}

/* What every real table must hold, so that help and README can rely on it. */
TEST(real_tables_are_complete_and_unique)
{
	const struct opt_table *const *tables = JOB_pull_secret.options;
	const struct opt *all[OPT_ROWS_MAX];
	char memory[8192];
	struct buf text;
	size_t count = 0;

	buf_init(&text, memory, sizeof(memory) - 1);
	opt_help(tables, &text);
	assert_false(text.overflow);
	memory[text.len] = '\0';
	for (size_t t = 0; tables[t] != NULL; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			assert_in_range(count, 0, OPT_ROWS_MAX - 1);
			all[count++] = &tables[t]->opt[i];
		}
	assert_in_range(count, 1, OPT_ROWS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct opt *before = i > 0 ? all[i - 1] : NULL;

		if (all[i]->help == NULL) { /* another variable */
			assert_non_null(before);
			assert_null(all[i]->flag);
			assert_ptr_equal(all[i]->value, before->value);
			assert_non_null(strstr(memory, all[i]->variable));
			continue;
		}
		assert_non_null(all[i]->variable);
		assert_non_null(strstr(memory, all[i]->variable));
		assert_non_null(all[i]->value);
		if (all[i]->flag != NULL) {
			assert_non_null(strstr(memory, all[i]->flag));
			assert_memory_equal(all[i]->flag, "--", 2);
		}
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(all[i]->variable,
						all[j]->variable);
			assert_ptr_not_equal(all[i]->value, all[j]->value);
			if (all[i]->flag != NULL && all[j]->flag != NULL)
				assert_string_not_equal(all[i]->flag,
							all[j]->flag);
		}
	}
}
