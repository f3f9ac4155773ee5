/*
 * Floor 2, network. Messages for BearSSL's error numbers.
 */
#ifndef NET_TLS_ERRORS_H
#define NET_TLS_ERRORS_H

#include "base/status.h"

/*
 * Records what `error` of br_ssl_engine_last_error() (not one of the X.509
 * errors, see x509_explain()) means for the connection to `host`: what
 * happened and what to do. UNAVAILABLE; permanent where a repetition cannot
 * help.
 */
enum code tls_explain(const char *host, int error, struct status *st);

#endif
