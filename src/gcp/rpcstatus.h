/*
 * Floor 3, Google. The error replies of Google's services.
 *
 * API errors are google.rpc.Status in JSON (AIP-193), token endpoints send the
 * OAuth form (RFC 6749 section 5.2), metadata servers plain text, front ends
 * and proxies HTML. Only JSON decides more than the HTTP status does, and only
 * by `status` and `reason`, never by message text; that may choose a hint.
 */
#ifndef GCP_RPCSTATUS_H
#define GCP_RPCSTATUS_H

#include "base/json.h"
#include "base/redact.h"
#include "base/status.h"

/* An error reply, and what is known of who sent it. */
struct error_reply {
	int http_status;
	struct json_value json; /* its body, or absent if it is not JSON */
	struct str text;   /* its body; NULL if errors are never plain text */
	const char *hints; /* a table (hint.h), or NULL */
	const struct secrets *secrets; /* what its sender knows and may quote */
	enum code expected; /* an answer: its text is not read; OK for none */
};

/*
 * Records an error reply. Takes code, message, ErrorInfo reason, RetryInfo and
 * the Help link, and adds a hint where there is one. The secrets are kept out
 * of what it takes. An OAuth error counts whatever `http_status` is; all else
 * must be outside 200 to 299. Returns the code.
 */
enum code rpcstatus_read(const struct error_reply *reply, struct status *st);

#endif
