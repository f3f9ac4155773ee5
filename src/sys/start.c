/*
 * Floor 1, process. The entry point on x86-64: applies the packed relative
 * relocations (DT_RELR), which Debian's musl 1.2.3 does not know, then goes on
 * to musl's own _start. They take 100 bytes where DT_RELA takes 24 each.
 *
 * This runs before any pointer in a table is good and before there is a stack
 * protector: it calls nothing and reads no table.
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

/* In the generic ABI since 2022; musl 1.2.3's <elf.h> is older. */
#ifndef DT_RELR
#define DT_RELR 36
#define DT_RELRSZ 35
#endif

/* A bitmap is a word with the lowest bit set, for the 63 words that follow. */
#define BITMAP_WORDS 63

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

void start_relocate(void);
void start(void);

__attribute__((used, no_stack_protector)) void
start_relocate(void)
{
	uintptr_t base = (uintptr_t)__ehdr_start;
	const uint64_t *packed = NULL;
	uint64_t *word = NULL;
	size_t count = 0;

	for (Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_RELR)
			packed = (const uint64_t *)(base + d->d_un.d_ptr);
		if (d->d_tag != DT_RELRSZ)
			continue;
		count = d->d_un.d_val / sizeof(*packed);
		/* So that a C library which knows DT_RELR adds nothing. */
		d->d_un.d_val = 0;
	}
	for (size_t i = 0; packed != NULL && i < count; i++) {
		if ((packed[i] & 1) == 0) {
			word = (uint64_t *)(base + packed[i]);
			*word++ += base;
			continue;
		}
		if (word == NULL)
			break; /* malformed: an address comes first */
		for (unsigned bit = 0; bit < BITMAP_WORDS; bit++)
			if (((packed[i] >> (bit + 1)) & 1) != 0)
				word[bit] += base;
		word += BITMAP_WORDS;
	}
}

/* The stack is as the kernel left it, which _start expects, after the call. */
__attribute__((naked, used)) void
start(void)
{
	__asm__("call start_relocate\n\tjmp _start");
}
