#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Every right of the first version (Linux 5.13). Later ones cover what the
 * seccomp table forbids anyway: truncate, ioctl, bind, abstract sockets. A
 * coverage build must write its counts.
 */
#ifdef COVERAGE
#define ALL_RIGHTS LANDLOCK_ACCESS_FS_MAKE_SYM
#else
#define ALL_RIGHTS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#endif

/* To make a file, to fill it, and to rename it over another. */
#define REPLACE \
	(LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_REMOVE_FILE)

/* musl has no names for these calls. */
static int
create_ruleset(void)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = ALL_RIGHTS,
	};

	return (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			    0);
}

/* `where` is a descriptor of a folder or a file. */
static bool
add_rule(int ruleset, int where, uint64_t rights)
{
	const struct landlock_path_beneath_attr attr = {
		.allowed_access = rights & ALL_RIGHTS,
		.parent_fd = where,
	};

	return attr.allowed_access == 0 ||
	       syscall(SYS_landlock_add_rule, ruleset,
		       LANDLOCK_RULE_PATH_BENEATH, &attr, 0) == 0;
}

/* What is not there cannot be read, with or without a rule. */
static bool
allow_reading(int ruleset, const char *path)
{
	int where = open(path, O_PATH | O_CLOEXEC);
	bool allowed;

	if (where < 0)
		return true;
	allowed = add_rule(ruleset, where, LANDLOCK_ACCESS_FS_READ_FILE);
	(void)close(where);
	return allowed;
}

/*
 * The file, wherever links lead to, and its folder: Kubernetes renews what it
 * mounts by turning a link in the same folder to a new file.
 */
static bool
allow_rereading(int ruleset, const char *path)
{
	char folder[PATH_MAX];
	char *slash;

	if (!str_copy(str_from(path), folder, sizeof(folder)))
		return false;
	slash = strrchr(folder, '/');
	if (slash != NULL)
		slash[slash == folder ? 1 : 0] = '\0';
	return allow_reading(ruleset, path) &&
	       allow_reading(ruleset, slash == NULL ? "." : folder);
}

/* Old container runtimes fail unknown calls with EPERM. */
static bool
is_unsupported(int error)
{
	return error == ENOSYS || error == EOPNOTSUPP || error == EPERM;
}

enum code
landlock_enter(const struct sandbox_allow *allow, struct status *st)
{
	int ruleset = create_ruleset();
	bool entered;

	if (ruleset < 0 && is_unsupported(errno))
		return CODE_OK;
	entered = ruleset >= 0 &&
		  (allow->write_folder < 0 ||
		   add_rule(ruleset, allow->write_folder, REPLACE)) &&
		  (allow->read_folder < 0 ||
		   add_rule(ruleset, allow->read_folder,
			    LANDLOCK_ACCESS_FS_READ_FILE)) &&
		  (allow->reread == NULL ||
		   allow_rereading(ruleset, allow->reread)) &&
		  syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	if (!entered)
		(void)status_set(st, CODE_INTERNAL,
				 "cannot give up files (Landlock): %s",
				 strerror(errno));
	if (ruleset >= 0)
		(void)close(ruleset);
	return st->code;
}
