#include "sys/entropy.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

bool
entropy_fill(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
	}
	return true;
}
