#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ca/authorities/authority_maker.h"
#include "ca/catalog/hierarchy_snapshot.h"

namespace ca {

// Makes OCSP responders and record signers, which sign statements and no certificates. Each is
// followed by another at half its life; the one before goes on until it ends, so the two overlap.
// Every call may be interrupted and repeated, by several processes at once. Thread-safe; calls
// block. A call that makes a key may fail as CheckToken() does. `actor` is in the audit events.
//
// A call with an older snapshot makes nothing twice: it is kAborted if another process has planned
// the next one since. Load the hierarchy again then.
class DelegateProvisioning {
 public:
  // `maker` outlives it.
  explicit DelegateProvisioning(const AuthorityMaker& maker) : maker_(maker) {}

  // The OCSP responder of `issuer`, an authority of `hierarchy`: the newest if it has not passed
  // half its life, or a new one with a key of its own, also when the key of the newest is lost.
  Result<std::shared_ptr<const Authority>> EnsureResponder(const HierarchySnapshot& hierarchy,
                                                           const Authority& issuer,
                                                           const std::string& actor) const;

  // The record signer of the system hierarchy, under its newest root.
  Result<std::shared_ptr<const Authority>> EnsureRecorder(const HierarchySnapshot& system,
                                                          const std::string& actor) const;

 private:
  using Prepare =
      std::function<Result<PreparedCertificate>(const AuthorityRecord& planned, const SigningKey&)>;
  Result<std::shared_ptr<const Authority>> Ensure(const HierarchySnapshot& hierarchy,
                                                  AuthorityKind kind, const Authority& issuer,
                                                  const Prepare& prepare,
                                                  const std::string& actor) const;
  Result<std::shared_ptr<const Authority>> Make(const Hierarchy& hierarchy, AuthorityRecord planned,
                                                const Authority& issuer, const Prepare& prepare,
                                                const std::string& actor) const;
  Result<AuthorityRecord> PlanNext(const HierarchySnapshot& hierarchy, AuthorityKind kind,
                                   const Authority& issuer, const std::string& actor) const;

  const AuthorityMaker& maker_;
};

}  // namespace ca
