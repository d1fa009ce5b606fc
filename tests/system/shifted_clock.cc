// A library to preload into agentpki-server: its wall clock, shifted by as many seconds as the file
// SHIFTED_CLOCK holds at the moment (a 64-bit integer, in the machine's byte order). A test that
// writes there takes a running server to another day.
//
// Only std::chrono's clock, which is what our own code reads (ca/base/clock.cc): the waits inside
// gRPC, libpq and the C library go on in real time.

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

// NOLINTNEXTLINE(cert-dcl58-cpp): the point of it is to take the place of libstdc++'s.
std::chrono::system_clock::time_point std::chrono::system_clock::now() noexcept {
  static const volatile std::int64_t* const shift_seconds = MapShift();
  timespec real{};
  clock_gettime(CLOCK_REALTIME, &real);
  return time_point(seconds(real.tv_sec + *shift_seconds) + nanoseconds(real.tv_nsec));
}
