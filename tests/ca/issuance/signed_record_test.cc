// A record signer's records are CMS, and OpenSSL verifies them up to the system hierarchy's root.

#include "ca/issuance/signed_record.h"

#include <openssl/cms.h>

#include "ca/authorities/provisioning.h"
#include "tests/fixtures/use_case_test.h"

namespace ca {
namespace {

using testing::Must;
using CmsPtr = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
using BioPtr = Owned<BIO, BIO_free_all>;
using StorePtr = Owned<X509_STORE, X509_STORE_free>;

class SignedRecordTest : public testing::StoryTest {
 protected:
  std::shared_ptr<const Authority> Ensure() {
    return Must(provisioning_.delegates.EnsureRecorder(*deployment_.Reloaded(deployment_.system),
                                                       "conductor"));
  }

  // The signed document, or "" if it does not verify under the root.
  static std::string Verified(const Bytes& der, const Authority& root) {
    const unsigned char* cursor = Octets(der);
    const CmsPtr cms(d2i_CMS_ContentInfo(nullptr, &cursor, static_cast<long>(der.size())));
    if (!cms || cursor != Octets(der) + der.size()) return "";
    const StorePtr roots(X509_STORE_new());
    X509_STORE_add_cert(roots.get(), root.x509());
    X509_STORE_set_flags(roots.get(), X509_V_FLAG_X509_STRICT | X509_V_FLAG_NO_CHECK_TIME);
    X509_STORE_set_purpose(roots.get(), X509_PURPOSE_ANY);
    const BioPtr out(BIO_new(BIO_s_mem()));
    const int verified =
        CMS_verify(cms.get(), nullptr, roots.get(), nullptr, out.get(), CMS_BINARY);
    DrainOpenSslErrors();
    if (verified != 1) return "";
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<size_t>(size)};
  }

  std::shared_ptr<const Authority> Root() const {
    for (const auto& authority : Must(deployment_.catalog->System())->authorities()) {
      if (authority->kind() == AuthorityKind::kRoot) return authority;
    }
    return nullptr;
  }

  Provisioning provisioning_{ports_.stores(), ports_.keys, testing::Directory(), clock_};
};

TEST_F(SignedRecordTest, IsVerifiedByTheSystemsRootAlone) {
  const Bytes record = Must(SignRecord(*Ensure(), "what happened\n", clock_.Now()));
  EXPECT_EQ(Verified(record, *Root()), "what happened\n");
  for (const auto& other : deployment_.catalog->Find(deployment_.acme.id)->authorities()) {
    EXPECT_EQ(Verified(record, *other), "") << other->key_label();
  }
}

TEST_F(SignedRecordTest, DoesNotVerifyWhenAnOctetIsAnother) {
  const Bytes record = Must(SignRecord(*Ensure(), "what happened\n", clock_.Now()));
  for (const std::string_view part : {"what happened", "recorder 1"}) {
    Bytes changed = record;
    changed[changed.find(part)] ^= 1;
    EXPECT_EQ(Verified(changed, *Root()), "") << part;
  }
}

TEST_F(SignedRecordTest, IsOfARecorderAlone) {
  const auto refused = SignRecord(*Root(), "what happened\n", clock_.Now());
  EXPECT_EQ(refused.status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(SignedRecordTest, HasARecorderWithTheOnePurpose) {
  const auto recorder = Ensure();
  EXPECT_EQ(recorder->kind(), AuthorityKind::kRecorder);
  EXPECT_EQ(Ensure()->serial(), recorder->serial()) << "made once";
  EXPECT_EQ(X509_check_ca(recorder->x509()), 0);
  EXPECT_EQ(X509_get_key_usage(recorder->x509()), static_cast<uint32_t>(KU_DIGITAL_SIGNATURE));
  EXPECT_EQ(X509_check_purpose(recorder->x509(), X509_PURPOSE_SSL_CLIENT, 0), 0);
  EXPECT_EQ(X509_check_purpose(recorder->x509(), X509_PURPOSE_SSL_SERVER, 0), 0);
}

TEST_F(SignedRecordTest, HasAnotherRecorderFromHalfOfItsLifeOn) {
  const auto first = Ensure();
  clock_.Advance(kRecorderLifetime / 2 + std::chrono::minutes(1));
  const auto second = Ensure();
  EXPECT_NE(second->key_label(), first->key_label());
  const Bytes record = Must(SignRecord(*first, "what happened\n", clock_.Now()));
  EXPECT_EQ(Verified(record, *Root()), "what happened\n") << "the one before still stands";
}

}  // namespace
}  // namespace ca
