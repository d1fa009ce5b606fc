#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "agentpki/v1/status.grpc.pb.h"
#include "ca/base/clock.h"
#include "tools/client/channel.h"
#include "tools/client/output.h"

namespace cli {

using client::Facts;
using client::Format;
using client::FromProto;
using client::PrintJsonArray;
using client::RelativeText;
using client::Table;
using client::TimeText;
using client::ToJson;

// What holds for every command: who we are, how to print, how long to wait.
class Session {
 public:
  void AddOptions(CLI::App& app);

  Format format() const { return format_; }
  std::chrono::seconds timeout() const { return std::chrono::seconds(timeout_seconds_); }
  const ca::Clock& clock() const { return clock_; }

  // A channel as the operator of --identity, whose credentials are renewed first when more than
  // half of their lifetime has passed. kFailedPrecondition, saying how to get one, when there is
  // none.
  ca::Result<std::shared_ptr<grpc::Channel>> Open() const;

  // When Open() will renew the credentials of --identity.
  ca::Result<ca::TimePoint> RenewalDue() const;

  // A channel as whoever holds the credentials in `folder`.
  ca::Result<std::shared_ptr<grpc::Channel>> OpenAs(const std::filesystem::path& folder) const;

  // The hierarchies that a listing is about: the one named, or all over which we have a role.
  ca::Result<std::vector<std::string>> Hierarchies(const std::shared_ptr<grpc::Channel>& channel,
                                                   const std::string& named) const;

  template <typename Stub, typename Request, typename Response>
  ca::Result<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                         Response*),
                            Stub& stub, const Request& request) const {
    return client::Call(method, stub, request, timeout());
  }

 private:
  void RenewIfDue(const std::filesystem::path& folder) const;

  const ca::SystemClock clock_;
  std::string identity_;
  Format format_ = Format::kTable;
  int timeout_seconds_ = 30;
};

// Asks for page after page until there is none. `list(page_token)` yields a response, `take` keeps
// it.
template <typename List, typename Take>
ca::Status ForEachPage(List list, Take take) {
  std::string page_token;
  do {
    const auto response = TRY(list(page_token));
    take(response);
    page_token = response.next_page_token();
  } while (!page_token.empty());
  return ca::Ok();
}

}  // namespace cli
