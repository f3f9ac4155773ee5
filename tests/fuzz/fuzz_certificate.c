/* Any bytes as a certificate, in DER. */
#include "net/certificate.h"
#include "net/name.h"

#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certificate c;
	char memory[256];
	struct buf out;

	if (!certificate_read(&c, (struct str){ (const char *)data, size }))
		return 0;
	buf_init(&out, memory, sizeof(memory));
	certificate_put_dns_names(&c, 5, &out);
	name_put(c.issuer, &out);
	name_put(c.subject, &out);
	for (size_t i = 0; i < out.len; i++)
		must((unsigned char)out.ptr[i] >= ' ');
	must(c.key_type != KEY_RSA || certificate_rsa_bits(&c) <= 8 * size);
	must(name_equal(c.issuer, c.issuer));
	must(name_equal(c.issuer, c.subject) ==
	     name_equal(c.subject, c.issuer));
	(void)certificate_allows_server(&c);
	(void)certificate_allows_signing(&c);
	(void)certificate_has_dns_name(&c);
	(void)certificate_has_weak_signature(&c);
	return 0;
}
