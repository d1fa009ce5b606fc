#pragma once

#include "ca/model/agent.h"
#include "ca/model/hierarchy.h"
#include "ca/x509/csr.h"

namespace ca {

// Checks that a CSR asks for no more than the identity of its agent. The refusal names each excess;
// nothing is dropped in silence. A CSR may ask for less: the certificate has the agent's full
// identity in any case.
//
// kInvalidArgument with a rule of `profile.key-type`, `csr.subject`, `csr.alternative-name`,
// `csr.extension` or `csr.attribute`. Pure and thread-safe.
Status CheckRequest(const Csr& csr, const Hierarchy& hierarchy, const Agent& agent,
                    const CertificateProfile& profile);

}  // namespace ca
