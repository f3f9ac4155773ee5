#include "job/jobs.h"

#define JOB_ROW(name) &JOB_##name,
static const struct job *const ALL[] = { JOBS(JOB_ROW) NULL };

const struct job *
job_number(size_t i)
{
	return ALL[i];
}

const struct job *
job_find(struct str name)
{
	for (size_t i = 0; ALL[i] != NULL; i++)
		if (str_eq(name, str_from(ALL[i]->name)))
			return ALL[i];
	return NULL;
}
