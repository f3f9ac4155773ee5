/*
 * Floor 1, process. What the process gives up before it does anything.
 */
#ifndef SYS_HARDEN_H
#define SYS_HARDEN_H

/*
 * No core dump, no tracing by others of the same user, no new privileges.
 * Best effort: an old kernel that lacks one of them is no reason to fail.
 * Also makes sure that descriptors 0, 1 and 2 are open (to /dev/null if they
 * were not), so that no socket or file takes the place of one of them.
 * Returns a mask: bit 1 set if standard output was closed, bit 2 if standard
 * error was.
 */
unsigned harden(void);

#endif
