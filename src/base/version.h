/*
 * Floor 0, bytes. What was built: the one object that knows.
 */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* `git describe`, the short commit, and an RFC 3339 time. */
extern const char VERSION[];
extern const char COMMIT[];
extern const char BUILD_DATE[];

/* "pull-secret/VERSION", as HTTP's User-Agent (RFC 9110 section 10.1.5). */
extern const char USER_AGENT[];

#endif
