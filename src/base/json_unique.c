#include "base/json_inner.h"

/*
 * All keys of the text are sorted, by their object first, and twins then stand
 * side by side: n log n comparisons whatever a text is made of.
 */

_Static_assert(JSON_TOKENS_MAX <= 65536, "an index of a token fits 16 bits");

bool
json_is_key(const struct json *json, size_t index)
{
	const jsmntok_t *token = &json->token[index];

	return token->type == JSMN_STRING && token->parent >= 0 &&
	       json->token[token->parent].type == JSMN_OBJECT;
}

/* Orders two keys by object and content; 0 for twins. */
static int
compare(const struct json *json, size_t a, size_t b)
{
	int left = json->token[a].parent;
	int right = json->token[b].parent;

	if (left != right)
		return left < right ? -1 : 1;
	return json_compare(json_raw((struct json_value){ json, a }),
			    json_raw((struct json_value){ json, b }));
}

/* The same; twins in the order of the text. */
static bool
before(const struct json *json, size_t a, size_t b)
{
	int order = compare(json, a, b);

	return order < 0 || (order == 0 && a < b);
}

static void
swap(uint16_t *order, size_t i, size_t j)
{
	uint16_t kept = order[i];

	order[i] = order[j];
	order[j] = kept;
}

/* Restores the heap (the last key on top) below `root`. */
static void
sift_down(const struct json *json, uint16_t *order, size_t root, size_t count)
{
	size_t child;

	while ((child = 2 * root + 1) < count) {
		if (child + 1 < count &&
		    before(json, order[child], order[child + 1]))
			child++;
		if (!before(json, order[root], order[child]))
			return;
		swap(order, root, child);
		root = child;
	}
}

/* Heap sort: no memory, no recursion, no bad case. */
static void
sort(const struct json *json, uint16_t *order, size_t count)
{
	for (size_t root = count / 2; root > 0; root--)
		sift_down(json, order, root - 1, count);
	for (size_t last = count; last > 1; last--) {
		swap(order, 0, last - 1);
		sift_down(json, order, 0, last - 1);
	}
}

static size_t
collect(const struct json *json, uint16_t *order)
{
	size_t count = 0;

	for (size_t i = 0; i < json->count; i++)
		if (json_is_key(json, i))
			order[count++] = (uint16_t)i;
	return count;
}

bool
json_keys_unique(const struct json *json, uint16_t *order,
		 struct json_fault *fault)
{
	size_t count = collect(json, order);
	size_t first = json->count;

	sort(json, order, count);
	for (size_t i = 1; i < count; i++)
		if (order[i] < first &&
		    compare(json, order[i - 1], order[i]) == 0)
			first = order[i];
	if (first == json->count)
		return true;
	fault->at = (size_t)json->token[first].start - 1;
	fault->reason = "a key that its object has already";
	fault->path_len =
		json_steps((struct json_value){ json, first }, fault->path);
	return false;
}
