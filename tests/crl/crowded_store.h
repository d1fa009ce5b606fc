#pragma once

#include <functional>

#include "ca/ports/crl_store.h"

namespace crl::testing {

// A store that lets the test act as another replica, just before each publication or opening.
class CrowdedStore final : public ca::CrlStore {
 public:
  explicit CrowdedStore(ca::CrlStore& inner) : inner_(inner) {}

  std::function<void()> before_publish = [] {};
  std::function<void()> before_open = [] {};

  ca::Result<std::vector<ca::CrlShardRecord>> LoadShards(ca::TimePoint now) override {
    return inner_.LoadShards(now);
  }
  ca::Status OpenShard(ca::AuthorityId authority, ca::CrlShard newest, ca::TimePoint now) override {
    before_open();
    return inner_.OpenShard(authority, newest, now);
  }
  ca::Result<std::int64_t> LastNumber(ca::AuthorityId authority, ca::CrlShard shard) override {
    return inner_.LastNumber(authority, shard);
  }
  ca::Status Publish(ca::HierarchyId hierarchy, const ca::PublishedCrl& crl) override {
    before_publish();
    return inner_.Publish(hierarchy, crl);
  }
  ca::Result<std::vector<ca::PublishedCrl>> LoadNewerThan(
      const std::vector<ca::PublishedCrl>& known) override {
    return inner_.LoadNewerThan(known);
  }

 private:
  ca::CrlStore& inner_;
};

}  // namespace crl::testing
