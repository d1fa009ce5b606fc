#pragma once

#include "ca/authorities/rotation.h"
#include "tests/fixtures/publishing.h"
#include "tests/fixtures/use_case_test.h"

namespace ca::testing {

// With what authorities follow each other by.
class RotationStoryTest : public StoryTest {
 protected:
  using StoryTest::StoryTest;

  RevocationIndex revocations_;
  const Authorization authorization_{ports_.registry};
  Publishing publishing_{ports_, *deployment_.catalogs, authorization_, revocations_, clock_};
  TrustBundles& bundles_ = publishing_.bundles;
  const Approvals approvals_{*deployment_.catalogs, authorization_, ports_.hierarchies,
                             ports_.approvals};
  Rotation rotation_{*deployment_.catalogs,
                     authorization_,
                     ports_.stores(),
                     publishing_.provisioning,
                     publishing_.publication,
                     ports_.ledger,
                     revocations_,
                     bundles_,
                     approvals_,
                     clock_};
};

}  // namespace ca::testing
