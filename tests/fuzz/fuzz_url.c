/* Any text as a URL: what is accepted must be read again as the same. */
#include "net/url.h"

#include <stdio.h>

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct status st = { .code = CODE_OK };
	struct url url, again;
	char copy[URL_PATH_MAX + HOST_NAME_MAX_SIZE + 32];

	must_tell(url_from_host(&again, text, 80, "HOST", &st), &st);
	status_clear(&st);
	must_tell(url_parse(&url, text, "URL", &st), &st);
	if (st.code != CODE_OK)
		return 0;
	must(url.port != 0 && url.host[0] != '\0');
	must(strlen(url.path) <= URL_PATH_MAX / 2);
	(void)snprintf(copy, sizeof(copy), "http%s://%s%s", url.tls ? "s" : "",
		       url.authority, url.path);
	must(url_parse(&again, str_from(copy), "URL", &st) == CODE_OK);
	must(again.tls == url.tls && again.port == url.port);
	must(strcmp(again.host, url.host) == 0);
	must(strcmp(again.authority, url.authority) == 0);
	must(strcmp(again.path, url.path) == 0);
	return 0;
}
