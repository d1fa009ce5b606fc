#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ca/issuance/key_store.h"
#include "ca/ports/hierarchy_ports.h"

// Ports that a test interrupts before and after each step of a use case.
namespace ca::testing {

// Called before and after each step; an error replaces the step's answer.
using AtStep = std::function<Status()>;

template <typename Step>
auto Stepped(const AtStep& at_step, Step step) -> decltype(step()) {
  TRY(at_step());
  auto answer = step();
  TRY(at_step());
  return answer;
}

class SteppedHierarchyStore final : public HierarchyStore {
 public:
  SteppedHierarchyStore(HierarchyStore& inner, AtStep at_step)
      : inner_(inner), at_step_(std::move(at_step)) {}

  Result<Hierarchy> CreateHierarchy(const Hierarchy& hierarchy, const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.CreateHierarchy(hierarchy, event); });
  }
  Result<std::vector<Hierarchy>> LoadHierarchies() override {
    return Stepped(at_step_, [&] { return inner_.LoadHierarchies(); });
  }
  Status ChangeHierarchy(const Hierarchy& standing, const Hierarchy& wanted,
                         const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.ChangeHierarchy(standing, wanted, event); });
  }
  Result<Recorded<HierarchyDestruction>> DestroyHierarchy(HierarchyId hierarchy,
                                                          const std::string& reason,
                                                          const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.DestroyHierarchy(hierarchy, reason, event); });
  }
  Result<std::vector<HierarchyDestruction>> LoadDestructions() override {
    return Stepped(at_step_, [&] { return inner_.LoadDestructions(); });
  }
  Result<std::vector<HierarchyDestruction>> FindDestructions(const std::string& name,
                                                             int limit) override {
    return Stepped(at_step_, [&] { return inner_.FindDestructions(name, limit); });
  }
  Status RecordHierarchyDestroyed(HierarchyId hierarchy, const Bytes& record,
                                  const AuditEvent& event) override {
    return Stepped(at_step_,
                   [&] { return inner_.RecordHierarchyDestroyed(hierarchy, record, event); });
  }

 private:
  HierarchyStore& inner_;
  const AtStep at_step_;
};

class SteppedAuthorityStore final : public AuthorityStore {
 public:
  SteppedAuthorityStore(AuthorityStore& inner, AtStep at_step)
      : inner_(inner), at_step_(std::move(at_step)) {}

  Result<std::vector<AuthorityRecord>> LoadAuthorities() override {
    return Stepped(at_step_, [&] { return inner_.LoadAuthorities(); });
  }
  Result<AuthorityRecord> PlanAuthority(const Hierarchy& hierarchy, AuthorityKind kind,
                                        int generation, AuthorityId issuer,
                                        const AuditEvent& event) override {
    return Stepped(
        at_step_, [&] { return inner_.PlanAuthority(hierarchy, kind, generation, issuer, event); });
  }
  Result<RecordedIssuance> RecordAuthority(AuthorityId authority, PreparedCertificate prepared,
                                           const AuditEvent& event) override {
    return Stepped(at_step_,
                   [&] { return inner_.RecordAuthority(authority, std::move(prepared), event); });
  }
  Result<Certificate> RecordAuthorityCertificate(AuthorityId authority,
                                                 const Certificate& certificate,
                                                 TimePoint now) override {
    return Stepped(at_step_,
                   [&] { return inner_.RecordAuthorityCertificate(authority, certificate, now); });
  }
  Result<AuthorityRecord> AdoptRoot(const Hierarchy& hierarchy, int generation,
                                    const Bytes& certificate, const AuditEvent& event) override {
    return Stepped(at_step_,
                   [&] { return inner_.AdoptRoot(hierarchy, generation, certificate, event); });
  }
  Result<RecordedDecision> ImportCertificate(AuthorityId authority,
                                             const ExternalCertificate& certificate,
                                             AuthorityId root, const AuditEvent& event) override {
    return Stepped(at_step_,
                   [&] { return inner_.ImportCertificate(authority, certificate, root, event); });
  }
  Result<RecordedDecision> TaintAuthority(AuthorityId authority, const std::string& reason,
                                          const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.TaintAuthority(authority, reason, event); });
  }
  Result<Recorded<std::int64_t>> RevokeAuthority(AuthorityId authority, RevocationReason reason,
                                                 const std::string& note,
                                                 const AuditEvent& event) override {
    return Stepped(at_step_,
                   [&] { return inner_.RevokeAuthority(authority, reason, note, event); });
  }
  Status DecideKeyDestruction(AuthorityId authority, int last_sequence, std::string_view reason,
                              const AuditEvent& event) override {
    return Stepped(at_step_, [&] {
      return inner_.DecideKeyDestruction(authority, last_sequence, reason, event);
    });
  }
  Status RecordKeyDestroyed(AuthorityId authority, const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.RecordKeyDestroyed(authority, event); });
  }

 private:
  AuthorityStore& inner_;
  const AtStep at_step_;
};

class SteppedActivationStore final : public ActivationStore {
 public:
  SteppedActivationStore(ActivationStore& inner, AtStep at_step)
      : inner_(inner), at_step_(std::move(at_step)) {}

  Result<std::vector<Activation>> LoadActivations() override {
    return Stepped(at_step_, [&] { return inner_.LoadActivations(); });
  }
  Result<RecordedDecision> Activate(const Activation& activation,
                                    const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.Activate(activation, event); });
  }
  Result<std::vector<TrustBundleRecord>> LoadTrustBundles() override {
    return Stepped(at_step_, [&] { return inner_.LoadTrustBundles(); });
  }
  Status PublishTrustBundle(const TrustBundleRecord& bundle, const AuditEvent& event) override {
    return Stepped(at_step_, [&] { return inner_.PublishTrustBundle(bundle, event); });
  }

 private:
  ActivationStore& inner_;
  const AtStep at_step_;
};

// The three stores of ca/ports/hierarchy_ports.h.
struct SteppedHierarchyPorts {
  SteppedHierarchyPorts(const HierarchyPorts& inner, const AtStep& at_step)
      : hierarchies(inner.hierarchies, at_step),
        authorities(inner.authorities, at_step),
        activations(inner.activations, at_step) {}

  operator HierarchyPorts() { return {hierarchies, authorities, activations}; }  // NOLINT

  SteppedHierarchyStore hierarchies;
  SteppedAuthorityStore authorities;
  SteppedActivationStore activations;
};

class SteppedKeyStore final : public KeyStore {
 public:
  SteppedKeyStore(KeyStore& inner, AtStep at_step) : inner_(inner), at_step_(std::move(at_step)) {}

  Result<std::shared_ptr<const SigningKey>> Find(const std::string& label) override {
    return inner_.Find(label);
  }
  Result<std::shared_ptr<const SigningKey>> Generate(const std::string& label) override {
    TRY(at_step_());
    generated.insert(label);
    auto key = inner_.Generate(label);
    TRY(at_step_());
    return key;
  }
  Status Destroy(const std::string& label) override {
    TRY(at_step_());
    TRY(inner_.Destroy(label));
    return at_step_();
  }
  std::vector<TokenContent> Contents() override { return inner_.Contents(); }
  std::string TokenOf(const std::string& label) const override { return inner_.TokenOf(label); }
  Status CheckHealth() override { return inner_.CheckHealth(); }

  std::set<std::string> generated;

 private:
  KeyStore& inner_;
  const AtStep at_step_;
};

}  // namespace ca::testing
