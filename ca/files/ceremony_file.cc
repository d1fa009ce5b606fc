#include "ca/files/ceremony_file.h"

#include <algorithm>

#include "agentpki/v1/ceremony.pb.h"
#include "ca/files/hierarchy_file.h"
#include "ca/files/yaml_message.h"
#include "ca/x509/credentials.h"

namespace files {
namespace {

using agentpki::v1::CeremonyCrlSpec;
using agentpki::v1::CeremonyIssuingSpec;
using agentpki::v1::CeremonySpec;
using ca::CeremonyScript;
using ca::CrlOrder;
using ca::Error;
using ca::Hierarchy;
using ca::IssuingOrder;
using ca::Result;
using ca::StatusCode;

constexpr size_t kFileSizeMax = 1024 * 1024;
constexpr size_t kDigestSize = 32;

// Reads the hierarchy as its own file is read, so that names and constraints are the same. Fields
// that only a server needs keep their defaults.
Result<Hierarchy> HierarchyOf(const CeremonySpec& ceremony) {
  const auto& of = ceremony.hierarchy();
  agentpki::v1::HierarchySpec spec;
  spec.set_tenant(of.tenant());
  spec.set_environment(of.environment());
  spec.set_trust_domain(of.trust_domain());
  *spec.mutable_dns_subtrees() = of.dns_subtrees();
  *spec.mutable_ip_ranges() = of.ip_ranges();
  spec.add_profiles()->set_name("agent");
  if (ceremony.root().has_lifetime()) {
    *spec.mutable_root()->mutable_lifetime() = ceremony.root().lifetime();
    *spec.mutable_issuing()->mutable_lifetime() = ceremony.root().lifetime();
  }
  auto declaration = DeclarationOf(spec);
  if (!declaration.ok()) return ca::Annotate(declaration.status(), "hierarchy: ");
  return std::move(declaration->hierarchy);
}

Result<IssuingOrder> IssuingOf(const CeremonyIssuingSpec& spec, const Hierarchy& hierarchy) {
  IssuingOrder order{
      .generation = spec.generation(),
      .csr = spec.csr(),
      .certificate = spec.certificate(),
      .status = {.ocsp = spec.ocsp(), .ca_issuers = spec.ca_issuers(), .crl = spec.crl()},
  };
  order.lifetime = spec.has_lifetime() ? std::chrono::seconds(spec.lifetime().seconds())
                                       : std::min(order.lifetime, hierarchy.root_lifetime);
  if (!spec.key_sha256().empty()) {
    auto fingerprint = ca::FromHex(spec.key_sha256());
    if (!fingerprint.ok() || fingerprint->size() != kDigestSize) {
      return Error(StatusCode::kInvalidArgument,
                   "issuing.{}.key_sha256: write the 64 hex digits of a SHA-256", order.generation);
    }
    order.key_fingerprint.assign(*fingerprint);
  }
  return order;
}

Result<CrlOrder> CrlOf(const CeremonyCrlSpec& spec, int number) {
  CrlOrder order{.file = spec.file()};
  if (spec.has_lifetime()) order.lifetime = std::chrono::seconds(spec.lifetime().seconds());
  for (const auto& of : spec.revocations()) {
    const std::string field = fmt::format("crls.{}.revocations: ", number);
    const auto reason = ca::RevocationReasonFrom(of.reason());
    if (!reason.ok()) return ca::Annotate(reason.status(), field);
    const auto at = ca::ParseRfc3339(of.at());
    if (!at.ok()) return ca::Annotate(at.status(), field + "at: ");
    order.revocations.push_back({of.certificate(), *reason, *at});
  }
  return order;
}

Result<CeremonyScript> ScriptOf(const CeremonySpec& spec) {
  auto hierarchy = TRY(HierarchyOf(spec));
  CeremonyScript script{
      .name = spec.name(),
      .hierarchy = std::move(hierarchy),
      .token_label = spec.token().token_label(),
      .root = {.key_label = spec.root().key_label(), .certificate = spec.root().certificate()},
      .transcript = spec.transcript(),
      .witnesses = {spec.witnesses().begin(), spec.witnesses().end()},
  };
  if (spec.root().generation() != 0) script.root.generation = spec.root().generation();
  for (const CeremonyIssuingSpec& issuing : spec.issuing()) {
    script.issuing.push_back(TRY(IssuingOf(issuing, script.hierarchy)));
  }
  for (const CeremonyCrlSpec& crl : spec.crls()) {
    script.crls.push_back(TRY(CrlOf(crl, static_cast<int>(script.crls.size()) + 1)));
  }
  return script;
}

// Spells the PIN file's name as the other names in the file are spelled, so that the script can see
// whether another step uses the same file. It compares spellings only: '..' behind a symbolic link
// defeats it, so the program opens the name as people wrote it.
std::string PinFileOf(const std::string& pin_file, const std::filesystem::path& folder) {
  if (pin_file.empty()) return "";
  const std::filesystem::path base = std::filesystem::absolute(folder / ".").lexically_normal();
  return (base / pin_file).lexically_normal().lexically_relative(base).string();
}

Result<CeremonyFile> FileOf(const CeremonySpec& spec, const std::filesystem::path& path,
                            const std::string& text) {
  CeremonyScript script = TRY(ScriptOf(spec));
  script.file = path.filename().string();
  script.digest = ca::Sha256(text);
  script.pin_file = PinFileOf(spec.token().pin_file(), path.parent_path());
  TRY(script.Validate());
  if (spec.token().module().empty() || spec.token().pin_file().empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "token: write module, such as /usr/lib/softhsm/libsofthsm2.so, and pin_file");
  }
  return CeremonyFile{std::move(script), path.parent_path(), spec.token().module(),
                      spec.token().pin_file()};
}

}  // namespace

Result<CeremonyFile> LoadCeremonyFile(const std::filesystem::path& path) {
  const std::string text = TRY(ca::ReadFile(path, kFileSizeMax));
  CeremonySpec spec;
  TRY(ParseYaml(text, path.string(), spec));
  auto file = FileOf(spec, path, text);
  if (!file.ok()) return ca::Annotate(file.status(), path.string() + ": ");
  return file;
}

}  // namespace files
