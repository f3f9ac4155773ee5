#include "sys/harden.h"

#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The ELF header in memory; the linker names it. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/*
 * Makes read-only what the start had to relocate (RELRO): vtables, tables of
 * applets, jobs and methods. musl's loader does this, its static start does
 * not.
 */
static void
protect_relocated(void)
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	size_t count = getauxval(AT_PHNUM), page = getauxval(AT_PAGESZ);
	uintptr_t start, end;

	for (size_t i = 0; i < count; i++) {
		if (header[i].p_type != PT_GNU_RELRO)
			continue;
		start = (uintptr_t)__ehdr_start + header[i].p_vaddr;
		end = (start + header[i].p_memsz + page - 1) & ~(page - 1);
		start &= ~(page - 1);
		(void)mprotect((void *)start, end - start, PROT_READ);
	}
}

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
	protect_relocated();
	/* Not setrlimit(): the C library would stop all threads for it. */
	(void)prlimit(0, RLIMIT_CORE, &none, NULL);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
