/*
 * Runs a command and prints what it took: wall and CPU microseconds, peak
 * resident KiB and exit status. Small and static, because the kernel counts
 * the memory of whoever forks as the child's until it calls execve(2).
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
microseconds(struct timeval t)
{
	return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

int
main(int argc, char **argv)
{
	struct rusage usage;
	int64_t start = now_us();
	int status;
	pid_t child;

	if (argc < 2)
		return 2;
	child = fork();
	if (child == 0) {
		(void)execv(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	printf("\n%lld %lld %ld %d\n", (long long)(now_us() - start),
	       (long long)(microseconds(usage.ru_utime) +
			   microseconds(usage.ru_stime)),
	       usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return 0;
}
