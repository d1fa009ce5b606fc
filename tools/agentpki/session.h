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

// The options of every command: the operator's identity, the output format and the timeout.
class Session {
 public:
  void AddOptions(CLI::App& app);

  Format format() const { return format_; }
  std::chrono::seconds timeout() const { return std::chrono::seconds(timeout_seconds_); }
  const ca::Clock& clock() const { return clock_; }

  // Opens a channel with the credentials of --identity. Renews them first if more than half of
  // their lifetime has passed. kFailedPrecondition if there is no identity or it has expired; the
  // message says how to get one.
  ca::Result<std::shared_ptr<grpc::Channel>> Open() const;

  // Returns the time from which Open() renews the credentials of --identity.
  ca::Result<ca::TimePoint> RenewalDue() const;

  // Opens a channel with the credentials in `folder`; renews nothing.
  ca::Result<std::shared_ptr<grpc::Channel>> OpenAs(const std::filesystem::path& folder) const;

  // Returns the hierarchies to list: the one named, or each one in which the operator has a role.
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

// Reads all pages of a listing. `list(page_token)` fetches one page; `take(page)` keeps it.
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
