#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ca/ceremony/ceremony.h"

// A ceremony's ports in memory, to which something may happen at each step: an error takes the
// place of the answer.
namespace ca::testing {

class MemoryTranscript final : public Transcript {
 public:
  explicit MemoryTranscript(std::function<Status()> at_step = Ok) : at_step_(std::move(at_step)) {}

  const std::vector<TranscriptEntry>& entries() const override { return all; }
  Status Append(const TranscriptEntry& entry) override {
    TRY(at_step_());
    all.push_back(entry);
    return at_step_();
  }

  std::vector<TranscriptEntry> all;

 private:
  const std::function<Status()> at_step_;
};

class MemoryCarriedFiles final : public CarriedFiles {
 public:
  explicit MemoryCarriedFiles(std::function<Status()> at_step = Ok)
      : at_step_(std::move(at_step)) {}

  Result<std::optional<std::string>> Read(const std::string& name) const override {
    const auto found = all.find(name);
    if (found == all.end()) return std::optional<std::string>();
    return std::optional(found->second);
  }
  Status Write(const std::string& name, const std::string& content) override {
    TRY(at_step_());
    const auto [at, is_new] = all.try_emplace(name, content);
    if (at->second != content) return Error(StatusCode::kAlreadyExists, "{} differs", name);
    return at_step_();
  }

  std::map<std::string, std::string> all;

 private:
  const std::function<Status()> at_step_;
};

// They agree to everything but what they are told to refuse, and remember what they were asked.
class MemoryAttendants final : public Attendants {
 public:
  Status Confirm(const CeremonyStep& step) override {
    asked.push_back(step.name);
    if (step.name == refused_step) return Error(StatusCode::kCancelled, "{}: no", step.name);
    return Ok();
  }
  Status ConfirmKey(const CeremonyStep& step, BytesView key_fingerprint) override {
    asked.push_back(step.name + " key " + Hex(key_fingerprint));
    if (refuses_keys) return Error(StatusCode::kCancelled, "{}: another key", step.name);
    return Ok();
  }

  std::vector<std::string> asked;
  std::string refused_step;
  bool refuses_keys = false;
};

}  // namespace ca::testing
