// A library to preload into agentpki-server. It shifts the wall clock by the current number of
// seconds in the file that SHIFTED_CLOCK names (a 64-bit integer in the machine's byte order), so a
// test can move a running server to another day.
//
// It shifts only std::chrono's clock, which our own code reads (ca/base/clock.cc). Waits in gRPC,
// libpq and the C library use the real time.

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace {

const volatile std::int64_t* MapShift() {
  const char* const path = std::getenv("SHIFTED_CLOCK");
  const int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) abort();
  void* const mapped = mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  close(file);
  return static_cast<const volatile std::int64_t*>(mapped);
}

}  // namespace

// NOLINTNEXTLINE(cert-dcl58-cpp): this definition replaces the one of libstdc++.
std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
  static const volatile std::int64_t* const shift_seconds = MapShift();
  timespec real{};
  clock_gettime(CLOCK_REALTIME, &real);
  return time_point(seconds(real.tv_sec + *shift_seconds) + nanoseconds(real.tv_nsec));
}
