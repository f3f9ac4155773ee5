/* Any text as a credential file. */
#include "gcp/adc.h"

#include "fuzz.h"
#include "gcp/cred.h"

static struct cred cred;
static struct call call;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cred_settings settings = {
		.endpoint = "https://secretmanager.googleapis.com",
	};
	struct status st = { .code = CODE_OK };

	call_init(&call);
	memset(&cred, 0, sizeof(cred));
	buf_put(&call.body, data, size);
	must_tell(adc_read(&cred, &settings, &call, "/file", &st), &st);
	must(st.code == CODE_OK || st.code == CODE_INVALID_ARGUMENT);
	must(cred.impersonation_count <= CRED_IMPERSONATIONS_MAX);
	must(cred.subject.header_count <= SOURCE_FIELDS_MAX);
	if (st.code == CODE_OK)
		must(cred.url.host[0] != '\0' &&
		     (cred.url.tls || url_is_loopback(&cred.url)));
	cred_wipe(&cred);
	return 0;
}
