// raw_client: gRPC calls for the system tests, without the checks and retries of the CLI.
//
//   raw_client methods
//       Prints each method of agentpki's services on a line.
//   raw_client call --server HOST:PORT --ca FILE [--cert FILE --key FILE]
//       Reads lines `METHOD REQUEST`, makes each call over one channel, and prints its answer as a
//       line of JSON: code, rule, message, correlation_id, response. REQUEST and response are JSON
//       for a method that `methods` lists, and hex octets for any other method.
//   raw_client judge
//       Reads lines of hex. Prints good for each that OpenSSL parses as a PKCS #10 request signed
//       by its own key, otherwise bad.
//   raw_client load --identity DIR --agent SPIFFE-ID --threads N
//       Enrolls and renews the agent in a loop, until standard input ends. Prints each attempt as a
//       line: REQUEST-ID METHOD CODE SERIAL TBS-SHA256 RULE MESSAGE, with - for a missing value.
//       Repeats a request after a temporary failure, and some requests also after a success.

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <openssl/x509.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <future>
#include <iostream>
#include <thread>

#include "agentpki/v1/approval.grpc.pb.h"
#include "agentpki/v1/authority.grpc.pb.h"
#include "agentpki/v1/certificate.grpc.pb.h"
#include "agentpki/v1/doctor.grpc.pb.h"
#include "agentpki/v1/enrollment.grpc.pb.h"
#include "agentpki/v1/hierarchy.grpc.pb.h"
#include "agentpki/v1/operator.grpc.pb.h"
#include "agentpki/v1/policy.grpc.pb.h"
#include "agentpki/v1/registry.grpc.pb.h"
#include "agentpki/v1/revocation.grpc.pb.h"
#include "agentpki/v1/status.grpc.pb.h"
#include "agentpki/v1/trust_bundle.grpc.pb.h"
#include "ca/base/openssl.h"
#include "ca/base/request_id.h"
#include "ca/model/join_token.h"
#include "ca/x509/credentials.h"
#include "ca/x509/subject_key.h"

namespace {

using agentpki::v1::EnrollmentService;
using agentpki::v1::RegistryService;

constexpr std::chrono::seconds kCallTimeout(20);
constexpr std::chrono::milliseconds kPause(50);  // before the repeat of a request
constexpr size_t kFileSizeMax = 1024 * 1024;

[[noreturn]] void Die(const std::string& why) {
  std::cerr << "raw_client: " << why << "\n";
  std::exit(2);
}

template <typename T>
T Must(ca::Result<T> result) {
  if (!result.ok()) Die(ca::MessageOf(result.status()));
  return *std::move(result);
}

// Connects without gRPC's own retries, because a test counts each attempt. Reconnects fast.
std::shared_ptr<grpc::Channel> Connect(const std::string& server, const std::string& ca_pem,
                                       const std::string& cert_pem, const std::string& key_pem) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ca_pem;
  options.pem_cert_chain = cert_pem;
  options.pem_private_key = key_pem;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(server, grpc::SslCredentials(options), arguments);
}

void SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(std::chrono::system_clock::now() + kCallTimeout);
}

std::string CodeName(const grpc::Status& status) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(status.error_code()));
}

std::string Trailer(const grpc::ClientContext& context, const char* name) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(name);
  return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
}

// ---- methods, call ------------------------------------------------------------------------------

// One service a file. The reference to a message links its file in.
std::vector<const google::protobuf::FileDescriptor*> ServiceFiles() {
  return {agentpki::v1::EnrollRequest::descriptor()->file(),
          agentpki::v1::RegisterAgentRequest::descriptor()->file(),
          agentpki::v1::GetCertificateRequest::descriptor()->file(),
          agentpki::v1::RevokeRequest::descriptor()->file(),
          agentpki::v1::GetStatusRequest::descriptor()->file(),
          agentpki::v1::ListAuthoritiesRequest::descriptor()->file(),
          agentpki::v1::GetTrustBundleRequest::descriptor()->file(),
          agentpki::v1::ListHierarchiesRequest::descriptor()->file(),
          agentpki::v1::ListGrantsRequest::descriptor()->file(),
          agentpki::v1::DiagnoseRequest::descriptor()->file(),
          agentpki::v1::ListEnrollmentRequestsRequest::descriptor()->file(),
          agentpki::v1::ListApprovalsRequest::descriptor()->file()};
}

std::map<std::string, const google::protobuf::MethodDescriptor*> Methods() {
  std::map<std::string, const google::protobuf::MethodDescriptor*> methods;
  for (const auto* file : ServiceFiles()) {
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j) {
        methods[service->full_name() + "/" + service->method(j)->name()] = service->method(j);
      }
    }
  }
  return methods;
}

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type) {
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<google::protobuf::Message>(factory->GetPrototype(type)->New());
}

std::string OctetsOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string octets;
  if (!buffer.Valid() || !buffer.Dump(&slices).ok()) return octets;
  for (const grpc::Slice& slice : slices) {
    octets.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return octets;
}

class Caller {
 public:
  explicit Caller(std::shared_ptr<grpc::Channel> channel) : stub_(std::move(channel)) {}

  // Returns the answer as a line of JSON.
  std::string Call(const std::string& name, const std::string& request) {
    const auto found = methods_.find(name);
    const auto* method = found == methods_.end() ? nullptr : found->second;
    const grpc::Slice octets(method ? FromJson(method->input_type(), request)
                                    : Must(ca::FromHex(request)));
    const grpc::ByteBuffer sent(&octets, 1);
    grpc::ByteBuffer received;
    grpc::ClientContext context;
    SetDeadline(context);
    std::promise<grpc::Status> done;
    stub_.UnaryCall(&context, "/" + name, {}, &sent, &received,
                    [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();

    google::protobuf::Struct answer;
    auto& fields = *answer.mutable_fields();
    fields["code"].set_string_value(CodeName(status));
    fields["message"].set_string_value(status.error_message());
    fields["rule"].set_string_value(Trailer(context, "agentpki-rule"));
    fields["correlation_id"].set_string_value(Trailer(context, "agentpki-correlation-id"));
    if (!method) {
      fields["response"].set_string_value(ca::Hex(OctetsOf(received)));
    } else if (status.ok()) {
      *fields["response"].mutable_struct_value() = ToStruct(method->output_type(), received);
    }
    std::string line;
    if (!google::protobuf::util::MessageToJsonString(answer, &line).ok())
      Die("the answer has no JSON form");
    return line;
  }

 private:
  static std::string FromJson(const google::protobuf::Descriptor* type, const std::string& json) {
    const auto message = NewMessage(type);
    const auto parsed = google::protobuf::util::JsonStringToMessage(json, message.get());
    if (!parsed.ok()) Die("not a " + type->full_name() + ": " + parsed.ToString());
    return message->SerializeAsString();
  }

  static google::protobuf::Struct ToStruct(const google::protobuf::Descriptor* type,
                                           const grpc::ByteBuffer& buffer) {
    const auto message = NewMessage(type);
    std::string json;
    google::protobuf::Struct structure;
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    if (!message->ParseFromString(OctetsOf(buffer)) ||
        !google::protobuf::util::MessageToJsonString(*message, &json, options).ok() ||
        !google::protobuf::util::JsonStringToMessage(json, &structure).ok()) {
      Die("the response is not a " + type->full_name());
    }
    return structure;
  }

  const std::map<std::string, const google::protobuf::MethodDescriptor*> methods_ = Methods();
  grpc::GenericStub stub_;
};

void CallLines(Caller& caller) {
  for (std::string line; std::getline(std::cin, line);) {
    const size_t space = std::min(line.find(' '), line.size());
    std::cout << caller.Call(line.substr(0, space), line.substr(std::min(space + 1, line.size())))
              << std::endl;
  }
}

// ---- judge --------------------------------------------------------------------------------------

bool IsGoodRequest(const std::string& der) {
  const unsigned char* cursor = ca::Octets(der);
  const ca::X509ReqPtr request(d2i_X509_REQ(nullptr, &cursor, static_cast<long>(der.size())));
  const bool is_whole = request && cursor == ca::Octets(der) + der.size();
  EVP_PKEY* const key = is_whole ? X509_REQ_get0_pubkey(request.get()) : nullptr;
  const bool is_good = key && X509_REQ_verify(request.get(), key) == 1;
  ca::DrainOpenSslErrors();
  return is_good;
}

void JudgeLines() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << (IsGoodRequest(Must(ca::FromHex(line))) ? "good\n" : "bad\n");
  }
}

// ---- load ---------------------------------------------------------------------------------------

// Returns whether a retry may succeed.
bool IsTemporary(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
      return true;
    default:
      return false;
  }
}

std::string TbsDigest(const std::string& der) {
  const ca::X509Ptr certificate = Must(ca::ParseX509(der));
  unsigned char* tbs = nullptr;
  const int size = i2d_re_X509_tbs(certificate.get(), &tbs);
  if (size <= 0) Die("the certificate has no to-be-signed part");
  const ca::OpenSslBuffer<unsigned char> owned(tbs);
  return ca::Hex(ca::Sha256({reinterpret_cast<const char*>(tbs), static_cast<size_t>(size)}));
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

class Load {
 public:
  Load(ca::Credentials identity, std::string agent)
      : identity_(std::move(identity)),
        agent_(std::move(agent)),
        operator_(Connect(identity_.server, identity_.server_ca_pem, identity_.cert_pem,
                          identity_.key_pem.Reveal())),
        anonymous_(Connect(identity_.server, identity_.server_ca_pem, "", "")) {}

  void Stop() { is_stopping_ = true; }

  // Enrolls with a new key and renews a few times, again and again until Stop().
  void Run() {
    constexpr int kRenewals = 3;
    while (!is_stopping_) {
      const ca::SubjectKey key = Must(ca::SubjectKey::Generate(ca::KeyType::kP256));
      const auto enrolled = Enroll(key);
      if (!enrolled) continue;
      std::vector<ca::Bytes> chain = {enrolled->certificate()};
      for (const auto& der : enrolled->intermediates()) chain.push_back(der);
      EnrollmentService::Stub renewing(Connect(identity_.server, identity_.server_ca_pem,
                                               ca::PemOf(chain), key.ToPem().Reveal()));
      for (int i = 0; i < kRenewals && !is_stopping_; ++i) Renew(renewing);
    }
  }

 private:
  using Issued = std::optional<agentpki::v1::IssuedCertificate>;

  Issued Enroll(const ca::SubjectKey& key) {
    const auto token = NewToken();
    if (!token) return std::nullopt;
    agentpki::v1::EnrollRequest request;
    request.set_request_id(ca::RequestId::New(clock_.Now()).ToString());
    request.set_csr(key.Csr(std::nullopt));
    request.set_join_token_secret(Must(ca::JoinToken::Parse(*token)).secret.Reveal());
    Issued issued = Insist("Enroll", &EnrollmentService::Stub::Enroll, anonymous_, request);
    if (issued) Insist("Enroll", &EnrollmentService::Stub::Enroll, anonymous_, request);
    return issued;
  }

  void Renew(EnrollmentService::Stub& stub) {
    const ca::SubjectKey key = Must(ca::SubjectKey::Generate(ca::KeyType::kP256));
    agentpki::v1::RenewRequest request;
    request.set_request_id(ca::RequestId::New(clock_.Now()).ToString());
    request.set_csr(key.Csr(std::nullopt));
    Insist("Renew", &EnrollmentService::Stub::Renew, stub, request);
  }

  std::optional<std::string> NewToken() {
    agentpki::v1::CreateJoinTokenRequest request;
    request.set_spiffe_id(agent_);
    while (!is_stopping_) {
      grpc::ClientContext context;
      Prepare(context);
      agentpki::v1::CreateJoinTokenResponse response;
      const grpc::Status status = operator_.CreateJoinToken(&context, request, &response);
      if (status.ok()) return response.token();
      Tell("-", "CreateJoinToken", context, status, nullptr);
      std::this_thread::sleep_for(kPause);
    }
    return std::nullopt;
  }

  // Calls wait while the server is unavailable, because a channel reconnects only during a call.
  static void Prepare(grpc::ClientContext& context) {
    SetDeadline(context);
    context.set_wait_for_ready(true);
  }

  // Repeats one request until it succeeds or is refused, or until Stop().
  template <typename Request, typename Response>
  Issued Insist(const char* name,
                grpc::Status (EnrollmentService::Stub::*method)(grpc::ClientContext*,
                                                                const Request&, Response*),
                EnrollmentService::Stub& stub, const Request& request) {
    for (;;) {
      grpc::ClientContext context;
      Prepare(context);
      Response response;
      const grpc::Status status = (stub.*method)(&context, request, &response);
      Tell(request.request_id(), name, context, status, &response.certificate());
      if (status.ok()) return response.certificate();
      if (!IsTemporary(status) || is_stopping_) return std::nullopt;
      std::this_thread::sleep_for(kPause);
    }
  }

  void Tell(const std::string& request_id, const char* method, const grpc::ClientContext& context,
            const grpc::Status& status, const agentpki::v1::IssuedCertificate* issued) {
    const bool is_issued = status.ok() && issued;
    const std::string line = fmt::format(
        "{} {} {} {} {} {} {}\n", request_id, method, CodeName(status),
        is_issued ? issued->serial() : "-", is_issued ? TbsDigest(issued->certificate()) : "-",
        OrDash(Trailer(context, "agentpki-rule")), OrDash(status.error_message()));
    const std::lock_guard lock(output_mutex_);
    std::cout << line << std::flush;
  }

  const ca::SystemClock clock_;
  const ca::Credentials identity_;
  const std::string agent_;
  RegistryService::Stub operator_;
  EnrollmentService::Stub anonymous_;
  std::atomic<bool> is_stopping_ = false;
  std::mutex output_mutex_;
};

void RunLoad(Load& load, int thread_count) {
  std::vector<std::thread> threads;
  for (int i = 0; i < thread_count; ++i) threads.emplace_back([&load] { load.Run(); });
  while (std::cin.get() != std::char_traits<char>::eof()) continue;
  load.Stop();
  for (std::thread& thread : threads) thread.join();
}

std::string FileOrNothing(const std::string& path) {
  return path.empty() ? "" : Must(ca::ReadFile(path, kFileSizeMax));
}

}  // namespace

int main(int argc, char** argv) {
  setenv("GRPC_VERBOSITY", "NONE", 0);
  CLI::App app("gRPC for agentpki's system tests");
  app.require_subcommand(1);
  CLI::App* const methods = app.add_subcommand("methods");
  CLI::App* const call = app.add_subcommand("call");
  std::string server, ca_file, cert_file, key_file;
  call->add_option("--server", server)->required();
  call->add_option("--ca", ca_file)->required();
  call->add_option("--cert", cert_file);
  call->add_option("--key", key_file);
  CLI::App* const judge = app.add_subcommand("judge");
  CLI::App* const load = app.add_subcommand("load");
  std::string identity, agent;
  int thread_count = 1;
  load->add_option("--identity", identity)->required();
  load->add_option("--agent", agent)->required();
  load->add_option("--threads", thread_count);
  CLI11_PARSE(app, argc, argv);

  if (methods->parsed()) {
    for (const auto& [name, method] : Methods()) std::cout << name << "\n";
  } else if (judge->parsed()) {
    JudgeLines();
  } else if (call->parsed()) {
    Caller caller(
        Connect(server, FileOrNothing(ca_file), FileOrNothing(cert_file), FileOrNothing(key_file)));
    CallLines(caller);
  } else {
    Load running(Must(ca::Credentials::Read(identity)), agent);
    RunLoad(running, thread_count);
  }
  return 0;
}
