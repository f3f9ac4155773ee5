/*
 * Floor 4, job. What a valid pull secret is.
 *
 * pullsecret.h          checks a text
 * pullsecret_rules.h    the rules: which consumer breaks on what
 * pullsecret_auth.h     the credential of an entry
 * pullsecret_keys.h     the registries that keys of `auths` stand for
 * pullsecret_shape.h    mix-ups that are known by their shape
 *
 * A dockerconfigjson as every consumer of it reads it: CRI-O, the kubelet and
 * the OpenShift installer differ, and what passes here is read by all of them.
 * Needs nothing but floor 0, so that it works offline.
 */
#ifndef JOB_PULLSECRET_H
#define JOB_PULLSECRET_H

#include "base/json.h"

/* Who reads pull secrets; a set of them is joined by |. */
enum consumer {
	INSTALLER = 1, /* OpenShift's installer */
	KUBELET = 2,
	CRIO = 4,      /* CRI-O, podman, skopeo and oc: containers/image */
	MCO = 8,       /* Machine Config Operator, where it builds images */
	ASSISTED = 16, /* assisted-service */
	INSIGHTS = 32  /* Insights Operator */
};

/* Their names in --profile, in the order of the bits. */
#define CONSUMERS "installer|kubelet|crio|mco|assisted|insights"

/* What ends a run. All of them want strict JSON with a non-empty `auths`. */
enum strictness {
	STRICTNESS_BASIC, /* nothing else: as the Go program */
	STRICTNESS_NORMAL,
	STRICTNESS_STRICT /* warnings, too */
};

struct pullsecret_policy {
	enum strictness strictness;
	unsigned profile;     /* the only consumers that count; 0: all */
	const char *required; /* registries, "a,b"; NULL: none */
	int64_t now;          /* seconds since 1970; 0: unknown */
};

/* Bytes of warnings that are kept. */
#define PULL_SECRET_WARNINGS_SIZE 4096

/* What was found; `text` points into the struct itself. */
struct pullsecret_findings {
	size_t registries; /* entries of auths */
	size_t warnings;   /* all of them */
	size_t kept;       /* those in `text`, a line each, with its end */
	struct buf text;
	char memory[PULL_SECRET_WARNINGS_SIZE];
};

/* A fake for tests; it logs in nowhere. */
extern const char PULL_SECRET_FAKE[];

/*
 * Checks `text`: at most PULL_SECRET_MAX bytes of strict JSON; `auths` an
 * object with at least one entry; and each rule of pullsecret_rules.c, as
 * `policy` weighs it. `tokens` and `scratch` (room for PULL_SECRET_MAX bytes,
 * wiped afterwards) are lent.
 * INVALID_ARGUMENT says where and why, never what; a text that looks like one
 * of the usual mix-ups gets a hint. Otherwise warnings are in `found`.
 */
MUST_CHECK enum code
pullsecret_check(struct str text, const struct pullsecret_policy *policy,
		 struct json_tokens *tokens, struct buf *scratch,
		 struct pullsecret_findings *found, struct status *st);

/* `text` without the JSON white space (SP HT LF CR) at its end. */
struct str pullsecret_strip(struct str text);

#endif
