#include "ca/server/rpc/certificate_service.h"

#include "ca/server/rpc/certificate_mapping.h"

namespace server {

using ca::Action;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;

grpc::ServerUnaryReactor* CertificateService::GetCertificate(
    grpc::CallbackServerContext* context, const agentpki::v1::GetCertificateRequest* request,
    agentpki::v1::GetCertificateResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kGetCertificate, [=, this](ca::Call& call) -> ca::Status {
        const auto serial = TRY(ca::SerialNumber::FromHexText(request->serial()));
        call.event().serial = serial.ToString();
        const ca::Certificate found = TRY(Find(call.caller(), serial));
        call.event().hierarchy = found.record.hierarchy;
        call.event().subject = found.record.subject.ToString();
        const auto hierarchy = TRY(catalogs_.Find(found.record.hierarchy));
        *response =
            ToProto(found, hierarchy->Intermediates(found.record.authority), hierarchy->Roots());
        return ca::Ok();
      });
}

Result<ca::Certificate> CertificateService::Find(const ca::Caller& caller,
                                                 const ca::SerialNumber& serial) const {
  const auto catalog = catalogs_.Snapshot();
  const auto allowed =
      TRY(authorization_.Allowed(caller, Action::kGetCertificate, catalog->all_hierarchies()));
  for (const ca::HierarchyId hierarchy : allowed) {
    auto found = ledger_.FindCertificate(hierarchy, serial);
    if (found.status().code() != StatusCode::kNotFound) return found;
  }
  return Error(StatusCode::kNotFound,
               "no hierarchy that {} may read has a certificate with serial {}", caller.Name(),
               serial.ToString());
}

grpc::ServerUnaryReactor* CertificateService::ListCertificates(
    grpc::CallbackServerContext* context, const agentpki::v1::ListCertificatesRequest* request,
    agentpki::v1::ListCertificatesResponse* response) {
  return call_gate_.HandleReading(
      context, Action::kListCertificates, [=, this](ca::Call& call) -> ca::Status {
        const auto catalog = catalogs_.Snapshot();
        const auto hierarchy = TRY(catalog->FindByName(request->hierarchy()));
        call.event().hierarchy = hierarchy->id();
        TRY(authorization_.Require(call.caller(), Action::kListCertificates, hierarchy->id()));
        const auto query = TRY(FromProto(*request, hierarchy->hierarchy(), clock_.Now()));
        const auto entries = TRY(ledger_.ListCertificates(query));
        for (const auto& entry : entries) {
          *response->add_certificates() =
              ToProto(entry, hierarchy->hierarchy(), revocations_.Find(entry.serial));
        }
        if (static_cast<int>(entries.size()) == query.page_size) {
          response->set_next_page_token(entries.back().serial.ToString());
        }
        return ca::Ok();
      });
}

}  // namespace server
