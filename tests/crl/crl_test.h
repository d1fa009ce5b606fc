#pragma once

#include "crl/publisher.h"
#include "tests/fixtures/use_case_test.h"

namespace crl::testing {

using ca::testing::Must;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using CrlPtr = ca::Owned<X509_CRL, X509_CRL_free>;

inline CrlPtr Parse(ca::BytesView der) {
  const unsigned char* at = ca::Octets(der);
  return CrlPtr(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
}

inline std::vector<ca::SerialNumber> SerialsOf(const ReadCrl& crl) {
  std::vector<ca::SerialNumber> serials;
  for (const auto& [serial, reason] : crl.revoked) serials.push_back(serial);
  return serials;
}

// The index and publisher of one server, over a shared store.
struct Replica {
  Replica(ca::testing::MemoryPorts& ports, ca::CrlStore& store, const ca::Clock& clock,
          PublisherOptions its_options = {},
          const ca::StatusUrls& urls = ca::testing::Directory().urls())
      : options(its_options),
        revocations(ports.ledger, ports.tables, ports.events),
        now([&clock] { return clock.Now(); }),
        publisher(
            store, index, [this] { return CatchUp(); }, urls, clock,
            [this](ca::HierarchyId) { return options; }) {}

  ca::Status CatchUp() {
    const auto live_after = now() - ca::RevocationIndex::kKeptAfterExpiry;
    for (const auto& revocation : TRY(revocations.ReadSince(cursor, live_after))) {
      index.Add(revocation);
    }
    return ca::Ok();
  }

  PublisherOptions options;  // for every hierarchy
  ca::testing::MemoryRevocationStore revocations;
  std::function<ca::TimePoint()> now;
  ca::RevocationCursor cursor;
  ca::RevocationIndex index;
  Publisher publisher;
};

// The authorities of acme/prod and a publisher, in memory.
class CrlTest : public ca::testing::StoryTest {
 protected:
  using Authorities = std::vector<std::shared_ptr<const ca::Authority>>;

  explicit CrlTest(PublisherOptions options = {},
                   ca::TimePoint now = ca::testing::FakeClock().Now())
      : StoryTest(now), replica_(ports_, ports_.crls, clock_, options) {}

  // Issues an agent's certificate in that shard.
  ca::Certificate Issue(ca::CrlShard shard = 0) {
    ca::StatusDirectory directory(ca::testing::Directory().urls());
    directory.SetNewestShard(issuer_->id(), shard);
    const auto* profile = Must(deployment_.acme.FindProfile(agent_.profile));
    auto prepared = Must(issuer_->Prepare(deployment_.acme, agent_, *profile,
                                          ca::testing::PublicHalf(ca::testing::NewSubjectKey()),
                                          directory.For(issuer_->id()), clock_.Now()));
    auto intent = Must(ports_.ledger.RecordIntent(std::move(prepared), ca::SystemGrounds{},
                                                  ca::RequestId::New(clock_.Now()),
                                                  ca::testing::EventAt(clock_.Now(), "Enroll")));
    return Must(ports_.ledger.RecordCertificate(
        deployment_.Sign(std::get<ca::RecordedIssuance>(std::move(intent)))));
  }

  ca::SerialNumber Revoke(const ca::SerialNumber& serial,
                          ca::RevocationReason reason = ca::RevocationReason::kSuperseded) {
    const ca::RevocationOrder order{
        .hierarchy = deployment_.acme.id, .target = serial, .reason = reason, .now = clock_.Now()};
    Must(ports_.revocations.Revoke(order, ca::testing::EventAt(clock_.Now(), "Revoke")).status());
    return serial;
  }
  // Issues and revokes a certificate.
  ca::SerialNumber RevokeOne(ca::CrlShard shard = 0) { return Revoke(Issue(shard).record.serial); }

  // One round for the issuing authority alone. It must not fail.
  std::vector<ca::PublishedCrl> Publish() { return PublishBy(replica_); }
  std::vector<ca::PublishedCrl> PublishBy(Replica& replica) {
    auto round = replica.publisher.PublishDue({issuer_});
    Must(round.error);
    return std::move(round.published);
  }
  // The same, and it must publish exactly one CRL.
  ca::PublishedCrl PublishOne() {
    auto published = Publish();
    EXPECT_EQ(published.size(), 1u);
    return published.empty() ? ca::PublishedCrl{} : published.front();
  }

  ReadCrl ReadBack(const ca::PublishedCrl& crl) { return Must(Read(crl.der, *issuer_)); }
  bool Lists(const ca::PublishedCrl& crl, const ca::SerialNumber& serial) {
    const auto serials = SerialsOf(ReadBack(crl));
    return std::find(serials.begin(), serials.end(), serial) != serials.end();
  }

  const std::shared_ptr<const ca::Authority> issuer_ =
      Must(deployment_.catalog->Find(deployment_.acme.id)->ActiveIssuer());
  const std::shared_ptr<const ca::Authority> root_ =
      Must(deployment_.catalog->FindAuthority(issuer_->issuer()));
  const ca::Agent agent_ = deployment_.Register(deployment_.acme, "billing/invoice-bot");
  Replica replica_;
};

}  // namespace crl::testing
