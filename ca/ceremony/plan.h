#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/ceremony/record.h"

namespace ca {

// The files that people carry in and out.
class CarriedFiles {
 public:
  static constexpr size_t kSizeMax = 4 * 1024 * 1024;

  virtual ~CarriedFiles() = default;
  // nullopt if there is no such file. kInvalidArgument if it is larger than kSizeMax.
  virtual Result<std::optional<std::string>> Read(const std::string& name) const = 0;
  // When it returns, the file is complete and durable. If it is interrupted, there is no file. Ok
  // if the file exists with this content; kAlreadyExists if it has other content, because no file
  // is overwritten.
  virtual Status Write(const std::string& name, const std::string& content) = 0;
};

struct CeremonyStep {
  enum class State {
    kWaiting,    // `note` says for what
    kDue,        // `note` says how far an earlier run came
    kUnwritten,  // signed, but its file is missing
    kDone,
  };

  std::string name;  // key, root, issuing/1, crl/1
  std::string text;  // says what the step does
  State state = State::kDue;
  std::string note;
  std::vector<std::string> facts;  // what the script says about it
};

std::string_view NameOf(CeremonyStep::State state);  // waiting, due, unwritten, done

// All steps of a script with their states. The arguments must outlive it.
class CeremonyPlan {
 public:
  CeremonyPlan(const CeremonyRecord& record, const CarriedFiles& files)
      : record_(record), files_(files) {}

  // kUnavailable and other codes if a file cannot be read.
  CeremonyStep ForKey() const;
  Result<CeremonyStep> ForRoot() const;
  Result<CeremonyStep> For(const IssuingOrder& order) const;
  Result<CeremonyStep> ForCrl(size_t number) const;
  // In the order in which they run. Returns the errors of CeremonyRecord::Check() too.
  Result<std::vector<CeremonyStep>> All() const;

 private:
  Result<CeremonyStep> Signing(CeremonyStep step, const std::string& file) const;

  const CeremonyRecord& record_;
  const CarriedFiles& files_;
};

}  // namespace ca
