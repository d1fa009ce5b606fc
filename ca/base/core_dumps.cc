#include "ca/base/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace ca {

void ForbidCoreDumps() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  prctl(PR_SET_DUMPABLE, 0);
#endif
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

}  // namespace ca
