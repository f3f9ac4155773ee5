/*
 * usage: measure FIGURES COMMAND [ARGUMENT...]
 * Runs the command and writes what it took to a file: wall and CPU
 * microseconds, peak resident KiB and exit status. Children that it waited for
 * count as its own. Small and static, because the kernel counts the memory of
 * whoever forks as the child's until it calls execve(2).
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
	int64_t wall;
	int status;
	pid_t child;
	FILE *out;

	if (argc < 3)
		return 2;
	child = fork();
	if (child == 0) {
		(void)execv(argv[2], argv + 2);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child)
		return 1;
	wall = now_us() - start;
	out = fopen(argv[1], "w");
	if (!out)
		return 1;
	fprintf(out, "%lld %lld %ld %d\n", (long long)wall,
		(long long)(microseconds(usage.ru_utime) +
			    microseconds(usage.ru_stime)),
		usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	return fclose(out) == 0 ? 0 : 1;
}
