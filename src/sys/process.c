#include "sys/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/crash.h"
#include "sys/wait.h"

pid_t
process_fork(pid_t master)
{
	/* Without threads and their locks it does what fork() does. */
	pid_t forked = _Fork();

	if (forked == 0) {
		crash_forked();
		wait_only_for(master > 0 ? master : getpid());
	}
	return forked;
}

pid_t
process_number(void)
{
	return getpid();
}

void
process_leave_group(void)
{
	(void)setpgid(0, 0);
}

bool
process_follow(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	return getppid() == parent;
}

void
process_stop(pid_t process, int by)
{
	(void)kill(process, by);
}

bool
process_ended(pid_t *process, int *how)
{
	*process = waitpid(-1, how, WNOHANG);
	return *process > 0;
}

static bool
is_kept(const int *keep, size_t count, int fd)
{
	for (size_t i = 0; i < count; i++)
		if (keep[i] == fd)
			return true;
	return false;
}

/*
 * Descriptors are given from the lowest on, so that those of this program are
 * below the last ones; what others left above is closed where the kernel can
 * (Linux 5.9).
 */
void
process_close_others(const int *keep, size_t count)
{
	int last = STDERR_FILENO;

	/* open(2) gives the lowest number; O_PATH without /dev. */
	for (int fd = STDIN_FILENO; fd <= STDOUT_FILENO; fd++) {
		(void)close(fd);
		if (open("/dev/null", O_RDONLY) < 0)
			(void)open("/", O_PATH);
	}
	for (size_t i = 0; i < count; i++)
		if (keep[i] > last)
			last = keep[i];
	for (int fd = STDERR_FILENO + 1; fd < last; fd++)
		if (!is_kept(keep, count, fd))
			(void)close(fd);
	(void)syscall(SYS_close_range, last + 1, ~0U, 0);
}
