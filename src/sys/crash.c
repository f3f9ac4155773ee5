#include "sys/crash.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

static const struct {
	int number;
	const char *line;
} FAULTS[] = {
	{ SIGABRT, "pull-secret: internal error: SIGABRT" },
	{ SIGBUS, "pull-secret: internal error: SIGBUS" },
	{ SIGFPE, "pull-secret: internal error: SIGFPE" },
	{ SIGILL, "pull-secret: internal error: SIGILL" },
	{ SIGSEGV, "pull-secret: internal error: SIGSEGV" },
	{ SIGSYS, "pull-secret: forbidden system call " },
};

#define FAULT_COUNT (sizeof(FAULTS) / sizeof(FAULTS[0]))

/* Room for the largest frames of vector registers that processors have. */
static char stack[65536];

static struct {
	pid_t process;
	void *secrets;
	size_t size;
	void *more;
	size_t more_size;
	struct file_target *target;
	struct str content;
	int termination_log;
} prepared = { .termination_log = -1 };

static void
put_line(int number, const siginfo_t *info, struct buf *out)
{
	for (size_t i = 0; i < FAULT_COUNT; i++)
		if (FAULTS[i].number == number)
			buf_put_cstr(out, FAULTS[i].line);
	if (number == SIGSYS)
		buf_put_uint(out, (unsigned)info->si_syscall);
	buf_put_char(out, '\n');
}

/* Standard error may be a full pipe that nobody reads. */
static void
write_if_room(int fd, struct str line)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (fd >= 0 && poll(&ready, 1, 0) == 1)
		(void)write(fd, line.ptr, line.len);
}

/*
 * Calls nothing that is not safe in a handler (signal-safety(7)). The signal
 * has its default action again (SA_RESETHAND) and is not blocked.
 */
static void
on_fatal_signal(int number, siginfo_t *info, void *context)
{
	char memory[80];
	struct buf line;

	(void)context;
	buf_init(&line, memory, sizeof(memory));
	put_line(number, info, &line);
	if (prepared.target != NULL) {
		(void)file_target_put(prepared.target, prepared.content);
		file_target_close(prepared.target);
	}
	write_if_room(prepared.termination_log, buf_view(&line));
	write_if_room(STDERR_FILENO, buf_view(&line));
	wipe(prepared.secrets, prepared.size);
	wipe(prepared.more, prepared.more_size);
	(void)kill(prepared.process, number);
	_exit(128 + number);
}

void
crash_init(void *secrets, size_t size)
{
	const stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fatal_signal };
	sigset_t faults;

	action.sa_flags =
		(int)(SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESETHAND);
	prepared.process = getpid();
	prepared.secrets = secrets;
	prepared.size = size;
	(void)sigemptyset(&faults);
	(void)sigaltstack(&own, NULL);
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		/* A second fault, of another kind, kills at once. */
		(void)sigfillset(&action.sa_mask);
		(void)sigdelset(&action.sa_mask, FAULTS[i].number);
		(void)sigaction(FAULTS[i].number, &action, NULL);
		(void)sigaddset(&faults, FAULTS[i].number);
	}
	(void)sigprocmask(SIG_UNBLOCK, &faults, NULL);
}

void
crash_prepare(struct file_target *target, struct str content,
	      int termination_log)
{
	prepared.target = target;
	prepared.content = content;
	prepared.termination_log = termination_log;
}

void
crash_forked(void)
{
	prepared.process = getpid();
	crash_prepare(NULL, STR(""), -1);
}

void
crash_wipes(void *memory, size_t size)
{
	prepared.more = memory;
	prepared.more_size = size;
}
