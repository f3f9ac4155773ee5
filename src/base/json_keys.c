#include "base/json_keys.h"

#include <stdbool.h>

#include "base/json_string.h"

int
json_keys_compare(const struct json *json, uint16_t a, uint16_t b)
{
	int left = json->token[a].parent;
	int right = json->token[b].parent;

	if (left != right)
		return left < right ? -1 : 1;
	return json_compare(json_raw((struct json_value){ json, a }),
			    json_raw((struct json_value){ json, b }));
}

/* Whether `a` sorts before `b`; duplicates stay in the order of the text. */
static bool
is_before(const struct json *json, uint16_t a, uint16_t b)
{
	int order = json_keys_compare(json, a, b);

	return order != 0 ? order < 0 : a < b;
}

/* Restores the heap below `at`, whose greatest key is on top. */
static void
sift_down(const struct json *json, uint16_t *heap, size_t count, size_t at)
{
	uint16_t key = heap[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count &&
		    is_before(json, heap[child], heap[child + 1]))
			child++;
		if (!is_before(json, key, heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = key;
}

/* A heap sort: it needs neither memory nor, ever, time of n squared. */
void
json_keys_sort(const struct json *json, uint16_t *order, size_t count)
{
	for (size_t at = count / 2; at > 0; at--)
		sift_down(json, order, count, at - 1);
	for (size_t last = count; last > 1; last--) {
		uint16_t greatest = order[0];

		order[0] = order[last - 1];
		order[last - 1] = greatest;
		sift_down(json, order, last - 1, 0);
	}
}
