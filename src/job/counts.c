#include "job/counts.h"

#include <string.h>

#include "base/format.h"

void
counts_succeeded(struct task_counts *counts, bool skipped)
{
	counts->total++;
	counts->succeeded++;
	counts->skipped += skipped;
}

void
counts_failed(struct task_counts *counts, enum code code, bool may_pass)
{
	counts->total++;
	counts->failed++;
	counts->may_pass += may_pass;
	counts->by_code[(unsigned)code < CODES ? code : CODE_UNKNOWN]++;
}

void
counts_not_tried(struct task_counts *counts)
{
	counts->total++;
	counts->not_tried++;
}

const char *
counts_reason(const struct task_counts *counts)
{
	if (counts->not_tried > 0)
		return "TasksIncomplete";
	return counts->failed > 0 ? "TasksFailed" : "TasksSucceeded";
}

void
counts_message(const struct task_counts *counts, const char *all, char *out,
	       size_t size)
{
	size_t used;

	(void)format_text(out, size, "%llu %s, %llu succeeded, %llu failed",
			  (unsigned long long)counts->total, all,
			  (unsigned long long)counts->succeeded,
			  (unsigned long long)counts->failed);
	used = strlen(out);
	if (counts->not_tried > 0)
		(void)format_text(out + used, size - used, ", %llu not tried",
				  (unsigned long long)counts->not_tried);
}

bool
counts_next(const struct task_counts *counts, size_t *at, const char **key,
	    uint64_t *value)
{
	const struct {
		const char *key;
		uint64_t value;
		bool always;
	} members[] = {
		{ "task_failed", counts->failed, true },
		{ "task_not_tried", counts->not_tried, false },
		{ "task_skipped", counts->skipped, false },
		{ "task_succeeded", counts->succeeded, true },
		{ "task_total", counts->total, true },
	};

	while (*at < sizeof(members) / sizeof(members[0])) {
		size_t i = (*at)++;

		if (members[i].value == 0 && !members[i].always)
			continue;
		*key = members[i].key;
		*value = members[i].value;
		return true;
	}
	return false;
}

/* In alphabetical order. */
static const unsigned char SORTED[] = {
	CODE_ABORTED,         CODE_ALREADY_EXISTS,    CODE_CANCELLED,
	CODE_DATA_LOSS,       CODE_DEADLINE_EXCEEDED, CODE_FAILED_PRECONDITION,
	CODE_INTERNAL,        CODE_INVALID_ARGUMENT,  CODE_NOT_FOUND,
	CODE_OUT_OF_RANGE,    CODE_PERMISSION_DENIED, CODE_RESOURCE_EXHAUSTED,
	CODE_UNAUTHENTICATED, CODE_UNAVAILABLE,       CODE_UNIMPLEMENTED,
	CODE_UNKNOWN,
};

_Static_assert(sizeof(SORTED) == CODES - 1, "all but CODE_OK");

void
counts_put_codes(const struct task_counts *counts, struct json_writer *json)
{
	if (counts == NULL || counts->failed == 0)
		return;
	json_key(json, "failed_by_code");
	json_open_object(json);
	for (size_t i = 0; i < sizeof(SORTED); i++)
		if (counts->by_code[SORTED[i]] > 0) {
			json_key(json, code_name((enum code)SORTED[i]));
			json_put_uint(json, counts->by_code[SORTED[i]]);
		}
	json_close(json);
}

void
counts_put(const struct task_counts *counts, struct json_writer *json)
{
	const char *key;
	uint64_t value;
	size_t at = 0;

	while (counts != NULL && counts_next(counts, &at, &key, &value)) {
		json_key(json, key);
		json_put_uint(json, value);
	}
}
