#include "sys/harden.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void
harden(void)
{
	const struct rlimit none = { 0, 0 };

	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* open(2) returns `fd`, the lowest; O_PATH without /dev. */
		if (open("/dev/null", O_RDONLY) < 0)
			(void)open("/", O_PATH);
	}
	/* Not setrlimit(): the C library would stop all threads for it. */
	(void)prlimit(0, RLIMIT_CORE, &none, NULL);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
