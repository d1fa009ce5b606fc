#pragma once

#include <array>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "ca/base/clock.h"
#include "ca/base/serial_number.h"
#include "ca/issuance/authority.h"

namespace ocsp {

// A DER OCSPResponse (RFC 6960 section 4.2.1), ready to be sent.
struct Answer {
  ca::Bytes der;
  // Whether HTTP caches may keep it (RFC 5019 section 6). Never true for an error, an answer with a
  // nonce, or an answer that says `unknown`: that certificate may be issued in the next moment.
  bool is_cacheable = false;
  ca::TimePoint this_update;  // if cacheable: Last-Modified
  ca::TimePoint next_update;  // if cacheable: Expires
  std::string etag;           // if cacheable; quoted
};

// A signed answer, and the facts that it depends on.
struct CachedAnswer {
  Answer answer;
  ca::AuthorityId authority{};
  ca::Bytes request;  // the plain DER (Request::plain_der) of the request that it answers
  // The certificates that it says `good` of. Only their revocation can make it wrong, because
  // nothing un-revokes a certificate, and an answer that says `unknown` is never cached.
  std::vector<ca::SerialNumber> good;
  ca::TimePoint refresh_at;  // from then on a new answer should be signed, if that is possible
};

// Answers by authority and request. Thread-safe; a lookup takes a shared lock on one shard of many
// and allocates nothing.
//
// Two generations bound each shard. When the young generation is full, it becomes the old one, and
// the previous old generation is dropped. So an answer stays at least until as many others were
// added as a generation holds.
class AnswerCache {
 public:
  // Holds `answers_max` answers at most, rounded up to two a shard.
  explicit AnswerCache(size_t answers_max);

  // Null if there is none. The answer may be past its next_update.
  std::shared_ptr<const CachedAnswer> Find(ca::AuthorityId authority, ca::BytesView request) const;

  // Replaces the answer to the same request. Does nothing if the new answer says `good` of more
  // certificates: it was signed before a revocation that the present answer knows.
  void Put(std::shared_ptr<const CachedAnswer> cached);

  size_t size() const;

 private:
  // `request` points into the CachedAnswer that the entry leads to or, in a lookup, to the
  // caller's.
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
  using Generation =
      std::unordered_map<Question, std::shared_ptr<const CachedAnswer>, QuestionHash>;
  struct alignas(64) Shard {
    mutable std::shared_mutex mutex;
    Generation young;
    Generation old;

    // The caller holds the lock.
    std::shared_ptr<const CachedAnswer> Find(const Question& question) const;
  };
  static constexpr size_t kShardCount = 64;

  Question QuestionOf(ca::AuthorityId authority, ca::BytesView request) const;
  Shard& ShardOf(const Question& question) const { return (*shards_)[question.hash % kShardCount]; }

  const size_t generation_max_;
  const std::uint64_t seed_;  // secret, so no client can choose requests that share a bucket
  const std::unique_ptr<std::array<Shard, kShardCount>> shards_;
};

}  // namespace ocsp
