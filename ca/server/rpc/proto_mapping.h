#pragma once

#include <google/protobuf/timestamp.pb.h>

#include "agentpki/v1/authority.pb.h"
#include "agentpki/v1/certificate.pb.h"
#include "agentpki/v1/doctor.pb.h"
#include "agentpki/v1/enrollment.pb.h"
#include "agentpki/v1/policy.pb.h"
#include "agentpki/v1/registry.pb.h"
#include "agentpki/v1/revocation.pb.h"
#include "agentpki/v1/status.pb.h"
#include "agentpki/v1/trust_bundle.pb.h"
#include "ca/authorities/trust_bundles.h"
#include "ca/catalog/authority_view.h"
#include "ca/catalog/catalog.h"
#include "ca/certificates/enrollment.h"
#include "ca/certificates/registration.h"
#include "ca/certificates/revocations.h"
#include "ca/hierarchies/diagnosis.h"
#include "ca/server/status/consistency.h"

// Where the wire's messages become the words of ca/, and back. Errors name the field.
namespace server {

google::protobuf::Timestamp ToProto(ca::TimePoint time);
agentpki::v1::Agent ToProto(const ca::Agent& agent, const ca::Hierarchy& hierarchy);
agentpki::v1::JoinToken ToProto(const ca::JoinTokenRecord& token, ca::TimePoint now);
agentpki::v1::IssuedCertificate ToProto(const ca::IssuedCertificate& issued);
agentpki::v1::CertificateEntry ToProto(const ca::CertificateEntry& entry,
                                       const ca::Hierarchy& hierarchy);
agentpki::v1::Authority ToProto(const ca::AuthorityView& view);
agentpki::v1::Finding ToProto(const ca::Finding& finding);
agentpki::v1::AuthorityStatus ToProto(const ca::Authority& authority,
                                      const ca::Hierarchy& hierarchy);
agentpki::v1::RevokeResponse ToProto(const ca::RevocationOutcome& outcome);
agentpki::v1::CheckStatusResponse ToProto(const ConsistencyReport& report);
agentpki::v1::TrustBundle ToProto(const ca::TrustBundle& bundle);
agentpki::v1::ListStragglersResponse ToProto(const ca::Stragglers& stragglers);
agentpki::v1::RecordedRequest ToProto(const ca::RecordedRequest& request);

ca::Result<ca::EnrollmentRequest> FromProto(const agentpki::v1::EnrollRequest& request,
                                            ca::TimePoint now);
ca::Result<ca::RenewalRequest> FromProto(const agentpki::v1::RenewRequest& request,
                                         ca::TimePoint now);
ca::Result<ca::RevocationRequest> FromProto(const agentpki::v1::RevokeRequest& request);
ca::Result<ca::AgentRegistration> FromProto(const agentpki::v1::RegisterAgentRequest& request);
// The hierarchy is still to be said.
ca::Result<ca::RequestQuery> FromProto(const agentpki::v1::ListEnrollmentRequestsRequest& request,
                                       ca::TimePoint now);

// A SPIFFE ID that a field holds.
ca::Result<ca::SpiffeId> SpiffeIdFrom(const std::string& field, const std::string& text);
// 0 is the default. kInvalidArgument when out of bounds.
ca::Result<int> PageSizeFrom(int asked, int size_max);

}  // namespace server
