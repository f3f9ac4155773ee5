#include "gcp/cred_metadata.h"

#include "base/format.h"
#include "gcp/hint.h"
#include "sys/file.h"
#include "sys/opt.h"

#define METADATA_HOST "169.254.169.254"
#define METADATA_HOST6 "[fd20:ce::254]"

#define METADATA_PATH \
	"/computeMetadata/v1/instance/service-accounts/default/token" \
	"?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"

/* A new pod's metadata server is up within 5 to 10 s, nearly always. */
#define PATIENCE_MS 30000
/* Where nothing shows that there is one. */
#define PATIENCE_ELSEWHERE_MS 2000

/* What the firmware calls the machine (SMBIOS), as Linux shows it. */
#define PRODUCT_NAME "/sys/class/dmi/id/product_name"

/* The metadata server is one hop away: short limits, many tries. */
static const struct conn_limits LIMITS = {
	.dial = { .resolve_ms = 5000, .connect_ms = 2000 },
	.handshake_ms = 5000,
	.first_byte_ms = 5000,
	.exchange_ms = 5000,
};

static const struct conn_limits LIMITS_ELSEWHERE = {
	.dial = { .resolve_ms = 2000, .connect_ms = 2000 },
	.handshake_ms = 2000,
	.first_byte_ms = 2000,
	.exchange_ms = 2000,
};

static const struct conn_limits *
limits_of(const struct cred *cred)
{
	return cred->is_elsewhere ? &LIMITS_ELSEWHERE : &LIMITS;
}

/*
 * A reply without "Metadata-Flavor: Google" comes from something else that
 * answers on that address, and is ignored.
 */
static bool
is_from_google(const struct call *call)
{
	return call->response.state != HTTP_COMPLETE ||
	       str_eq(http_field(&call->response, "Metadata-Flavor"),
		      STR("Google"));
}

/*
 * What else answers there: in Kubernetes a service mesh's sidecar that is not
 * configured yet, and no refusal of Google's; elsewhere a captive portal.
 */
static enum code
reject_impostor(const struct cred *cred, const struct call *call,
		struct deadline grace, struct status *st)
{
	bool passes = cred->in_kubernetes || deadline_left(grace) > 0;
	int http_status = call->response.status;

	status_clear(st);
	st->http_status = http_status;
	status_hint(st, "something else answers on the metadata server's "
			"address: check proxies, service mesh and "
			"GCE_METADATA_HOST");
	return status_set(st, passes ? CODE_UNAVAILABLE : CODE_UNAUTHENTICATED,
			  "the reply (HTTP %d) lacks Metadata-Flavor: Google, "
			  "so it is not from a metadata server",
			  http_status);
}

static const char METADATA_HINTS[] =
	"403|404|500\0getAccessToken\0"
	"grant the Kubernetes service account roles/iam.workloadIdentityUser "
	"on the Google service account; a new binding may take minutes "
	"(--permission-wait)\0"
	"404\0\0"
	"no service account is attached: bind the Kubernetes service account "
	"(Workload Identity) or attach one to the node\0"
	"UNAVAILABLE|INTERNAL|DEADLINE_EXCEEDED\0\0"
	"the metadata server is in trouble: on GKE look at its pods "
	"(k8s-app=gke-metadata-server)\0"
	"token\0\0"
	"the service account here may be disabled or deleted\0";

/* Whether an error of the metadata server may pass soon. */
static void
classify_error(struct cred *cred, struct deadline grace_404, struct status *st)
{
	if (st->code == CODE_OK || st->code == CODE_CANCELLED)
		return;
	/* On GKE it passes on that of generateAccessToken. */
	st->not_granted = st->http_status == 403;
	if (st->http_status == 404) {
		st->code = CODE_UNAVAILABLE;
		st->permanent = deadline_left(grace_404) == 0;
		if (st->permanent)
			st->code = CODE_UNAUTHENTICATED;
	} else if (st->http_status == 0) {
		st->permanent =
			cred->is_elsewhere && deadline_left(cred->grace) == 0;
		if (st->permanent)
			st->code = CODE_UNAUTHENTICATED;
		st->hint[0] = '\0';
		status_hint(st,
			    "on Google Cloud: check egress to %s; "
			    "elsewhere: run gcloud auth "
			    "application-default login or set "
			    "GOOGLE_APPLICATION_CREDENTIALS",
			    cred->url.authority);
	}
}

/*
 * Its IPv4 address first, then its IPv6 address, and so on in turn until one
 * of them is reached. An address without a route fails at once.
 */
static const struct url *
choose_address(const struct cred *cred)
{
	const struct conn *c = &cred->conn;

	if (!cred->has_url6 || c->limits != limits_of(cred))
		return &cred->url;
	if (c->opened > 0)
		return c->url;
	return c->url == &cred->url ? &cred->url6 : &cred->url;
}

static enum code
fetch_metadata(struct cred *cred, struct call *call, struct deadline until,
	       struct token *token, struct status *st)
{
	static const struct http_field fields[] = {
		{ { "Metadata-Flavor", 15 }, { "Google", 6 } },
	};
	const struct call_service service = { &cred->conn,
					      "the metadata server",
					      METADATA_HINTS, true };

	cred_set_target(cred, choose_address(cred), limits_of(cred));
	call_start(call, &cred->conn);
	buf_put_cstr(&call->target, METADATA_PATH);
	(void)call_run(call, &service, "GET", fields, 1, until, st);
	if (!is_from_google(call))
		return reject_impostor(cred, call, cred->grace_404, st);
	if (st->code == CODE_OK)
		(void)token_take(token, call, &service, st);
	classify_error(cred, cred->grace_404, st);
	return st->code;
}

static const struct cred_type METADATA = {
	.name = "metadata server",
	.fetch = fetch_metadata,
	.hints = METADATA_HINTS,
};

/* "Google" or "Google Compute Engine". */
static bool
is_made_by_google(struct deadline until)
{
	struct status unread = { .code = CODE_OK };
	char memory[64];
	struct buf name;

	buf_init(&name, memory, sizeof(memory));
	(void)file_read(PRODUCT_NAME, "product name", until, &name, &unread);
	return str_starts(buf_view(&name), STR("Google"));
}

static bool
is_on_google_cloud(const struct cred_settings *settings)
{
	return settings->metadata_host != NULL || settings->in_kubernetes ||
	       settings->in_cloud_run || is_made_by_google(settings->until);
}

enum code
cred_metadata_use(struct cred *cred, const struct cred_settings *settings,
		  struct status *st)
{
	const char *host = settings->metadata_host != NULL
				   ? settings->metadata_host
				   : METADATA_HOST;
	struct cred_place *place = &cred->place[CRED_METADATA];

	cred->type = &METADATA;
	if (!str_copy(str_from(settings->universe != NULL ? settings->universe
							  : "googleapis.com"),
		      cred->universe, sizeof(cred->universe)))
		return status_set(st, CODE_INVALID_ARGUMENT, "%s is too long",
				  opt_given("GOOGLE_CLOUD_UNIVERSE_DOMAIN"));
	if (url_from_host(&cred->url, str_from(host), 80,
			  opt_given("GCE_METADATA_HOST"), st) != CODE_OK)
		return st->code;
	cred->in_kubernetes = settings->in_kubernetes;
	cred->is_elsewhere = !is_on_google_cloud(settings);
	cred->patience_ms =
		cred->is_elsewhere ? PATIENCE_ELSEWHERE_MS : PATIENCE_MS;
	cred->has_url6 = settings->metadata_host == NULL;
	if (cred->has_url6 &&
	    url_from_host(&cred->url6, STR(METADATA_HOST6), 80,
			  "GCE_METADATA_HOST", st) != CODE_OK)
		return st->code;
	(void)str_copy(str_from(cred->url.authority), place->where,
		       sizeof(place->where));
	(void)format_text(cred->source, sizeof(cred->source), "%s %s",
			  place->what, place->where);
	return CODE_OK;
}
