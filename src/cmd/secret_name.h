/*
 * Floor 5, commands. The operand NAME of applets: a secret or a version of it.
 */
#ifndef CMD_SECRET_NAME_H
#define CMD_SECRET_NAME_H

#include "gcp/secretmanager.h"
#include "job/task.h"

/* The texts that the task's names point to. */
struct secret_name {
	char project[PROJECT_ID_MAX + 1];
	char location[LOCATION_SIZE]; /* or "" */
	char secret[SECRET_NAME_SIZE];
	char version[24]; /* as it stands in the name, or "" */
};

/*
 * Reads `name` into the names of `task`: a secret of the project,
 * "projects/P/secrets/S", for a regional one "projects/P/locations/L/secrets/S"
 * (then L is that of the client, too), or these with "/versions/N"; NULL: the
 * names that the main job takes. `out` must stay as long as `task`, and while
 * the client is loaded. INVALID_ARGUMENT, also where --regional is another
 * place than that of a full name.
 */
MUST_CHECK enum code secret_name_read(struct secret_name *out, const char *name,
				      struct task *task, struct status *st);

#endif
