#pragma once

namespace ca {

// Keeps the process from leaving a core dump, and other processes of its user from reading its
// memory: both would expose the PIN and, in the server, the TLS key. Call it first in main().
//
// A build with a sanitizer forbids the dump only, because the sanitizer reads its own process.
void ForbidCoreDumps();

}  // namespace ca
