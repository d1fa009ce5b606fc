#include "ca/server/run/init.h"

#include "ca/authorities/provisioning.h"
#include "ca/certificates/enrollment.h"
#include "ca/certificates/own_agents.h"
#include "ca/files/hierarchy_file.h"
#include "ca/server/run/backends.h"
#include "ca/x509/credentials.h"
#include "ca/x509/subject_key.h"
#include "db/advisory_lock.h"

namespace server {
namespace {

using ca::Result;
using ca::Status;

constexpr char kActor[] = "init";
constexpr std::string_view kOperatorProfile = "operator";

Result<ca::Agent> EnsureOperator(const ca::Hierarchy& system, const std::string& name,
                                 const ca::OwnAgents& own_agents) {
  ca::SpiffeId id = TRY(ca::SpiffeId::Parse(
      fmt::format("spiffe://{}/operator/{}", system.trust_domain.name(), name)));
  const ca::Agent wanted{
      .hierarchy = system.id,
      .id = std::move(id),
      .owner = name,
      .role = "operator",
      .profile = std::string(kOperatorProfile),
  };
  TRY(wanted.Validate(system));
  ca::Agent agent = TRY(own_agents.EnsureAgent(wanted));
  TRY(own_agents.EnsureGrant(agent.id, {ca::Role::kAdmin, std::nullopt}, system.id));
  return agent;
}

// Whether the folder's certificate is from the current system root and has not passed half of its
// lifetime.
bool AreFresh(const std::filesystem::path& folder, const std::string& bundle, ca::TimePoint now) {
  const auto credentials = ca::Credentials::Read(folder);
  if (!credentials.ok() || credentials->bundle_pem != bundle) return false;
  const auto blocks = ca::FromPem("CERTIFICATE", credentials->cert_pem);
  if (!blocks.ok()) return false;
  const auto certificate = ca::ParseX509(blocks->front());
  if (!certificate.ok()) return false;
  const auto half_life = ca::HalfLifeOf(certificate->get());
  return half_life.ok() && now < *half_life;
}

// Approvals are the only part of the system hierarchy that a later configuration may change. The
// operator that runs `init` has access to the database anyway.
Status EnsureApprovals(const Config& config, ca::HierarchyStore& store, const ca::Hierarchy& system,
                       ca::TimePoint now) {
  if (system.approvals == config.system_approvals) return ca::Ok();
  ca::Hierarchy wanted = system;
  wanted.approvals = config.system_approvals;
  ca::AuditEvent event = ca::LocalEvent(kActor, "ChangeHierarchy", now);
  event.reason = "system: approvals, as the configuration says";
  event.hierarchy = system.id;
  event.subject = system.Name();
  return store.ChangeHierarchy(system, wanted, event);
}

Status WriteOperator(const Config& config, const std::filesystem::path& folder,
                     const ca::Agent& agent, const ca::HierarchySnapshot& hierarchy,
                     const ca::Enrollment& enrollment, const ca::Clock& clock) {
  const std::string bundle = ca::PemOf(hierarchy.Roots());
  if (AreFresh(folder, bundle, clock.Now())) {
    fmt::print("operator {}: the credentials in {} are still valid\n", agent.id.ToString(),
               folder.string());
    return ca::Ok();
  }
  const ca::SubjectKey key = TRY(ca::SubjectKey::Generate(ca::KeyType::kP256));
  const ca::RequestId request = ca::RequestId::New(clock.Now());
  ca::Call call = ca::Call::Local(kActor, ca::Action::kEnroll, clock.Now());
  call.Concerns(agent.hierarchy, agent.id.ToString());
  call.event().request_id = request.ToString();
  auto recorded =
      TRY(enrollment.Issue(call, agent, key.Csr(agent.id), ca::SystemGrounds{}, request));
  const ca::IssuedCertificate issued = recorded.TakeValue();
  std::vector<ca::Bytes> chain = {issued.certificate.Der()};
  const std::vector<ca::Bytes>& intermediates = issued.intermediates();
  chain.insert(chain.end(), intermediates.begin(), intermediates.end());
  const ca::Credentials credentials{
      .key_pem = key.ToPem(),
      .cert_pem = ca::PemOf(chain),
      .bundle_pem = bundle,
      .server = config.advertise,
      .server_ca_pem = bundle,
  };
  TRY(credentials.Write(folder));
  fmt::print("operator {}: admin; credentials in {} until {}\n", agent.id.ToString(),
             folder.string(), ca::Rfc3339(issued.certificate.record.validity.not_after));
  return ca::Ok();
}

}  // namespace

ca::Hierarchy SystemHierarchy(const Config& config) {
  ca::CertificateProfile operators;
  operators.name = kOperatorProfile;
  operators.lifetime = std::chrono::hours(24 * 7);
  operators.server_auth = false;
  ca::CertificateProfile servers;
  servers.name = "server";
  servers.lifetime = std::chrono::hours(24);
  servers.host_names = true;
  return ca::Hierarchy{
      .tenant = kSystemTenant,
      .environment = "system",
      .trust_domain = config.system_trust_domain,
      .is_system = true,
      .dns_subtrees = config.system_dns_subtrees,
      .ip_ranges = config.system_ip_ranges,
      .profiles = {operators, servers},
      .approvals = config.system_approvals,
  };
}

Status RunInit(const Config& config, const InitOptions& options) {
  const ca::SystemClock clock;
  // Two concurrent runs would both make the keys that are missing.
  const auto lock = db::AdvisoryLock::Take({config.database_server}, "agentpki.init");
  if (!lock.ok()) return ca::Annotate(lock.status(), "database: ");
  const Backends backends = TRY(Backends::Open(config, clock, TenantTokens::kMustBeAvailable));
  const ca::StatusDirectory directory(config.status.urls);
  const ca::Provisioning provisioning(*backends.stores, *backends.keys, directory, clock);
  const ca::OwnAgents own_agents(*backends.registry, clock, kActor);

  const ca::Hierarchy system =
      TRY(provisioning.hierarchies.EnsureHierarchy(SystemHierarchy(config), kActor));
  TRY(EnsureApprovals(config, backends.stores->hierarchies, system, clock.Now()));
  fmt::print("hierarchy {}: {}\n", system.Name(), system.trust_domain.name());
  if (!options.hierarchy_file.empty()) {
    const auto wanted = TRY(files::LoadHierarchyFile(options.hierarchy_file));
    if (!wanted.operators.empty()) {
      return ca::Error(ca::StatusCode::kInvalidArgument,
                       "{}: operators: no operator is registered yet; leave them out, and add "
                       "them later with: agentpki hierarchy apply -f FILE",
                       options.hierarchy_file.string());
    }
    const ca::Hierarchy made =
        TRY(provisioning.hierarchies.EnsureHierarchy(wanted.hierarchy, kActor));
    fmt::print("hierarchy {}: {}\n", made.Name(), made.trust_domain.name());
  }
  const ca::Agent agent = TRY(EnsureOperator(system, options.operator_name, own_agents));
  if (options.operator_folder.empty()) return ca::Ok();

  const auto catalogs = TRY(ca::LiveCatalog::Load(*backends.stores, *backends.keys));
  const ca::Enrollment enrollment(*catalogs, *backends.registry, *backends.ledger, directory,
                                  clock);
  const auto snapshot = TRY(catalogs->Find(agent.hierarchy));
  return WriteOperator(config, options.operator_folder, agent, *snapshot, enrollment, clock);
}

}  // namespace server
