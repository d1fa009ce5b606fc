#pragma once

#include <utility>

#include "ca/base/result.h"

// Record, then answer: checked by the compiler.
//
//   RecordedDecision   made by a port alone, once the audit event of a decision is durable
//   Recorded<T>        the same, with the result of the change that the decision was about
//
// Both are move-only and cannot be made elsewhere. The edge answers only with one of them
// (ca/server/rpc/call_gate.h): a use case that changes something and forgets its event does not
// compile (tests/ca/server/rpc/recorded_does_not_compile.cc).
namespace ca {

// Proof that the decision of a call is on record: its audit event is durable, or that of the same
// decision before, if the port says that a repetition records nothing.
class RecordedDecision {
 public:
  RecordedDecision(RecordedDecision&&) = default;
  RecordedDecision& operator=(RecordedDecision&&) = default;

 private:
  friend class RecordsDecisions;
  RecordedDecision() {}
};

// A value that goes with such a proof.
template <typename T>
class Recorded {
 public:
  Recorded(RecordedDecision decision, T value)
      : decision_(std::move(decision)), value_(std::move(value)) {}
  Recorded(Recorded&&) = default;
  Recorded& operator=(Recorded&&) = default;

  const T& operator*() const { return value_; }
  const T* operator->() const { return &value_; }

  T TakeValue() { return std::move(value_); }
  // The proof without the value; the edge hands it to the gate.
  RecordedDecision decision() && { return std::move(decision_); }

 private:
  RecordedDecision decision_;
  T value_;
};

// The base of each port that records the events of decisions. Implementations call it when the
// transaction of the event has ended, and for nothing else.
class RecordsDecisions {
 protected:
  ~RecordsDecisions() = default;

  static Result<RecordedDecision> OnRecord(const Status& committed) {
    if (!committed.ok()) return committed;
    return RecordedDecision();
  }
  template <typename T>
  static Result<Recorded<T>> OnRecord(Result<T> committed) {
    if (!committed.ok()) return std::move(committed).status();
    return Recorded<T>(RecordedDecision(), *std::move(committed));
  }
};

}  // namespace ca
