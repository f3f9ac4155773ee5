/*
 * Floor 1, process. The entry point: unpacks constants and tables, which
 * scripts/pack has packed, and on x86-64 applies the packed relative
 * relocations (DT_RELR), which Debian's musl 1.2.3 does not know; they take 100
 * bytes where DT_RELA takes 24 each. Then it goes on to musl's own _start.
 *
 * This runs before there is a constant, a pointer in a table or a stack
 * protector: it calls nothing and reads no table.
 */
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the generic ABI since 2022; musl 1.2.3's <elf.h> is older. */
#ifndef DT_RELR
#define DT_RELR 36
#define DT_RELRSZ 35
#endif

/* A bitmap is a word with the lowest bit set, for the 63 words that follow. */
#define BITMAP_WORDS 63

#define HIDDEN __attribute__((visibility("hidden")))
#define SMALL __attribute__((cold))

/* The linker names these. */
extern const char __ehdr_start[] HIDDEN;
extern Elf64_Dyn _DYNAMIC[] HIDDEN;
extern unsigned char tables_start[] HIDDEN, tables_end[] HIDDEN;

void start_prepare(void);

/* A count that may go on in bytes of its own. */
static size_t
take_count(const unsigned char **from, size_t count, size_t limit)
{
	unsigned char more;

	if (count < limit)
		return count;
	do {
		more = *--*from;
		count += more;
	} while (more == 255);
	return count;
}

/* Copies `count` bytes that end at `from` to where they end at `to`. */
static void
copy_down(unsigned char *to, const unsigned char *from, size_t count,
	  bool in_one)
{
	/* Most are this short, and a loop costs a wrong guess of its end. */
	if (in_one && count <= 8) {
		__builtin_memcpy(to - 8, from - 8, 8);
		return;
	}
	while (count-- > 0)
		*--to = *--from;
}

/*
 * From the end down to the start, in place; scripts/pack has the format, and
 * has seen to it that nothing is overwritten before it was read.
 */
static void
unpack(const unsigned char *from)
{
	unsigned char *to = tables_end;

	for (;;) {
		unsigned char first = *--from;
		size_t count = take_count(&from, first & 3, 3), distance;
		/* Whether what lies below the bytes to write may change. */
		bool wide = to - from >= 64;

		copy_down(to, from, count, wide);
		to -= count;
		from -= count;
		if (to == tables_start)
			return;
		distance = first >> 6;
		if (distance == 3)
			distance = *--from;
		distance = (distance << 8 | *--from) + 1;
		count = take_count(&from, (first >> 2) & 15, 15) + 2;
		wide = wide && distance >= 8;
		copy_down(to, to + distance, count, wide);
		to -= count;
	}
}

#ifdef __x86_64__
SMALL static void
relocate(uintptr_t base)
{
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
#else
static void
relocate(uintptr_t base)
{
	(void)base; /* the C library does */
}
#endif

SMALL __attribute__((used)) void
start_prepare(void)
{
	uintptr_t base = (uintptr_t)__ehdr_start;
	const Elf64_Ehdr *file = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *segment = (const Elf64_Phdr *)(base + file->e_phoff);
	uintptr_t end = (uintptr_t)tables_end; /* which says: not packed */

	/* The tables are the end of the last segment, the writable one. */
	for (unsigned i = 0; i < file->e_phnum; i++)
		if (segment[i].p_type == PT_LOAD)
			end = base + segment[i].p_vaddr + segment[i].p_filesz;
	if (end != (uintptr_t)tables_end)
		unpack((const unsigned char *)end);
	relocate(base);
}

/* The stack is as the kernel left it, which _start expects, after the call. */
#ifdef __x86_64__
#define CALL "call"
#define JUMP "jmp"
#else
#define CALL "bl"
#define JUMP "b"
#endif
__asm__(".globl start\n"
	".type start, %function\n"
	"start:\n\t" CALL " start_prepare\n\t" JUMP " _start\n");
