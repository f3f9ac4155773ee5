#include "base/version.h"

#include "version_gen.h"

const char VERSION[] = PS_VERSION;
const char COMMIT[] = PS_COMMIT;
const char BUILD_DATE[] = PS_BUILD_DATE;
const char USER_AGENT[] = "pull-secret/" PS_VERSION;
