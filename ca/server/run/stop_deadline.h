#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

namespace server {

// Ends the process if stopping takes too long. A call that hangs, in a database or a token that
// hangs, must not keep the process alive. A call that is abandoned so is like one in a crash: the
// ledger has its record.
class StopDeadline {
 public:
  // Stopping has finished.
  ~StopDeadline();

  // Stopping begins now. After 15 seconds the process ends with EX_TEMPFAIL of sysexits.h.
  void Begin();

 private:
  void Watch();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace server
