#pragma once

#include "ca/model/agent.h"
#include "ca/model/hierarchy.h"
#include "ca/x509/csr.h"

namespace ca {

// Whether a CSR asks for no more than the identity that its agent has: what it asks for beyond is
// refused by name, never dropped in silence. Asking for nothing is fine: the certificate says who
// the agent is in any case.
//
// kInvalidArgument with a rule of `profile.key-type`, `csr.subject`, `csr.alternative-name`,
// `csr.extension` or `csr.attribute`. Pure and thread-safe.
Status CheckRequest(const Csr& csr, const Hierarchy& hierarchy, const Agent& agent,
                    const CertificateProfile& profile);

}  // namespace ca
