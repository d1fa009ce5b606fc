#include "ocsp/answer_cache.h"

#include <gtest/gtest.h>

#include <thread>

namespace ocsp::testing {
namespace {

constexpr ca::AuthorityId kAuthority{7};

std::shared_ptr<CachedAnswer> Answering(const ca::Bytes& request,
                                        ca::AuthorityId authority = kAuthority) {
  auto cached = std::make_shared<CachedAnswer>();
  cached->authority = authority;
  cached->request = request;
  return cached;
}

TEST(AnswerCacheTest, FindsWhatWasPutUnderItsAuthorityAndRequest) {
  AnswerCache cache(1000);
  const auto put = Answering("request");
  cache.Put(put);
  EXPECT_EQ(cache.Find(kAuthority, "request"), put);
  EXPECT_EQ(cache.Find(kAuthority, "requesT"), nullptr);
  EXPECT_EQ(cache.Find(ca::AuthorityId{8}, "request"), nullptr);
}

TEST(AnswerCacheTest, ReplacesAndOutlivesWhatItReplaces) {
  AnswerCache cache(1000);
  cache.Put(Answering("request"));
  const auto newer = Answering("request");
  cache.Put(newer);  // the octets that the first was found by are gone
  EXPECT_EQ(cache.Find(kAuthority, "request"), newer);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(AnswerCacheTest, KeepsARevokedOneWhenAnOlderGoodOneComesLate) {
  AnswerCache cache(1000);
  const auto revoked = Answering("request");
  cache.Put(revoked);
  const auto good = Answering("request");
  good->good.push_back(ca::SerialNumber::New(ca::TimePoint()));
  cache.Put(good);
  EXPECT_EQ(cache.Find(kAuthority, "request"), revoked);
}

TEST(AnswerCacheTest, IsBoundedAndKeepsTheNewest) {
  constexpr int kMax = 6400;
  AnswerCache cache(kMax);
  for (int i = 0; i < 10 * kMax; ++i) cache.Put(Answering(std::to_string(i)));
  EXPECT_LE(cache.size(), static_cast<size_t>(kMax));
  EXPECT_GE(cache.size(), static_cast<size_t>(kMax / 2));
  // A generation of a shard holds 50, and no shard has had 50 of the last 1000.
  for (int i = 10 * kMax - 1000; i < 10 * kMax; ++i) {
    EXPECT_NE(cache.Find(kAuthority, std::to_string(i)), nullptr) << i;
  }
}

TEST(AnswerCacheTest, ServesManyThreadsAtOnce) {
  AnswerCache cache(1000);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, &wrong, thread] {
      for (int i = 0; i < 20000; ++i) {
        const std::string request = std::to_string((i * 7 + thread) % 3000);
        const auto found = cache.Find(kAuthority, request);
        if (found && found->request != request) ++wrong;
        if (!found) cache.Put(Answering(request));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(cache.size(), 500u);
}

}  // namespace
}  // namespace ocsp::testing
