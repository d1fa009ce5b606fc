#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "ca/base/result.h"

namespace ca {

// The identity namespace of one hierarchy: prod.acme.example.
// The SPIFFE-ID standard (section 2.1) also allows underscores and single labels. A trust domain
// here is a lower-case DNS name of two labels or more, because RFC 5280 section 4.2.1.10 constrains
// URI names by their host and requires that it is fully qualified.
class TrustDomain {
 public:
  static constexpr size_t kSizeMax = 253;

  // kInvalidArgument with a message that shows the form of a trust domain.
  static Result<TrustDomain> Parse(std::string_view text);

  const std::string& name() const { return name_; }
  friend auto operator<=>(const TrustDomain&, const TrustDomain&) = default;

 private:
  explicit TrustDomain(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

// The identity of an agent, an operator or a server:
// spiffe://prod.acme.example/billing/invoice-bot. At most 2048 octets; the path has at least one
// segment, each of [a-zA-Z0-9._-]+ and neither "." nor ".." (SPIFFE-ID sections 2.2 and 2.3).
class SpiffeId {
 public:
  static constexpr size_t kSizeMax = 2048;

  static Result<SpiffeId> Parse(std::string_view text);
  // spiffe://prod.acme.example, without a path. An authority's own certificate has it (X509-SVID
  // section 3.2).
  static SpiffeId OfTrustDomain(const TrustDomain& trust_domain);

  const std::string& ToString() const { return text_; }
  const TrustDomain& trust_domain() const { return trust_domain_; }
  // Without the leading slash: billing/invoice-bot. Empty for OfTrustDomain().
  std::string_view path() const;
  friend auto operator<=>(const SpiffeId&, const SpiffeId&) = default;

 private:
  SpiffeId(std::string text, TrustDomain trust_domain)
      : text_(std::move(text)), trust_domain_(std::move(trust_domain)) {}
  std::string text_;
  TrustDomain trust_domain_;
};

}  // namespace ca
