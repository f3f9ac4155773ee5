/*
 * Floor 0, bytes. Text by a format, as printf(3) reads it.
 *
 * The C library's own brings floating point, wide characters and files along,
 * which are a twentieth of the program. This one knows what messages need:
 * %s %.*s, %d and %u with l, ll or z, a width with zeros as in %02u, and %%.
 * Any other conversion ends the text there.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the text and a final NUL into `out` of `size` bytes, at least one.
 * Returns false if it did not fit whole: then it is cut.
 */
bool format_text(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same for a function that takes such arguments itself. */
bool format_args(char *out, size_t size, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

#endif
