/*
 * Floor 1, process. Random bytes from the kernel.
 */
#ifndef SYS_ENTROPY_H
#define SYS_ENTROPY_H

#include "base/buf.h"

/*
 * Fills `out` with `len` bytes of getrandom(2). There is no second source:
 * false means that the kernel gave none, and nothing secret may be made then.
 */
MUST_CHECK bool entropy_fill(void *out, size_t len);

#endif
