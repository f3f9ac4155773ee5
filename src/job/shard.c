#include "job/shard.h"

#include "base/format.h"
#include "job/target.h"
#include "job/tasks_options.h"
#include "net/sha256.h"

void
task_name(const struct task *task, char out[static TASK_NAME_SIZE])
{
	const char *location = target_options()->location;

	(void)format_text(out, TASK_NAME_SIZE, "projects/%s%s%s/secrets/%s",
			  task->project, location == NULL ? "" : "/locations/",
			  location == NULL ? "" : location, task->secret);
}

uint64_t
task_hash(const struct task *task)
{
	unsigned char digest[SHA256_SIZE];
	char name[TASK_NAME_SIZE];

	task_name(task, name);
	sha256(str_from(name), digest);
	return sha256_start(digest);
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
