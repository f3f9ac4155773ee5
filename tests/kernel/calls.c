/*
 * Confines a child of its own for every system call and tries it. Prints
 * "NUMBER OUTCOME" or "NAME OUTCOME" a line; the outcome is "killed" by SIGSYS
 * or "passed" the filter, whatever came of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sandbox.h"

#define LAST_CALL 600 /* beyond all that there are */
#define OWN (-2)      /* stands for the number of the child */

struct attempt {
	const char *name;
	long call;
	long arguments[4];
};

static const struct attempt ATTEMPTS[] = {
	{ "socket-inet", SYS_socket, { AF_INET, SOCK_STREAM, 0, 0 } },
	{ "socket-inet6", SYS_socket, { AF_INET6, SOCK_STREAM, 0, 0 } },
	{ "socket-unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0, 0 } },
	{ "socket-netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 0, 0 } },
	{ "getsockopt-socket", SYS_getsockopt, { -1, SOL_SOCKET, 0, 0 } },
	{ "getsockopt-tcp", SYS_getsockopt, { -1, IPPROTO_TCP, 0, 0 } },
	{ "setsockopt-tcp", SYS_setsockopt, { -1, IPPROTO_TCP, 0, 0 } },
	{ "setsockopt-socket", SYS_setsockopt, { -1, SOL_SOCKET, 0, 0 } },
	{ "ioctl-ifindex", SYS_ioctl, { -1, SIOCGIFINDEX, 0, 0 } },
	{ "ioctl-tiocsti", SYS_ioctl, { -1, TIOCSTI, 0, 0 } },
	{ "fcntl-setfl", SYS_fcntl, { -1, F_SETFL, 0, 0 } },
	{ "fcntl-setfd", SYS_fcntl, { -1, F_SETFD, 0, 0 } },
	{ "fcntl-getfd", SYS_fcntl, { -1, F_GETFD, 0, 0 } },
	{ "fcntl-dupfd", SYS_fcntl, { -1, F_DUPFD, 0, 0 } },
	{ "openat-read", SYS_openat, { AT_FDCWD, 0, O_RDONLY, 0 } },
	{ "openat-new",
	  SYS_openat,
	  { AT_FDCWD, 0, O_WRONLY | O_CREAT | O_EXCL, 0 } },
	{ "openat-write", SYS_openat, { AT_FDCWD, 0, O_WRONLY, 0 } },
	{ "openat-change", SYS_openat, { AT_FDCWD, 0, O_RDWR, 0 } },
	{ "openat-truncate", SYS_openat, { AT_FDCWD, 0, O_TRUNC, 0 } },
	{ "setitimer-real", SYS_setitimer, { ITIMER_REAL, 0, 0, 0 } },
	{ "setitimer-prof", SYS_setitimer, { ITIMER_PROF, 0, 0, 0 } },
	{ "kill-own", SYS_kill, { OWN, 0, 0, 0 } },
	{ "kill-init", SYS_kill, { 1, 0, 0, 0 } },
};

static void
enter(void)
{
	const struct sandbox_allow allow = { .write_folder = -1,
					     .read_folder = -1 };
	struct status st = { .code = CODE_OK };

	if (sandbox_enter(SANDBOX_ALONE, &allow, &st) != CODE_OK) {
		(void)fprintf(stderr, "%s\n", st.message);
		_exit(EXIT_FAILURE);
	}
}

static const char *
outcome(pid_t child)
{
	int how;

	if (child < 0 || waitpid(child, &how, 0) != child)
		return "unknown";
	return WIFSIGNALED(how) && WTERMSIG(how) == SIGSYS ? "killed"
							   : "passed";
}

static const char *
try(const struct attempt *what)
{
	const long *arguments = what->arguments;
	pid_t child = fork();

	if (child == 0) {
		long first = arguments[0] == OWN ? getpid() : arguments[0];

		enter();
		(void)syscall(what->call, first, arguments[1], arguments[2],
			      arguments[3], -1L, -1L);
		_exit(EXIT_SUCCESS);
	}
	return outcome(child);
}

/* What Landlock leaves of a file that anybody may read. */
static const char *
read_a_file(const char *path)
{
	pid_t child = fork();
	int how;

	if (child == 0) {
		int before = open(path, O_RDONLY | O_CLOEXEC);

		enter();
		_exit(before >= 0 && open(path, O_RDONLY | O_CLOEXEC) < 0 &&
				      errno == EACCES
			      ? EXIT_SUCCESS
			      : EXIT_FAILURE);
	}
	if (child < 0 || waitpid(child, &how, 0) != child)
		return "unknown";
	return how == 0 ? "refused" : "passed";
}

int
main(int count, char **arguments)
{
	struct attempt any = { .arguments = { -1, -1, -1, -1 } };

	for (any.call = 0; any.call < LAST_CALL; any.call++)
		(void)printf("%ld %s\n", any.call, try(&any));
	for (size_t i = 0; i < sizeof(ATTEMPTS) / sizeof(ATTEMPTS[0]); i++)
		(void)printf("%s %s\n", ATTEMPTS[i].name, try(&ATTEMPTS[i]));
	if (count > 1)
		(void)printf("read-a-file %s\n", read_a_file(arguments[1]));
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
