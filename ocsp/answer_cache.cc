#include "ocsp/answer_cache.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <mutex>

#include "ca/base/random.h"

namespace ocsp {
namespace {

std::uint64_t RandomSeed() {
  std::uint64_t seed = 0;
  const ca::Bytes random = ca::RandomBytes(sizeof seed);
  std::memcpy(&seed, random.data(), sizeof seed);
  return seed;
}

// The finaliser of SplitMix64: every bit of the result depends on every bit of `x`.
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

AnswerCache::AnswerCache(size_t answers_max)
    : generation_max_(std::max<size_t>(1, answers_max / kShardCount / 2)),
      seed_(RandomSeed()),
      shards_(std::make_unique<std::array<Shard, kShardCount>>()) {}

AnswerCache::Question AnswerCache::QuestionOf(ca::AuthorityId authority,
                                              ca::BytesView request) const {
  const std::uint64_t octets = std::hash<ca::BytesView>()(request);
  const auto number = static_cast<std::uint64_t>(authority);
  return {authority, request, static_cast<size_t>(Mix(Mix(octets ^ seed_) + number))};
}

std::shared_ptr<const CachedAnswer> AnswerCache::Shard::Find(const Question& question) const {
  for (const Generation* generation : {&young, &old}) {
    const auto found = generation->find(question);
    if (found != generation->end()) return found->second;
  }
  return nullptr;
}

std::shared_ptr<const CachedAnswer> AnswerCache::Find(ca::AuthorityId authority,
                                                      ca::BytesView request) const {
  const Question question = QuestionOf(authority, request);
  const Shard& shard = ShardOf(question);
  const std::shared_lock lock(shard.mutex);
  return shard.Find(question);
}

void AnswerCache::Put(std::shared_ptr<const CachedAnswer> cached) {
  const Question question = QuestionOf(cached->authority, cached->request);
  Shard& shard = ShardOf(question);
  // These are freed after the lock is released: freeing thousands of answers takes time.
  Generation dropped;
  std::shared_ptr<const CachedAnswer> replaced;
  const std::lock_guard lock(shard.mutex);
  replaced = shard.Find(question);
  if (replaced && cached->good.size() > replaced->good.size()) return;
  shard.young.erase(question);  // its key points into `replaced`
  if (shard.young.size() >= generation_max_) {
    dropped = std::exchange(shard.old, std::exchange(shard.young, Generation()));
  }
  shard.young.emplace(question, std::move(cached));
}

size_t AnswerCache::size() const {
  size_t size = 0;
  for (const Shard& shard : *shards_) {
    const std::shared_lock lock(shard.mutex);
    size += shard.young.size() + shard.old.size();
  }
  return size;
}

}  // namespace ocsp
