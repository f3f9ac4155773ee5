/*
 * Floor 0, bytes. The order of the keys of a JSON text, for json_walk.c.
 */
#ifndef BASE_JSON_KEYS_H
#define BASE_JSON_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* Orders two keys by object and content; 0 for duplicates in one object. */
int json_keys_compare(const struct json *json, uint16_t a, uint16_t b);

/*
 * Sorts `count` indices of keys that way, duplicates in the order of the
 * text: n log n comparisons whatever a text is made of.
 */
void json_keys_sort(const struct json *json, uint16_t *order, size_t count);

#endif
