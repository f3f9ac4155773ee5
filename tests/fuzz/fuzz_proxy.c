/* Any proxy and list of exceptions, for any host: three lines of one input. */
#include "net/proxy.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	char *list = strchr(text, '\n'), *host = NULL;
	struct status st = { .code = CODE_OK };
	static struct proxy proxy;
	struct url url;

	if (list != NULL) {
		*list++ = '\0';
		host = strchr(list, '\n');
	}
	if (host != NULL)
		*host++ = '\0';
	must_tell(proxy_read(&proxy, text, list, &st), &st);
	must(memchr(proxy.authorization, '\0', sizeof(proxy.authorization)) !=
	     NULL);
	if (host != NULL && st.code == CODE_OK &&
	    url_parse(&url, str_from(host), "URL", &st) == CODE_OK) {
		bool applies = proxy_applies(&proxy, &url);

		must(!applies || (url.tls && !url_is_loopback(&url)));
		must(!applies || strcmp(list, "*") != 0);
	}
	free(text);
	return 0;
}
