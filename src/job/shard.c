#include "job/shard.h"

#include "base/format.h"
#include "job/target.h"
#include "job/tasks_options.h"
#include "net/sha256.h"

uint64_t
task_hash(const struct task *task)
{
	const char *location = target_options()->location;
	unsigned char hash[SHA256_SIZE];
	char name[2 * SECRET_NAME_SIZE + 256];
	uint64_t first = 0;

	(void)format_text(name, sizeof(name), "projects/%s%s%s/secrets/%s",
			  task->project, location == NULL ? "" : "/locations/",
			  location == NULL ? "" : location, task->secret);
	sha256(str_from(name), hash);
	for (size_t i = 0; i < sizeof(first); i++)
		first = first << 8 | hash[i];
	return first;
}

unsigned
shard_of(uint64_t hash, unsigned shards)
{
	return (unsigned)(hash % shards);
}

bool
shard_is_ours(uint64_t hash)
{
	const struct tasks_settings *settings = tasks_settings();

	return shard_of(hash, settings->shards) == settings->shard;
}

unsigned
shard_worker(uint64_t hash, unsigned workers)
{
	return (unsigned)((hash >> 32) % workers);
}
