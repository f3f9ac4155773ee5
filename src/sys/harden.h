/*
 * Floor 1, process. What the process gives up before it does anything.
 */
#ifndef SYS_HARDEN_H
#define SYS_HARDEN_H

/*
 * No core dump, no tracing by others of the same user, no new privileges;
 * tables of pointers are read-only (RELRO).
 * Best effort: an old kernel that lacks one of them is no reason to fail.
 * Also makes sure that descriptors 0, 1 and 2 are open (if they were not, to
 * /dev/null, which gives no byte and takes none), so that no socket or file
 * takes the place of one of them.
 */
void harden(void);

#endif
