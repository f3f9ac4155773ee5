/*
 * Floor 4, job. The rules for pull secrets, each with who breaks on it.
 */
#ifndef JOB_PULLSECRET_RULES_H
#define JOB_PULLSECRET_RULES_H

#include "job/pullsecret.h"

/* What a rule counts as without a profile. */
enum level {
	NEVER,
	WARNING,
	ERROR,
	ALWAYS /* an error, with any policy */
};

/* Who decodes `auth`, and who logs in with it; all. */
#define DECODERS (KUBELET | CRIO | ASSISTED)
#define PULLERS (KUBELET | CRIO)
#define ALL (INSTALLER | DECODERS | MCO | INSIGHTS)

/*
 * Name and level; who refuses the whole file or that registry's login; who goes
 * on without what is meant; and what is wrong, "": as in the row above. A text
 * that starts with a space follows the name of a member or a registry.
 */
#define RULES(ROW) \
	/* of the whole, whatever the policy */ \
	ROW(ROOT_TYPE, ALWAYS, 0, 0, "a pull secret must be an object") \
	ROW(AUTHS_MISSING, ALWAYS, 0, 0, "auths is missing") \
	ROW(AUTHS_TYPE, ALWAYS, 0, 0, "auths must be an object") \
	ROW(AUTHS_EMPTY, ALWAYS, 0, 0, "auths is empty") \
	ROW(REQUIRED, ALWAYS, 0, 0, " is required, but not in auths") \
	/* Go finds members in any case, and of two the last one counts. */ \
	ROW(CASE, ERROR, ALL, 0, " but for upper and lower case") \
	ROW(ROOT_HEADERS, ERROR, KUBELET, 0, " must be an object of strings") \
	ROW(ROOT_HELPERS, ERROR, CRIO | MCO, 0, "") \
	ROW(ROOT_UNREAD, WARNING, 0, KUBELET | MCO, "credential helpers") \
	ROW(UNKNOWN, WARNING, MCO, 0, "unknown member") \
	/* The helper of a registry is asked first, and only the helper. */ \
	ROW(HELPER, ERROR, CRIO, 0, "credHelpers names a registry of auths") \
	ROW(ENTRY_TYPE, ERROR, INSTALLER | DECODERS | MCO, 0, \
	    "the entry of a registry must be an object") \
	ROW(ENTRY_NULL, ERROR, INSTALLER, DECODERS, "") \
	ROW(ENTRY_TOKEN, WARNING, MCO, KUBELET, "a token beside auth") \
	/* The installer wants auth or credsStore, whatever its value. */ \
	ROW(AUTH_MISSING, ERROR, INSTALLER, DECODERS, "the entry lacks auth") \
	ROW(AUTH_APART, ERROR, INSTALLER, CRIO | ASSISTED, "") \
	ROW(AUTH_ELSEWHERE, ERROR, 0, DECODERS, "") \
	ROW(ENTRY_TEXT, ERROR, KUBELET | MCO, 0, " must be a string") \
	ROW(ENTRY_IDENTITY, ERROR, CRIO | MCO, 0, "") \
	ROW(AUTH_TYPE, ERROR, DECODERS | MCO, 0, "") \
	ROW(AUTH_NULL, ERROR, ASSISTED, PULLERS, "") \
	ROW(AUTH_EMPTY, ERROR, 0, DECODERS, "auth is empty") \
	/* There it is a bearer token, sent as it stands. */ \
	ROW(AUTH_LINES, ERROR, INSIGHTS, 0, "auth has line breaks") \
	ROW(AUTH_UNPADDED, ERROR, CRIO | ASSISTED, 0, \
	    "auth is not padded base64") \
	ROW(AUTH_ALPHABET, ERROR, DECODERS, 0, "") \
	ROW(AUTH_BASE64, ERROR, DECODERS, 0, \
	    "auth is not padded base64, or bits are left over at its end") \
	ROW(AUTH_COLON, ERROR, KUBELET | ASSISTED, CRIO, \
	    "auth is not base64 of user:password, there is no colon in it") \
	ROW(AUTH_USER, ERROR, 0, PULLERS, "the user name in auth is empty") \
	ROW(AUTH_PASSWORD, WARNING, 0, PULLERS, "no password in auth") \
	ROW(AUTH_CONTROL, ERROR, 0, PULLERS, \
	    "a line break or NUL in user:password") \
	ROW(AUTH_DIFFERS, WARNING, 0, PULLERS, \
	    " differs from auth, which counts") \
	ROW(AUTH_PLACEHOLDER, WARNING, 0, PULLERS, "auth is a placeholder") \
	ROW(AUTH_EXPIRED, WARNING, 0, PULLERS, "the JWT in auth has expired") \
	ROW(KEY_EMPTY, ERROR, 0, PULLERS, "a registry without a name") \
	ROW(KEY_HTTP, WARNING, 0, CRIO, "http:// before a registry") \
	ROW(KEY_USER, WARNING, 0, PULLERS, "@ in a registry") \
	ROW(KEY_SPACE, WARNING, 0, PULLERS, "a space in a registry") \
	ROW(KEY_GLOB, WARNING, 0, CRIO, "a wildcard in a registry") \
	ROW(KEY_CAPITAL, WARNING, 0, PULLERS, "capitals in a registry") \
	ROW(KEY_TAG, WARNING, 0, PULLERS, "a tag after a repository") \
	ROW(KEY_HUB, WARNING, 0, KUBELET, \
	    "no https://index.docker.io/v1/ beside it") \
	ROW(KEY_TWIN, WARNING, 0, PULLERS, "this registry is there twice") \
	ROW(NO_CLOUD, NEVER, 0, ASSISTED, "no cloud.openshift.com")

enum rule {
	RULE_NONE,
#define RULE_NAME(name, level, refuse, misread, text) RULE_##name,
	RULES(RULE_NAME)
#undef RULE_NAME
};

/* A check that goes on. */
struct check {
	const struct pullsecret_policy *policy;
	struct buf *scratch;
	struct pullsecret_findings *found;
	struct status *st;
};

/*
 * Records that the value at `where` breaks a rule, as the policy has it: as an
 * error, as a warning or not at all. `name` goes in front of the rule's text.
 * The code of the check so far.
 */
enum code rule_broken_by(const struct check *check, enum rule rule,
			 const char *name, struct json_value where);

/* The same for a rule whose text needs no name. */
enum code rule_broken(const struct check *check, enum rule rule,
		      struct json_value where);

#endif
