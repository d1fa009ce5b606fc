#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ca/ceremony/record.h"

namespace ca {

// The files that are carried in and out.
class CarriedFiles {
 public:
  static constexpr size_t kSizeMax = 4 * 1024 * 1024;

  virtual ~CarriedFiles() = default;
  // nullopt when there is no such file. kInvalidArgument when it is larger than kSizeMax.
  virtual Result<std::optional<std::string>> Read(const std::string& name) const = 0;
  // Whole and durable when it returns, and not there at all when it was interrupted. Ok when it is
  // there with this content; kAlreadyExists when it has another: nothing is overwritten.
  virtual Status Write(const std::string& name, const std::string& content) = 0;
};

struct CeremonyStep {
  enum class State {
    kWaiting,    // for what `note` says
    kDue,        // if it was begun before, `note` says how far
    kUnwritten,  // signed; its file is not there
    kDone,
  };

  std::string name;  // key, root, issuing/1, crl/1
  std::string text;  // what it does, for people
  State state = State::kDue;
  std::string note;
  std::vector<std::string> facts;  // of the script
};

std::string_view NameOf(CeremonyStep::State state);  // waiting, due, unwritten, done

// What is to be done, step by step. What it is given has to outlive it.
class CeremonyPlan {
 public:
  CeremonyPlan(const CeremonyRecord& record, const CarriedFiles& files)
      : record_(record), files_(files) {}

  // kUnavailable and the like when a file cannot be read.
  CeremonyStep ForKey() const;
  Result<CeremonyStep> ForRoot() const;
  Result<CeremonyStep> For(const IssuingOrder& order) const;
  Result<CeremonyStep> ForCrl(size_t number) const;
  // In the order in which they are done. Also the errors of CeremonyRecord::Check().
  Result<std::vector<CeremonyStep>> All() const;

 private:
  Result<CeremonyStep> Signing(CeremonyStep step, const std::string& file) const;

  const CeremonyRecord& record_;
  const CarriedFiles& files_;
};

}  // namespace ca
