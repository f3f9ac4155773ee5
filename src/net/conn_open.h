/*
 * Floor 2, network. How a connection opens: name and TCP, perhaps a proxy with
 * TLS and a tunnel, then TLS. Private to conn*.c.
 */
#ifndef NET_CONN_OPEN_H
#define NET_CONN_OPEN_H

#include "net/conn.h"

/* Whether it is under way. */
bool conn_is_opening(const struct conn *c);

/* Starts, without waiting. */
void conn_start_opening(struct conn *c);

/*
 * Goes on as far as it can without waiting; OK while it is under way and when
 * it is done. Codes: those of dial_step(), tunnel_step() and tls_step(), and
 * UNAVAILABLE if a phase takes too long.
 */
MUST_CHECK enum code conn_step_opening(struct conn *c, struct status *st);

/* Milliseconds since the last call, or since opening started. */
int64_t conn_lap(struct conn *c);

/* Adds what it waits for before the next step. */
void conn_opening_wait(struct conn *c, struct wait_list *list);

#endif
