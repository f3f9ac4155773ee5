/*
 * A folder of the test program's own, for one file in it: AROUND_ALL(make_folder,
 * remove_folder).
 */
#ifndef UNIT_ONE_FILE_H
#define UNIT_ONE_FILE_H

#include <unistd.h>

#include "sys/wait.h"

#include "test.h"

static char folder[] = "/tmp/test_one_file.XXXXXX";
static char path[128]; /* of the file */

/* Signals are those of a run, too, since writing looks for them. */
static int
make_folder(void **state)
{
	(void)state;
	wait_init();
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

#endif
