// Every field of a hierarchy's file, as the list of fields names them, is stored and changed.

#include <gtest/gtest.h>

#include "ca/model/hierarchy_fields.h"
#include "tests/contract/hierarchy_store_fixture.h"
#include "tests/fakes/hierarchy_field_samples.h"

namespace contract {
namespace {

using ca::Hierarchy;
using ca::testing::HierarchyFieldSample;
using ca::testing::Must;

class HierarchyFieldsContract : public HierarchyStoreContract {
 protected:
  static Hierarchy Changed(const HierarchyFieldSample& sample) {
    ca::HierarchyDeclaration declaration = ca::testing::FullDeclaration();
    sample.change(declaration);
    return declaration.hierarchy;
  }
  Hierarchy Loaded() { return Must(hierarchies().LoadHierarchies()).front(); }

  int created_count_ = 0;
};
INSTANTIATE_CONTRACT(HierarchyFieldsContract);

TEST_P(HierarchyFieldsContract, ChangesEachThatIsNotFixed) {
  Hierarchy standing = Must(Create(ca::testing::FullDeclaration().hierarchy));
  for (const HierarchyFieldSample& sample : ca::testing::HierarchyFieldSamples()) {
    if (sample.is_fixed) continue;
    Hierarchy wanted = Changed(sample);
    wanted.id = standing.id;
    Must(hierarchies().ChangeHierarchy(standing, wanted, EventIn(standing, "ChangeHierarchy")));
    standing = Loaded();
    EXPECT_TRUE(standing == wanted) << sample.path;
  }
}

TEST_P(HierarchyFieldsContract, KeepsEachThatIsFixed) {
  for (const HierarchyFieldSample& sample : ca::testing::HierarchyFieldSamples()) {
    if (!sample.is_fixed) continue;
    Hierarchy wanted = Changed(sample);
    // Names and trust domains are unique.
    if (sample.path != "environment") wanted.environment = fmt::format("e{}", ++created_count_);
    if (sample.path != "trust_domain") {
      wanted.trust_domain =
          Must(ca::TrustDomain::Parse(fmt::format("e{}.acme.example", ++created_count_)));
    }
    wanted.id = Must(Create(wanted)).id;
    EXPECT_TRUE(Must(hierarchies().LoadHierarchies()).back() == wanted) << sample.path;
  }
}

}  // namespace
}  // namespace contract
