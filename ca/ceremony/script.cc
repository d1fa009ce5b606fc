#include "ca/ceremony/script.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace ca {
namespace {

template <typename... Args>
Status Wrong(std::string_view field, fmt::format_string<Args...> format, Args&&... args) {
  return Error(StatusCode::kInvalidArgument, "{}: {}", field,
               fmt::format(format, std::forward<Args>(args)...));
}

bool IsPrintable(std::string_view text, char lowest) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return c >= lowest && c != 0x7f; });
}

// Texts go into the transcript unchanged.
Status CheckText(std::string_view field, std::string_view text) {
  // Octets beyond ASCII, which names of people have, are negative here.
  const bool has_control = std::any_of(text.begin(), text.end(),
                                       [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
  if (text.empty() || text.size() > CeremonyScript::kTextMax || has_control) {
    return Wrong(field, "write 1 to {} octets without control characters",
                 CeremonyScript::kTextMax);
  }
  return Ok();
}

Status CheckUrl(const std::string& field, const std::string& url) {
  if (url.empty()) return Ok();
  if (url.starts_with("http://") && url.size() <= CeremonyScript::kTextMax &&
      IsPrintable(url, '!')) {
    return Ok();
  }
  return Wrong(field, "'{}' is not a URL such as http://pki.acme.example/root.crl", Printable(url));
}

Status CheckLifetime(const std::string& field, std::chrono::seconds lifetime,
                     std::chrono::seconds least, std::chrono::seconds most) {
  if (lifetime >= least && lifetime <= most) return Ok();
  return Wrong(field, "{} is not between {} and {}", DurationText(lifetime), DurationText(least),
               DurationText(most));
}

// A path in the folder of the script or below it. Each file has one spelling, so two different
// paths are two files.
Status CheckFileName(std::string_view field, const std::string& name) {
  TRY(CheckText(field, name));
  const std::filesystem::path path(name);
  const std::string own = path.filename().string();
  const bool is_plain = path.is_relative() && path.lexically_normal().string() == name &&
                        *path.begin() != ".." && !own.empty() && own != ".";
  if (is_plain && own.size() <= CeremonyScript::kFileNameMax) return Ok();
  return Wrong(field,
               "'{}' is not a path such as root.pem or day-1/root.pem: relative, without '.' and "
               "'..', and its last part of at most {} octets",
               Printable(name), CeremonyScript::kFileNameMax);
}

// Makes sure that no two fields name the same file: an output must not overwrite an input or the
// transcript.
class FileNames {
 public:
  Status Add(const std::string& field, const std::string& name) {
    TRY(CheckFileName(field, name));
    return Reserve(field, name);
  }

  Status AddOutput(const std::string& field, const std::string& name) {
    TRY(Add(field, name));
    return Reserve(field, name + std::string(CeremonyScript::kUnfinished));
  }

  Status Reserve(const std::string& field, const std::string& name) {
    const auto [at, is_new] = fields_.try_emplace(name, field);
    if (is_new) return Ok();
    return Wrong(field, "'{}' is the file of {} already; write another", Printable(name),
                 at->second);
  }

 private:
  std::map<std::string, std::string> fields_;
};

std::string IssuingField(const IssuingOrder& order, std::string_view field) {
  return fmt::format("issuing.{}.{}", order.generation, field);
}

std::string CrlField(size_t number, std::string_view field) {
  return fmt::format("crls.{}.{}", number, field);
}

Status CheckIssuing(const CeremonyScript& script, FileNames& files) {
  std::set<int> generations;
  for (const IssuingOrder& order : script.issuing) {
    const auto field = [&](std::string_view name) { return IssuingField(order, name); };
    if (order.generation < 1 || !generations.insert(order.generation).second) {
      return Wrong("issuing", "generation {} is there twice, or less than 1; write the next number",
                   order.generation);
    }
    TRY(files.Add(field("csr"), order.csr));
    TRY(files.AddOutput(field("certificate"), order.certificate));
    TRY(CheckLifetime(field("lifetime"), order.lifetime, Hierarchy::kAuthorityLifetimeMin,
                      script.hierarchy.root_lifetime));
    TRY(CheckUrl(field("ocsp"), order.status.ocsp));
    TRY(CheckUrl(field("crl"), order.status.crl));
    TRY(CheckUrl(field("ca_issuers"), order.status.ca_issuers));
  }
  return Ok();
}

Status CheckRevocations(const CeremonyScript& script, size_t number,
                        std::set<std::string>& revoked) {
  const CrlOrder& order = script.crls[number - 1];
  const std::string field = CrlField(number, "revocations");
  for (const RevocationLine& line : order.revocations) {
    const bool is_ours = std::any_of(
        script.issuing.begin(), script.issuing.end(),
        [&](const IssuingOrder& issuing) { return issuing.certificate == line.certificate; });
    if (!is_ours) {
      return Wrong(field, "'{}' is not the certificate of an entry of issuing",
                   Printable(line.certificate));
    }
    if (!revoked.insert(line.certificate).second) {
      return Wrong(field, "'{}' is revoked twice; once is for ever", Printable(line.certificate));
    }
  }
  return Ok();
}

Status CheckCrls(const CeremonyScript& script, FileNames& files) {
  std::set<std::string> revoked;
  for (size_t number = 1; number <= script.crls.size(); ++number) {
    const CrlOrder& order = script.crls[number - 1];
    TRY(files.AddOutput(CrlField(number, "file"), order.file));
    TRY(CheckLifetime(CrlField(number, "lifetime"), order.lifetime, CeremonyScript::kCrlLifetimeMin,
                      CeremonyScript::kCrlLifetimeMax));
    TRY(CheckRevocations(script, number, revoked));
  }
  return Ok();
}

Status CheckWitnesses(const std::vector<std::string>& witnesses) {
  if (witnesses.empty() || witnesses.size() > CeremonyScript::kWitnessesMax) {
    return Wrong("witnesses", "name 1 to {} people who are there", CeremonyScript::kWitnessesMax);
  }
  for (const std::string& witness : witnesses) TRY(CheckText("witnesses", witness));
  return Ok();
}

Status CheckCounts(const CeremonyScript& script) {
  if (script.issuing.size() > CeremonyScript::kOrdersMax ||
      script.crls.size() > CeremonyScript::kOrdersMax) {
    return Wrong("issuing, crls", "write at most {} of each; begin another root's ceremony",
                 CeremonyScript::kOrdersMax);
  }
  return Ok();
}

std::string Fact(std::string_view field, std::string_view value) {
  return fmt::format("{}: {}", field, value);
}

}  // namespace

Status CeremonyScript::Validate() const {
  const auto is_of_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (name.empty() || name.size() > kNameMax ||
      !std::all_of(name.begin(), name.end(), is_of_name)) {
    return Wrong("name", "write 1 to {} of a-z, 0-9 and '-'", kNameMax);
  }
  const Status names = hierarchy.Validate();
  if (!names.ok()) return Annotate(names, "hierarchy: ");
  TRY(CheckText("token.token_label", token_label));
  TRY(CheckText("root.key_label", root.key_label));
  if (root.generation < 1) return Wrong("root.generation", "write 1 or more");
  TRY(CheckCounts(*this));
  FileNames files;
  TRY(files.Reserve("token.pin_file", pin_file));
  TRY(files.Add("the script itself", file));
  TRY(files.Add("transcript", transcript));
  TRY(files.AddOutput("root.certificate", root.certificate));
  TRY(CheckIssuing(*this, files));
  TRY(CheckCrls(*this, files));
  return CheckWitnesses(witnesses);
}

std::vector<std::string> CeremonyScript::KeyFacts() const {
  std::vector<std::string> facts = {
      Fact("name", name),
      Fact("hierarchy.tenant", hierarchy.tenant),
      Fact("hierarchy.environment", hierarchy.environment),
      Fact("hierarchy.trust_domain", hierarchy.trust_domain.name()),
  };
  for (const std::string& subtree : hierarchy.dns_subtrees) {
    facts.push_back(Fact("hierarchy.dns_subtrees", subtree));
  }
  for (const IpRange& range : hierarchy.ip_ranges) {
    facts.push_back(Fact("hierarchy.ip_ranges", range.ToString()));
  }
  facts.push_back(Fact("token.token_label", token_label));
  facts.push_back(Fact("root.key_label", root.key_label));
  return facts;
}

std::vector<std::string> CeremonyScript::RootFacts() const {
  return {Fact("root.generation", std::to_string(root.generation)),
          Fact("root.lifetime", DurationText(hierarchy.root_lifetime)),
          Fact("root.certificate", root.certificate)};
}

std::vector<std::string> CeremonyScript::FactsOf(const IssuingOrder& order) const {
  std::vector<std::string> facts;
  const auto add = [&](std::string_view field, const std::string& value) {
    if (!value.empty()) facts.push_back(Fact(IssuingField(order, field), value));
  };
  add("csr", order.csr);
  add("certificate", order.certificate);
  add("lifetime", DurationText(order.lifetime));
  add("ocsp", order.status.ocsp);
  add("crl", order.status.crl);
  add("ca_issuers", order.status.ca_issuers);
  if (!order.key_fingerprint.empty()) facts.push_back(KeyFact(order, order.key_fingerprint));
  return facts;
}

std::vector<std::string> CeremonyScript::FactsOfCrl(size_t number) const {
  const CrlOrder& order = crls[number - 1];
  std::vector<std::string> facts = {
      Fact(CrlField(number, "file"), order.file),
      Fact(CrlField(number, "lifetime"), DurationText(order.lifetime)),
  };
  for (const RevocationLine& line : order.revocations) {
    facts.push_back(
        Fact(CrlField(number, "revocations"),
             fmt::format("{} {} at {}", line.certificate, NameOf(line.reason), Rfc3339(line.at))));
  }
  return facts;
}

std::string StepOf(const IssuingOrder& order) {
  return fmt::format("issuing/{}", order.generation);
}
std::string StepOfCrl(size_t number) { return fmt::format("crl/{}", number); }

std::string KeyFact(const IssuingOrder& order, BytesView key_fingerprint) {
  return Fact(IssuingField(order, "key_sha256"), Hex(key_fingerprint));
}

}  // namespace ca
