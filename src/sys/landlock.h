/*
 * Floor 1, process. Landlock: no files but those that are named.
 */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include "sys/confine.h"

/*
 * From now on nothing can be opened, made, removed or executed but what
 * `need` says; what is open stays open. Codes as confine_enter().
 */
MUST_CHECK enum code landlock_enter(const struct confine_need *need,
				    struct status *st);

#endif
