#pragma once

#include "ca/authorities/rotation.h"
#include "tests/fixtures/use_case_test.h"

namespace ca::testing {

// With what authorities follow each other by.
class RotationStoryTest : public StoryTest {
 protected:
  using StoryTest::StoryTest;

  RevocationIndex revocations_;
  const Authorization authorization_{ports_.registry};
  TrustBundles bundles_{*deployment_.catalogs,
                        authorization_,
                        ports_.activations,
                        ports_.acknowledgements,
                        ports_.registry,
                        revocations_,
                        clock_};
  const Approvals approvals_{*deployment_.catalogs, authorization_, ports_.hierarchies,
                             ports_.approvals};
  Rotation rotation_{*deployment_.catalogs,
                     authorization_,
                     ports_.stores(),
                     ports_.keys,
                     ports_.registry,
                     ports_.ledger,
                     revocations_,
                     Directory(),
                     bundles_,
                     approvals_,
                     clock_};
};

}  // namespace ca::testing
