/*
 * What every unit test needs: cmocka, and tests that register themselves.
 *
 *	TEST(what_holds)
 *	{
 *		assert_true(...);
 *	}
 *
 * They run in the order of the file. A program is one .c file, so that all of
 * this may be static.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TESTS_MAX 64

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct {
	struct CMUnitTest test[TESTS_MAX];
	size_t count;
	int (*before)(void **);
	int (*after)(void **);
} tests;

/* A test, before which `setup(NULL)` runs: a CMFixtureFunction or NULL. */
#define TEST_AFTER(setup, test_) \
	static void test_(void); \
	static void run_##test_(void **state) \
	{ \
		(void)state; \
		test_(); \
	} \
	__attribute__((constructor)) static void register_##test_(void) \
	{ \
		if (tests.count == TESTS_MAX) \
			abort(); \
		tests.test[tests.count++] = (struct CMUnitTest){ \
			.name = #test_, \
			.test_func = run_##test_, \
			.setup_func = setup, \
		}; \
	} \
	static void test_(void)

#define TEST(test_) TEST_AFTER(NULL, test_)

/* What runs once before the first test and once after the last. */
#define AROUND_ALL(setup, teardown) \
	__attribute__((constructor)) static void register_around_all(void) \
	{ \
		tests.before = setup; \
		tests.after = teardown; \
	}

int
main(void)
{
	return _cmocka_run_group_tests("tests", tests.test, tests.count,
				       tests.before, tests.after);
}

#endif
