/*
 * Floor 3, Google. The error replies of Google's services.
 *
 * API errors are google.rpc.Status in JSON (AIP-193), token endpoints send the
 * OAuth form (RFC 6749 section 5.2), front ends and proxies send HTML. Only
 * JSON decides more than the HTTP status does, and only by `status` and
 * `reason`, never by message text.
 */
#ifndef GCP_RPCSTATUS_H
#define GCP_RPCSTATUS_H

#include "base/json.h"
#include "base/status.h"

/*
 * Records the error of a reply with HTTP status `http_status` outside 200 to
 * 299. `root` is its JSON body, or absent if it is not JSON. Takes code,
 * message, ErrorInfo reason, RetryInfo and the Help link, and adds a hint for
 * the reasons that have one. Returns the code.
 */
enum code rpcstatus_read(int http_status, struct json_value root,
			 struct status *st);

#endif
