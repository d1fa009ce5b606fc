// The audit of a ceremony finds everything that was changed afterwards.

#include "ca/ceremony/audit.h"

#include <map>

#include "tests/ca/ceremony/ceremony_fixture.h"

namespace ca {
namespace {

using testing::CeremonyTest;
using testing::Must;
using testing::Strings;

class AuditTest : public CeremonyTest {
 protected:
  AuditTest() {
    Must(Run());
    Append();
    Must(Run());
  }
};

TEST_F(AuditTest, FindsEveryFileThatWasChangedOrIsGone) {
  for (const auto& [name, content] : std::map(files_.all)) {
    files_.all[name] += "x";
    EXPECT_EQ(Differences().size(), 1u) << name;
    files_.all.erase(name);
    // A CSR need not be kept.
    EXPECT_EQ(Differences().size(), name.ends_with(".csr") ? 0u : 1u) << name;
    files_.all[name] = content;
  }
  EXPECT_EQ(Differences(), Strings());
}

TEST_F(AuditTest, FindsEveryEntryWhoseOctetsWereChanged) {
  for (size_t i = 0; i < transcript_.all.size(); ++i) {
    TranscriptEntry& entry = transcript_.all[i];
    if (entry.der.empty()) continue;
    const Bytes kept = entry.der;
    for (const size_t at : {size_t{0}, kept.size() / 2, kept.size() - 1}) {
      entry.der[at] = static_cast<char>(entry.der[at] ^ 1);
      EXPECT_NE(Differences(), Strings()) << entry.step << " " << entry.event << " at " << at;
      entry.der = kept;
    }
  }
}

TEST_F(AuditTest, FindsEveryEntryThatWasLeftOut) {
  for (size_t i = 0; i + 1 < transcript_.all.size(); ++i) {
    if (transcript_.all[i].event == kAccepted || transcript_.all[i].event == kBegun) continue;
    const auto kept = transcript_.all;
    transcript_.all.erase(transcript_.all.begin() + static_cast<std::ptrdiff_t>(i));
    // Without both of its lines a step looks as if it were still due, but its file shows that it
    // was done.
    EXPECT_TRUE(Differences() != Strings() || !Run().ok()) << kept[i].step << " " << kept[i].event;
    transcript_.all = kept;
  }
}

TEST_F(AuditTest, FindsAnotherOrder) {
  std::swap(transcript_.all[3], transcript_.all[4]);
  EXPECT_NE(Differences(), Strings());
}

TEST_F(AuditTest, FindsADigestThatWasChanged) {
  for (TranscriptEntry& entry : transcript_.all) {
    if (entry.outputs.empty()) continue;
    entry.outputs[0][0] = entry.outputs[0][0] == '0' ? '1' : '0';
    EXPECT_EQ(Differences().size(), 1u) << entry.step;
    entry.outputs[0] =
        Hex(Sha256(files_.all.at(entry.outputs[0].substr(66)))) + entry.outputs[0].substr(64);
  }
  EXPECT_EQ(Differences(), Strings());
}

}  // namespace
}  // namespace ca
