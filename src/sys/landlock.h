/*
 * Floor 1, process. Landlock: no files but those that are named.
 */
#ifndef SYS_LANDLOCK_H
#define SYS_LANDLOCK_H

#include "sys/sandbox.h"

/*
 * From now on nothing can be opened, made, removed or executed but what
 * `allow` says; what is open stays open. Codes as sandbox_enter().
 */
MUST_CHECK enum code landlock_enter(const struct sandbox_allow *allow,
				    struct status *st);

#endif
