/* Any text as a bundle of roots, and as a private key. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "gcp/jwt.h"
#include "net/trust.h"

static struct trust trust;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status st = { .code = CODE_OK };
	static struct jwt_key key;
	char path[32];
	int fd = memfd_create("bundle", 0);

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must_tell(trust_use_file(&trust, "SSL_CERT_FILE", path, 1700000000,
				 DEADLINE_NEVER, &st),
		  &st);
	must((st.code == CODE_OK) == (trust.count > 0) ||
	     st.code == CODE_INVALID_ARGUMENT);
	must(trust.count <= ANCHORS_MAX);
	(void)close(fd);
	status_clear(&st);
	must_tell(jwt_key_read(&key, (struct str){ (const char *)data, size },
			       &st),
		  &st);
	return 0;
}
