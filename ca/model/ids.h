#pragma once

#include <cstdint>

namespace ca {

// The ledger assigns these numbers. 0 names nothing.
enum class HierarchyId : std::int32_t {};
enum class AuthorityId : std::int64_t {};
enum class AgentNumber : std::int64_t {};

// The CRL of an authority that lists a certificate when it is revoked. It is fixed at issuance,
// because the certificate names its CRL (RFC 5280 section 4.2.1.13). Counts from 0.
using CrlShard = std::int32_t;

}  // namespace ca
