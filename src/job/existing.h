/*
 * Floor 4, job. A secret that exists: whose it is, where it is, its labels.
 *
 * What options ask for takes secretmanager.secrets.get, and without these
 * options nothing is sent.
 */
#ifndef JOB_EXISTING_H
#define JOB_EXISTING_H

#include "gcp/client.h"
#include "job/outcome.h"
#include "job/report.h"
#include "job/task.h"

struct existing {
	struct client *client;
	const struct task *task;
	struct report *report;
	struct outcome *outcome;
};

/* Whether an option asks for anything below. */
bool existing_is_asked(void);

/*
 * With --require-managed, before anything is written: reads the secret, and
 * refuses one that is not ours. NOT_FOUND: there is none, which passes after a
 * create of it (`exists`). Codes: those of secretmanager_get() and
 * labels_check_owner(), in `outcome`.
 */
MUST_CHECK enum code existing_check(const struct existing *existing,
				    bool exists);

/*
 * The same with what was read, in a dry run; logs what existing_settle() would
 * say and do.
 */
MUST_CHECK enum code existing_judge(const struct existing *existing,
				    const struct secret_resource *found);

/*
 * After the version was verified: says where the secret has another placement
 * than was asked for, and with --sync-labels gives it its labels and
 * annotations. What fails is a warning.
 */
void existing_settle(const struct existing *existing);

#endif
