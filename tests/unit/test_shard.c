/* Which shard and worker a secret belongs to, now and with later versions. */
#include "job/shard.h"

#include "base/format.h"
#include "job/target.h"
#include "job/tasks_options.h"

#include "test.h"

#define NAMES 1000

static struct task task;

static uint64_t
hash_of(const char *project, const char *location, const char *secret)
{
	task.project = project;
	(void)format_text(task.secret, sizeof(task.secret), "%s", secret);
	target_set_location(location);
	return task_hash(&task);
}

/* printf projects/p/secrets/s | sha256sum | cut -c -16 */
TEST(the_hash_is_that_of_the_full_name)
{
	assert_true(hash_of("p", NULL, "s") == UINT64_C(0xe4b0eb714cb152ba));
	assert_true(
		hash_of("my-project", NULL, "hyperfleet-cls-1-pull-secret") ==
		UINT64_C(0x00071384f65f416a));
	assert_true(hash_of("p", "europe-west3", "s") ==
		    UINT64_C(0x6cd28fa5fb852a02));
}

/* A run over the list for each shard of `shards`, as its options say. */
static void
run_shards(unsigned shards, unsigned char found[static NAMES])
{
	static const struct opt_table *const TABLES[] = { &TARGET_OPTIONS,
							  &TASKS_OPTIONS,
							  NULL };
	/* Options point into it. */
	static char index[] = "JOB_COMPLETION_INDEX=0";
	static char count[] = "--shards=0", tasks[] = "--tasks=-";
	char *argv[] = { tasks, count };
	struct status st = { .code = CODE_OK };
	char name[SECRET_NAME_SIZE];
	size_t operands = 0;
	bool help;

	count[sizeof(count) - 2] = (char)('0' + shards);
	assert_int_equal(putenv(index), 0);
	for (unsigned shard = 0; shard < shards; shard++) {
		index[sizeof(index) - 2] = (char)('0' + shard);
		assert_int_equal(opt_parse(TABLES, 2, argv, NULL, &operands,
					   &help, &st),
				 CODE_OK);
		assert_int_equal(tasks_check(&st), CODE_OK);
		for (unsigned i = 0; i < NAMES; i++) {
			(void)format_text(name, sizeof(name), "secret-%u", i);
			found[i] += shard_is_ours(hash_of("p", NULL, name));
		}
	}
}

/* Each secret in exactly one, whatever their number is. */
TEST(shards_together_are_the_list)
{
	for (unsigned shards = 1; shards < 10; shards++) {
		unsigned char found[NAMES] = { 0 };

		run_shards(shards, found);
		for (unsigned i = 0; i < NAMES; i++)
			assert_int_equal(found[i], 1);
	}
}

/* None has much more to do than another. */
TEST(shards_are_alike)
{
	char name[SECRET_NAME_SIZE];
	unsigned count[8] = { 0 };

	for (unsigned i = 0; i < NAMES; i++) {
		(void)format_text(name, sizeof(name), "secret-%u", i);
		count[shard_of(hash_of("p", NULL, name), 8)]++;
	}
	for (unsigned shard = 0; shard < 8; shard++)
		assert_in_range(count[shard], 90, 160);
}

/* With other bits than the shard, or a shard would keep one worker busy. */
TEST(each_shard_has_work_for_all_workers)
{
	char name[SECRET_NAME_SIZE];
	unsigned count[8] = { 0 };

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t hash;

		(void)format_text(name, sizeof(name), "secret-%u", i);
		hash = hash_of("p", NULL, name);
		if (shard_of(hash, 8) == 3)
			count[shard_worker(hash, 8)]++;
	}
	for (unsigned worker = 0; worker < 8; worker++)
		assert_in_range(count[worker], 10, 60);
}
