#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "sys/landlock.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "an argument begins with its lower half, which a filter loads");

/*
 * The action for every other call. SECCOMP_RET_TRAP, not RET_KILL_PROCESS:
 * the handler of SIGSYS says which call it was and writes the result. That is
 * as final, since nothing can take the handler away: rt_sigaction is not in
 * the table, and the kernel kills where SIGSYS is blocked. A coverage build
 * saves its counts at exit, by calls that the program has no use for.
 */
#ifdef COVERAGE
#define FORBIDDEN SECCOMP_RET_ALLOW
#else
#define FORBIDDEN SECCOMP_RET_TRAP
#endif

/* One call that is allowed: if one argument has `value` in the bits `mask`. */
struct rule {
	uint32_t call;
	uint32_t roles;
	uint32_t argument; /* counted from 0; the kernel takes it as an int */
	uint32_t mask;     /* 0: whatever the arguments are */
	uint32_t value;
};

#define ANY 0, 0, 0
#define ONLY(argument, value) (argument), 0xffffffff, (value)
#define OPEN(argument, mode) (argument), OPEN_BITS, (mode)
#define OPEN_BITS (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC)
#define OWN_PROCESS UINT32_MAX /* stands for the number of this process */
#define NEW_FILE (O_WRONLY | O_CREAT | O_EXCL)

/*
 * The roles that may make a call. The filter of a worker is another one on top
 * of the spawner's, so that whatever a worker may do the spawner may, too.
 */
#define ALL (ALONE | LAUNCHER | WORKER)
#define CLIENT (ALONE | WORKER)   /* speaks with the network */
#define WRITER (ALONE | LAUNCHER) /* has outputs */
#define FLEET (LAUNCHER | WORKER) /* one of many */
#define ALONE SANDBOX_ALONE
#define LAUNCHER SANDBOX_LAUNCHER
#define WORKER (SANDBOX_WORKER | SANDBOX_SPAWNER)
#define SPAWNER SANDBOX_SPAWNER

/*
 * Every call that a confined process may make, on both architectures but for
 * what stands under #ifdef: x86-64 has them, arm64 never had. Nothing
 * allocates, maps, executes, traces, listens or changes signals after start, so
 * none of those calls is here; and only the spawner forks.
 */
static const struct rule RULES[] = {
	/* connections: over IP only, none that is waited for */
	{ SYS_socket, CLIENT, ONLY(0, AF_INET) },         /* DNS, HTTP */
	{ SYS_socket, CLIENT, ONLY(0, AF_INET6) },        /* the same */
	{ SYS_connect, CLIENT, ANY },                     /* DNS, HTTP */
	{ SYS_recvfrom, CLIENT, ANY },                    /* replies */
	{ SYS_sendto, CLIENT, ANY },                      /* requests */
	{ SYS_getpeername, CLIENT, ANY },                 /* is it connected? */
	{ SYS_getsockopt, CLIENT, ONLY(1, SOL_SOCKET) },  /* SO_ERROR: why? */
	{ SYS_setsockopt, CLIENT, ONLY(1, IPPROTO_TCP) }, /* TCP_NODELAY */
	{ SYS_ioctl, CLIENT, ONLY(1, SIOCGIFINDEX) },     /* fe80::1%eth0 */
	{ SYS_fcntl, CLIENT, ONLY(1, F_SETFL) },          /* musl's socket() */

	/* the other processes of a fleet */
	{ SYS_recvmsg, FLEET, ANY },
	{ SYS_sendmsg, FLEET, ANY },
	{ SYS_wait4, LAUNCHER | SPAWNER, ANY }, /* how it ended */
#ifdef SYS_fork
	{ SYS_fork, SPAWNER, ANY }, /* a worker */
#endif
	{ SYS_clone, SPAWNER, ONLY(0, SIGCHLD) },          /* the same */
	{ SYS_rt_sigprocmask, SPAWNER, ANY },              /* musl's _Fork() */
	{ SYS_gettid, SPAWNER, ANY },                      /* the same */
	{ SYS_getpid, SPAWNER, ANY },                      /* of a worker */
	{ SYS_getppid, SPAWNER, ANY },                     /* the same */
	{ SYS_prctl, SPAWNER, ONLY(0, PR_SET_PDEATHSIG) }, /* it ends, too */
	{ SYS_prctl, SPAWNER, ONLY(0, PR_SET_SECCOMP) },   /* its own filter */
	{ SYS_kill, SPAWNER, ANY },                        /* a worker */

	/* waiting, time, random bytes */
	{ SYS_ppoll, ALL, ANY }, /* the only place that waits */
#ifdef SYS_poll
	{ SYS_poll, ALL, ANY }, /* is there room? arm64 uses ppoll */
#endif
	{ SYS_restart_syscall, ALL, ANY }, /* a poll goes on after SIGCONT */
	{ SYS_clock_gettime, ALL, ANY },   /* where the vDSO cannot */
	{ SYS_getrandom, ALL, ANY },       /* TLS, DNS identifiers, back-off */

	/* files: reading, and new ones, never opening one to write into it */
	{ SYS_read, ALL, ANY }, /* a token that is mounted, a list of tasks */
	{ SYS_write, WRITER, ANY },                 /* log and other outputs */
	{ SYS_write, ALL, ONLY(0, STDERR_FILENO) }, /* the line of a crash */
	{ SYS_setitimer, WRITER, ONLY(0, ITIMER_REAL) }, /* a log not read */
	{ SYS_close, ALL, ANY },                         /* files, sockets */
	{ SYS_openat, ALL, OPEN(2, O_RDONLY) },          /* a token file */
	{ SYS_openat, WRITER, OPEN(2, NEW_FILE) }, /* the result, unnamed yet */
	{ SYS_openat2, LAUNCHER, ANY }, /* beneath the folder of a list */
#ifdef SYS_open
	{ SYS_open, CLIENT, OPEN(1, O_RDONLY) }, /* arm64 uses openat */
#endif
	{ SYS_fstat, ALL, ANY },              /* is it a folder? */
	{ SYS_newfstatat, ALL, ANY },         /* the same, in later versions */
	{ SYS_fcntl, ALL, ONLY(1, F_SETFD) }, /* musl's open(): O_CLOEXEC */
	{ SYS_fcntl, ALL, ONLY(1, F_GETFD) }, /* musl's fstat(), after EBADF */
	{ SYS_pwrite64, WRITER, ANY },        /* the result, into its room */
	{ SYS_ftruncate, WRITER, ANY },       /* and no longer than it is */
	{ SYS_fchmod, WRITER, ANY },          /* everybody may read it */
	{ SYS_fsync, WRITER, ANY },           /* it is whole */
	{ SYS_fdatasync, LAUNCHER, ANY },     /* so is a line of a journal */
	{ SYS_renameat, WRITER, ANY },        /* the result in its place */
	{ SYS_unlinkat, WRITER, ANY },        /* what could not be renamed */

	/* the end */
	{ SYS_rt_sigreturn, ALL, ANY },          /* from SIGTERM's handler */
	{ SYS_kill, ALL, ONLY(0, OWN_PROCESS) }, /* crash.c dies of it */
	{ SYS_exit_group, ALL, ANY },            /* exit() */
	{ UINT32_MAX, ALL, ANY }, /* no call: a tracer put its result there */
};

#define RULE_COUNT (sizeof(RULES) / sizeof(RULES[0]))
#define STEPS_PER_RULE 6
#define STEPS_MAX (5 + RULE_COUNT * STEPS_PER_RULE)

/*
 * The steps of a filter (Linux, Documentation/userspace-api/seccomp_filter).
 * JEQ skips so many steps if equal, so many if not.
 */
#define LOAD(member) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
		 (uint32_t)offsetof(struct seccomp_data, member))
#define AND(mask) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask))
#define JEQ(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

/* Returns how many steps were written; the number of the call is loaded. */
static size_t
put_rule(const struct rule *rule, struct sock_filter *out)
{
	const uint32_t value =
		rule->value == OWN_PROCESS ? (uint32_t)getpid() : rule->value;
	const struct sock_filter plain[] = {
		JEQ(rule->call, 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
	};
	const struct sock_filter limited[STEPS_PER_RULE] = {
		JEQ(rule->call, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 (uint32_t)(offsetof(struct seccomp_data, args) +
				    sizeof(uint64_t) * rule->argument)),
		AND(rule->mask),
		JEQ(value, 0, 1),
		RETURN(SECCOMP_RET_ALLOW),
		LOAD(nr),
	};

	if (rule->mask == 0) {
		memcpy(out, plain, sizeof(plain));
		return sizeof(plain) / sizeof(plain[0]);
	}
	memcpy(out, limited, sizeof(limited));
	return STEPS_PER_RULE;
}

/*
 * The architecture first: on another one the numbers mean other calls. Those of
 * x32 have a bit of their own, so that none is in the table.
 */
static size_t
build_filter(enum sandbox_role role, struct sock_filter out[static STEPS_MAX])
{
	static const struct sock_filter head[] = {
		LOAD(arch),
		JEQ(ARCHITECTURE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
	};
	static const struct sock_filter tail = RETURN(FORBIDDEN);
	size_t count = sizeof(head) / sizeof(head[0]);

	memcpy(out, head, sizeof(head));
	for (size_t i = 0; i < RULE_COUNT; i++)
		if ((RULES[i].roles & role) != 0)
			count += put_rule(&RULES[i], out + count);
	out[count++] = tail;
	return count;
}

/* EINVAL: a kernel without filters, or an emulator of one. */
static bool
enter_filter(enum sandbox_role role)
{
	struct sock_filter steps[STEPS_MAX];
	const struct sock_fprog program = {
		.len = (unsigned short)build_filter(role, steps),
		.filter = steps,
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ==
		       0 ||
	       errno == EINVAL || errno == ENOSYS;
}

enum code
sandbox_enter(enum sandbox_role role, const struct sandbox_allow *allow,
	      struct status *st)
{
	if (allow != NULL && landlock_enter(allow, st) != CODE_OK)
		return st->code;
	if (!enter_filter(role))
		return status_set(st, CODE_INTERNAL,
				  "cannot give up system calls (seccomp): %s",
				  strerror(errno));
	return CODE_OK;
}
