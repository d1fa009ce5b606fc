// agentpki approval list|approve|deny|withdraw: changes that need two operators.

#include "agentpki/v1/approval.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::Approval;
using agentpki::v1::ApprovalService;

constexpr int kPageSize = 1000;
constexpr int kChangesShownMax = 10;  // in `list`; the other verbs and --output json show all

// "expires in 23h 51m" while the approval is open, otherwise when it ended: "5m 2s ago".
std::string WhenText(const Approval& approval, ca::TimePoint now) {
  if (approval.state() == "pending" || approval.state() == "approved") {
    return "expires " + RelativeText(FromProto(approval.expires_at()), now);
  }
  if (approval.state() == "expired") return RelativeText(FromProto(approval.expires_at()), now);
  if (approval.state() == "done") return RelativeText(FromProto(approval.used_at()), now);
  if (approval.state() == "withdrawn") return RelativeText(FromProto(approval.withdrawn_at()), now);
  return RelativeText(FromProto(approval.decided_at()), now);
}

void PrintChanges(const Approval& approval, int max) {
  for (int i = 0; i < approval.changes_size(); ++i) {
    if (i == max) {
      fmt::print("    ... and {} more; --output json lists all\n", approval.changes_size() - max);
      return;
    }
    fmt::print("    {}\n", approval.changes(i));
  }
}

// ---- list ---------------------------------------------------------------------------------------

struct ListOptions {
  std::string hierarchy;
  bool all = false;
};

using Approvals = google::protobuf::RepeatedPtrField<Approval>;

void PrintList(const Approvals& approvals, const ListOptions& options, ca::TimePoint now) {
  if (approvals.empty()) {
    fmt::print("no {}\n", options.all ? "approvals" : "pending or approved changes");
    return;
  }
  Table table({"APPROVAL", "HIERARCHY", "KIND", "REQUESTED BY", "REQUESTED", "STATE", "WHEN",
               "DECIDED BY"});
  for (const Approval& approval : approvals) {
    table.Add({approval.id(), approval.hierarchy(), approval.kind(), approval.requested_by(),
               RelativeText(FromProto(approval.requested_at()), now), approval.state(),
               WhenText(approval, now), approval.decided_by()});
  }
  table.Print();
  for (const Approval& approval : approvals) {
    if (approval.state() != "pending") continue;
    fmt::print("\n{}: {} requests in {}:\n", approval.id(), approval.requested_by(),
               approval.hierarchy());
    PrintChanges(approval, kChangesShownMax);
    fmt::print("  agentpki approval approve {0}\n  agentpki approval deny {0} --reason TEXT\n",
               approval.id());
  }
}

ca::Status List(const Session& session, const ListOptions& options) {
  const auto channel = TRY(session.Open());
  ApprovalService::Stub stub(channel);
  Approvals approvals;
  ca::TimePoint now = session.clock().Now();
  const auto hierarchies = TRY(session.Hierarchies(channel, options.hierarchy));
  for (const std::string& hierarchy : hierarchies) {
    TRY(ForEachPage(
        [&](const std::string& page_token) {
          agentpki::v1::ListApprovalsRequest request;
          request.set_hierarchy(hierarchy);
          request.set_all(options.all);
          request.set_page_size(kPageSize);
          request.set_page_token(page_token);
          return session.Call(&ApprovalService::Stub::ListApprovals, stub, request);
        },
        [&](const auto& response) {
          approvals.MergeFrom(response.approvals());
          now = FromProto(response.now());
        }));
  }
  if (session.format() == Format::kJson) {
    PrintJsonArray(approvals);
  } else {
    PrintList(approvals, options, now);
  }
  return ca::Ok();
}

// ---- approve, deny, withdraw --------------------------------------------------------------------

struct DecideOptions {
  std::string id;
  std::string reason;
};

void PrintApproval(const Session& session, const Approval& approval) {
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(approval));
    return;
  }
  fmt::print("{} {}: {} in {}, requested by {}\n", approval.id(), approval.state(), approval.kind(),
             approval.hierarchy(), approval.requested_by());
  PrintChanges(approval, approval.changes_size());
  if (approval.state() == "approved") {
    fmt::print("{} must now repeat the same command before {}; it works once.\n",
               approval.requested_by(), TimeText(approval.expires_at()));
  }
}

ca::Status Approve(const Session& session, const DecideOptions& options) {
  ApprovalService::Stub stub(TRY(session.Open()));
  agentpki::v1::ApproveChangeRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  const auto response = TRY(session.Call(&ApprovalService::Stub::ApproveChange, stub, request));
  PrintApproval(session, response.approval());
  return ca::Ok();
}

ca::Status Deny(const Session& session, const DecideOptions& options) {
  ApprovalService::Stub stub(TRY(session.Open()));
  agentpki::v1::DenyChangeRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  const auto response = TRY(session.Call(&ApprovalService::Stub::DenyChange, stub, request));
  PrintApproval(session, response.approval());
  return ca::Ok();
}

ca::Status Withdraw(const Session& session, const std::string& id) {
  ApprovalService::Stub stub(TRY(session.Open()));
  agentpki::v1::WithdrawApprovalRequest request;
  request.set_id(id);
  const auto response = TRY(session.Call(&ApprovalService::Stub::WithdrawApproval, stub, request));
  PrintApproval(session, response.approval());
  return ca::Ok();
}

CLI::Option* AddId(CLI::App* command, std::string& id) {
  return command->add_option("id", id, "Id of the approval, from 'agentpki approval list'")
      ->required()
      ->type_name("ID");
}

}  // namespace

void AddApprovalCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "approval",
      "Changes that need two operators: one operator runs the command and gets an approval id, "
      "another admin approves it, the first operator repeats the command");
  noun->require_subcommand(1);

  CLI::App* const list =
      noun->add_subcommand("list", "List the changes that are pending or approved");
  auto list_options = std::make_shared<ListOptions>();
  list->add_option("--hierarchy", list_options->hierarchy, kOneHierarchy)->type_name("NAME");
  list->add_flag("--all", list_options->all,
                 "Include denied, done, withdrawn and expired ones; newest first");
  list->callback([&session, &run, list_options] {
    run = [&session, list_options] { return List(session, *list_options); };
  });

  const auto add = [&](const char* verb, const char* description, bool needs_reason, auto act) {
    CLI::App* const command = noun->add_subcommand(verb, description);
    auto options = std::make_shared<DecideOptions>();
    AddId(command, options->id);
    command->add_option("--reason", options->reason, "Reason, for the audit log")
        ->required(needs_reason)
        ->type_name("TEXT");
    command->callback([&session, &run, options, act] {
      run = [&session, options, act] { return act(session, *options); };
    });
  };
  add("approve",
      "Approve one change, as 'approval list' shows it. The operator that requested it can then "
      "make it, once. Needs the role admin, and another operator than the one that requested it. "
      "An approval is final.\n\n"
      "  agentpki approval approve 7f3a9c0e12b45d68",
      false, Approve);
  add("deny",
      "Deny one change. The same request is refused until it expires. Needs the role admin, and "
      "another operator than the one that requested it. A denial is final.\n\n"
      "  agentpki approval deny 7f3a9c0e12b45d68 --reason 'lifetime too long'",
      true, Deny);

  CLI::App* const withdraw = noun->add_subcommand(
      "withdraw",
      "Withdraw your own request, pending or approved. You can request the same change again");
  auto withdraw_id = std::make_shared<std::string>();
  AddId(withdraw, *withdraw_id);
  withdraw->callback([&session, &run, withdraw_id] {
    run = [&session, withdraw_id] { return Withdraw(session, *withdraw_id); };
  });
}

}  // namespace cli
