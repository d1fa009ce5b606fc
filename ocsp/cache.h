#pragma once

#include <array>
#include <memory>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "ca/base/serial_number.h"
#include "ocsp/responder.h"

namespace ocsp {

// A signed answer and what it rests on.
struct Remembered {
  Answer answer;
  ca::AuthorityId authority{};
  ca::Bytes request;  // that it answers: its plain DER
  // Of whom it says `good`: whose revocation would make it wrong. Nothing else could, because
  // nothing un-revokes, and `unknown` is never remembered.
  std::vector<ca::SerialNumber> good;
  ca::TimePoint refresh_at;  // from then on a new one is to be signed, if that can be done
};

// Answers by authority and request, for many threads. A lookup takes a shared lock on one shard of
// many and allocates nothing.
//
// Two generations bound each shard: when the young one is full it becomes the old one, and what was
// there is forgotten. So everything that is asked for is kept while as many others come.
class AnswerCache {
 public:
  // Holds `answers_max` answers at most, rounded up to two a shard.
  explicit AnswerCache(size_t answers_max);

  // Null when there is none. It may have come to its end.
  std::shared_ptr<const Remembered> Find(ca::AuthorityId authority, ca::BytesView request) const;

  // Instead of what is there for that request; but one that says `good` of more certificates is
  // older, whenever it comes, and is dropped.
  void Put(std::shared_ptr<const Remembered> remembered);

  size_t size() const;

 private:
  // The octets are those of the Remembered that it leads to, or of who asks.
  struct Question {
    ca::AuthorityId authority{};
    ca::BytesView request;
    size_t hash = 0;

    friend bool operator==(const Question& a, const Question& b) {
      return a.hash == b.hash && a.authority == b.authority && a.request == b.request;
    }
  };
  struct QuestionHash {
    size_t operator()(const Question& question) const { return question.hash; }
  };
  using Generation = std::unordered_map<Question, std::shared_ptr<const Remembered>, QuestionHash>;
  struct alignas(64) Shard {
    mutable std::shared_mutex mutex;
    Generation young;
    Generation old;

    // The caller holds the lock.
    std::shared_ptr<const Remembered> Find(const Question& question) const;
  };
  static constexpr size_t kShardCount = 64;

  Question QuestionOf(ca::AuthorityId authority, ca::BytesView request) const;
  Shard& ShardOf(const Question& question) const { return (*shards_)[question.hash % kShardCount]; }

  const size_t generation_max_;
  const std::uint64_t seed_;  // so that nobody can know which requests would meet in one bucket
  const std::unique_ptr<std::array<Shard, kShardCount>> shards_;
};

}  // namespace ocsp
