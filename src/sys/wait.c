#include "sys/wait.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

/* How long a call may block before it is interrupted. */
#define INTERRUPT_US 100000

static volatile sig_atomic_t caught;

/* The only process whose SIGTERM and SIGINT count; 0: each one's. */
static volatile pid_t sender;

static void
record_signal(int number, siginfo_t *info, void *context)
{
	(void)context;
	if (sender == 0 || number == SIGCHLD || info->si_pid == sender)
		caught = number;
}

/* The handler need not do anything: the signal interrupts a call. */
static void
ignore_alarm(int number)
{
	(void)number;
}

/* Blocks two signals, but for where the program waits, and records them. */
static void
record(int one, int other)
{
	struct sigaction action = { .sa_sigaction = record_signal,
				    .sa_flags = SA_SIGINFO };
	sigset_t blocked;

	(void)sigemptyset(&action.sa_mask);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, one);
	(void)sigaddset(&blocked, other);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
	(void)sigaction(one, &action, NULL);
	(void)sigaction(other, &action, NULL);
}

void
wait_init(void)
{
	struct sigaction alarm = { .sa_handler = ignore_alarm };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	(void)sigemptyset(&ignore.sa_mask);
	(void)sigemptyset(&alarm.sa_mask);
	(void)sigaction(SIGALRM, &alarm, NULL);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &blocked, NULL);
	record(SIGTERM, SIGINT);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
}

int
wait_signal(void)
{
	return caught;
}

int
wait_take_signal(void)
{
	int number = caught;

	caught = 0;
	return number;
}

void
wait_only_for(pid_t process)
{
	sender = process;
	caught = 0;
}

void
wait_for_children(void)
{
	record(SIGCHLD, SIGCHLD);
}

static enum code
cancelled(struct status *st)
{
	return status_set(st, CODE_CANCELLED, "stopped by %s",
			  caught == SIGINT ? "SIGINT" : "SIGTERM");
}

/*
 * Lets in a signal that is pending. ppoll(2) returns what is ready before it
 * looks for signals, so that a peer that never pauses would hide them.
 */
static void
deliver_signals(void)
{
	const struct timespec now = { .tv_sec = 0 };
	sigset_t open;

	(void)sigemptyset(&open);
	(void)ppoll(NULL, 0, &now, &open);
}

enum code
wait_ready(struct pollfd *fds, size_t count, struct deadline until,
	   struct status *st)
{
	unsigned failures = 0; /* EAGAIN: the kernel lacks memory */

	for (;;) {
		int64_t left = deadline_left(until);
		struct timespec limit = { .tv_sec = (time_t)(left / 1000),
					  .tv_nsec = (long)(left % 1000) *
						     1000000 };
		sigset_t open;
		int ready;

		if (caught != 0)
			return cancelled(st);
		(void)sigemptyset(&open);
		ready = ppoll(fds, (nfds_t)count, &limit, &open);
		if (ready > 0)
			deliver_signals();
		if (caught != 0)
			return cancelled(st);
		if (ready >= 0)
			return CODE_OK;
		if (errno != EINTR && (errno != EAGAIN || ++failures >= 100))
			return status_set(st, CODE_INTERNAL, "ppoll: %s",
					  strerror(errno));
	}
}

struct wait_list
wait_list(struct deadline until)
{
	return (struct wait_list){ .until = until };
}

void
wait_add(struct wait_list *list, int fd, short events)
{
	if (list->count < WAIT_MAX)
		list->fds[list->count++] =
			(struct pollfd){ .fd = fd, .events = events };
	if (events == 0)
		wait_by(list, deadline_in(0));
}

void
wait_by(struct wait_list *list, struct deadline until)
{
	list->until = deadline_first(list->until, until);
}

enum code
wait_any(struct wait_list *list, struct status *st)
{
	return wait_ready(list->fds, list->count, list->until, st);
}

enum code
wait_until(struct deadline until, struct status *st)
{
	do {
		enum code code = wait_ready(NULL, 0, until, st);

		if (code != CODE_OK)
			return code;
	} while (deadline_left(until) > 0);
	return CODE_OK;
}

void
wait_interrupt(bool on)
{
	const struct timeval each = { .tv_usec = on ? INTERRUPT_US : 0 };
	const struct itimerval timer = { .it_interval = each,
					 .it_value = each };

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}
