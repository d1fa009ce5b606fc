#include "tools/agentpki-bench/fleet.h"

#include "ca/base/request_id.h"
#include "ca/model/join_token.h"
#include "ca/x509/subject_key.h"
#include "tools/client/channel.h"

namespace bench {

using agentpki::v1::EnrollmentService;
using agentpki::v1::RegistryService;
using agentpki::v1::RevocationService;
using ca::Result;
using ca::Status;

Fleet::Fleet(ca::Credentials operator_credentials)
    : operator_(std::move(operator_credentials)),
      channel_(client::Connect(operator_)),
      registry_(RegistryService::NewStub(channel_)),
      revocation_(RevocationService::NewStub(channel_)),
      anonymous_(EnrollmentService::NewStub(
          client::Connect(operator_.server, operator_.server_ca_pem, "", ca::Secret()))) {}

Result<Agent> Fleet::Add(const std::string& spiffe_id) {
  agentpki::v1::RegisterAgentRequest registration;
  registration.mutable_agent()->set_spiffe_id(spiffe_id);
  registration.mutable_agent()->set_owner("agentpki-bench");
  TRY(client::Call(&RegistryService::Stub::RegisterAgent, *registry_, registration, kCallTimeout));

  agentpki::v1::CreateJoinTokenRequest invitation;
  invitation.set_spiffe_id(spiffe_id);
  const auto created = TRY(
      client::Call(&RegistryService::Stub::CreateJoinToken, *registry_, invitation, kCallTimeout));
  const auto token = TRY(ca::JoinToken::Parse(created.token()));

  const auto key = TRY(ca::SubjectKey::Generate(ca::KeyType::kP256));
  agentpki::v1::EnrollRequest enrollment;
  enrollment.set_request_id(ca::RequestId::New(clock_.Now()).ToString());
  enrollment.set_csr(key.Csr(std::nullopt));
  enrollment.set_join_token_secret(token.secret.Reveal());
  const auto enrolled =
      TRY(client::Call(&EnrollmentService::Stub::Enroll, *anonymous_, enrollment, kCallTimeout));
  std::vector<ca::Bytes> chain = {enrolled.certificate().certificate()};
  for (const auto& der : enrolled.certificate().intermediates()) chain.push_back(der);
  auto stub = EnrollmentService::NewStub(
      client::Connect(operator_.server, operator_.server_ca_pem, ca::PemOf(chain), key.ToPem()));
  return Agent{spiffe_id, std::move(stub), std::move(chain)};
}

Result<std::int64_t> Fleet::RevokeAllOf(const std::string& spiffe_id) {
  agentpki::v1::RevokeRequest request;
  request.set_spiffe_id(spiffe_id);
  return Revoke(request);
}

Status Fleet::Revoke(const std::string& serial) {
  agentpki::v1::RevokeRequest request;
  request.set_serial(serial);
  return Revoke(request).status();
}

Result<std::int64_t> Fleet::Revoke(const agentpki::v1::RevokeRequest& request) {
  agentpki::v1::RevokeRequest reasoned = request;
  reasoned.set_reason("cessationOfOperation");
  const auto response =
      TRY(client::Call(&RevocationService::Stub::Revoke, *revocation_, reasoned, kCallTimeout));
  return response.revoked_count();
}

}  // namespace bench
