#include "ca/server/rpc/doctor_mapping.h"

#include <algorithm>

#include "ca/server/rpc/common_mapping.h"

namespace server {
namespace {

constexpr size_t kForeignKeysMax = 1000;

}  // namespace

agentpki::v1::Finding ToProto(const ca::Finding& finding) {
  agentpki::v1::Finding message;
  message.set_code(finding.code);
  message.set_hierarchy(finding.hierarchy);
  message.set_subject(finding.subject);
  message.set_what(finding.what);
  message.set_fix(finding.fix);
  return message;
}

agentpki::v1::DiagnoseResponse ToProto(const Doctor::Report& report,
                                       const std::vector<std::string>& hierarchies,
                                       ca::TimePoint now) {
  agentpki::v1::DiagnoseResponse message;
  for (const ca::Finding& finding : report.findings) *message.add_findings() = ToProto(finding);
  for (const std::string& name : hierarchies) message.add_hierarchies(name);
  message.set_key_count(report.key_count);
  const size_t foreign_count = std::min(report.foreign_keys.size(), kForeignKeysMax);
  for (size_t i = 0; i < foreign_count; ++i) {
    message.add_foreign_keys(ca::Printable(report.foreign_keys[i]));
  }
  *message.mutable_now() = ToProto(now);
  return message;
}

}  // namespace server
