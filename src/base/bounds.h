/* Floor 0, bytes. Every limit of the program, each with its reason. */
#ifndef BASE_BOUNDS_H
#define BASE_BOUNDS_H

/* A secret version holds 1 to 65,536 bytes (Secret Manager quotas). */
#define PULL_SECRET_MAX 65536

/* White space after the pull secret is cut off before the limit counts. */
#define PULL_SECRET_SLACK 4096

/*
 * A line of a list of tasks: a pull secret as a string has up to 128 KiB, with
 * a backslash before each quote.
 */
#define TASK_LINE_MAX (160 * 1024)

/* Deepest nesting of JSON that is read or built; Google's replies need 6. */
#define JSON_DEPTH_MAX 32

/*
 * Most values and keys in one JSON text. The densest pull secret of 64 KiB
 * has about 15,000.
 */
#define JSON_TOKENS_MAX 16384

/* Longest message and hint that a status holds, with the final NUL. */
#define STATUS_MESSAGE_MAX 1024
#define STATUS_HINT_MAX 512
/* Longest ErrorInfo reason (google.rpc.ErrorInfo: 63 characters). */
#define STATUS_REASON_MAX 64

/* A host name in text form (RFC 1035 section 2.3.4), with the final NUL. */
#define HOST_NAME_MAX_SIZE 256
/* Longest path of a URL that is requested, and longest query. */
#define URL_PATH_MAX 1024

/* Response head: RFC 9112 names no limits; Google's heads stay under 2 KiB. */
#define HTTP_LINE_MAX 8192
#define HTTP_HEAD_MAX 32768
#define HTTP_FIELDS_MAX 100
/* Chunk extensions and trailers are read and dropped, up to here. */
#define HTTP_CHUNK_LINE_MAX 1024
#define HTTP_CHUNK_OVERHEAD_MAX 16384
#define HTTP_TRAILERS_MAX 8192
/* Interim (1xx) responses that are skipped before the final one. */
#define HTTP_INTERIM_MAX 8

/* Request head: the bearer token, or the fields of a source's URL. */
#define HTTP_REQUEST_HEAD_MAX 24576
/* Request body: a full payload in base64 (87,384) and its JSON frame. */
#define HTTP_REQUEST_BODY_MAX (96 * 1024)
/* Response body: the same payload read back, pretty-printed. */
#define HTTP_RESPONSE_BODY_MAX (128 * 1024)

/*
 * Access tokens are opaque: Google's stay under 2 KiB, those of its Security
 * Token Service under 12,288 bytes. Refresh tokens have no limit of their own.
 */
#define TOKEN_MAX 16384
/*
 * Header fields that a source of subject tokens is asked with: GitHub's needs
 * one, a token of a few KiB; Azure's one or two.
 */
#define SOURCE_FIELDS_MAX 32
#define SOURCE_FIELDS_SIZE 16384
/* A subject token that can be read only once, from a pipe. */
#define SUBJECT_TOKEN_MAX 65536
/* Credential files: the longest known kind stays under 8 KiB. */
#define CREDENTIAL_FILE_MAX 65536

/*
 * TLS records in a row that lead to nothing (empty ones, warnings,
 * HelloRequests), as OpenSSL allows of empty ones; and all bytes of the peer's
 * part of a handshake: a chain of the length below, in small records.
 */
#define TLS_IDLE_RECORDS_MAX 32
#define TLS_HANDSHAKE_MAX (1024 * 1024)
/*
 * What a server may send as its chain (RFC 5246 section 7.4.2): bytes, as
 * OpenSSL takes by default, and certificates before a root that is trusted.
 */
#define CHAIN_SIZE (100 * 1024)
#define CHAIN_MAX 10
/* A root in DER; those that are known stay under 3 KiB. */
#define ROOT_MAX 16384
/*
 * PEM files of one run; a bundle of all public roots has 0.3 MiB, and
 * ANCHORS_MAX roots with their text 6 MiB.
 */
#define PEM_FILES_SIZE (16 * 1024 * 1024)
/* Trust anchors taken from PEM files, and the memory for names and keys. */
#define ANCHORS_MAX 1024
#define ANCHOR_POOL_SIZE (1024 * 1024)

/* Addresses tried for one host name. */
#define ADDRESSES_MAX 16
/*
 * Descriptors that are waited for at once: two connections that open, each to
 * all addresses of its host, and one in use.
 */
#define WAIT_MAX (2 * ADDRESSES_MAX + 1)
/* Name servers used of /etc/resolv.conf (as musl and glibc do). */
#define NAME_SERVERS_MAX 3
/* Longest list of search domains (Kubernetes' limit), with the final NUL. */
#define SEARCH_LIST_SIZE 2049
/* One DNS answer; larger ones are asked for over TCP (RFC 1035 4.2.2). */
#define DNS_MESSAGE_MAX 4096

/*
 * One log line, and the result file (the reader takes up to 1 MiB): message,
 * hint and names, were every byte of them written as \u00XX.
 */
#define LOG_LINE_MAX 12288
#define RESULT_FILE_MAX 12288
/* What Kubernetes keeps of a termination log. */
#define TERMINATION_LOG_MAX 4096

/* The Job's budget: status-reporter gives up after 300 s. */
#define TIMEOUT_DEFAULT_S 280
#define TIMEOUT_MAX_S 86400

/*
 * Of a list of tasks: processes that work on it, tasks that are read ahead of
 * them (too few, and a worker is idle while the others' tasks are in the way),
 * and a path that a line names.
 */
#define WORKERS_MAX 32
#define TASKS_AHEAD_MAX 64
#define TASKS_AHEAD(workers) \
	((workers) < TASKS_AHEAD_MAX / 4 ? 4 * (workers) : TASKS_AHEAD_MAX)
#define TASK_PATH_MAX 1024
/* 64 labels of 63 + 1 + 63 bytes, the commas, and the final NUL. */
#define LABELS_TEXT_MAX 8192

_Static_assert(HTTP_REQUEST_BODY_MAX > (PULL_SECRET_MAX + 2) / 3 * 4 + 256,
	       "a full payload fits a request");
_Static_assert(HTTP_RESPONSE_BODY_MAX > HTTP_REQUEST_BODY_MAX,
	       "a full payload fits a response");
_Static_assert(HTTP_REQUEST_HEAD_MAX > TOKEN_MAX + 2 * URL_PATH_MAX + 2048,
	       "a full token fits a request head");
_Static_assert(TOKEN_MAX >= SOURCE_FIELDS_SIZE, "and so do a source's fields");

#endif
