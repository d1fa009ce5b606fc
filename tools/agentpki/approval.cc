// agentpki approval list|approve|deny|withdraw: what takes two operators.

#include "agentpki/v1/approval.grpc.pb.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::Approval;
using agentpki::v1::ApprovalService;

constexpr int kPageSize = 1000;
constexpr int kChangesShownMax = 10;  // in a list; the other verbs and --output json show all

// "expires in 23h 51m", "by bob, 5m 2s ago".
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
      fmt::print("    ... and {} more: --output json\n", approval.changes_size() - max);
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
    fmt::print("nothing {}\n", options.all ? "was ever asked for" : "waits for an approval");
    return;
  }
  Table table({"APPROVAL", "HIERARCHY", "KIND", "ASKED BY", "ASKED", "STATE", "", "DECIDED BY"});
  for (const Approval& approval : approvals) {
    table.Add({approval.id(), approval.hierarchy(), approval.kind(), approval.requested_by(),
               RelativeText(FromProto(approval.requested_at()), now), approval.state(),
               WhenText(approval, now), approval.decided_by()});
  }
  table.Print();
  for (const Approval& approval : approvals) {
    if (approval.state() != "pending") continue;
    fmt::print("\n{}  {} wants in {}:\n", approval.id(), approval.requested_by(),
               approval.hierarchy());
    PrintChanges(approval, kChangesShownMax);
    fmt::print("  agentpki approval approve {0}\n  agentpki approval deny {0} --reason WHY\n",
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

void PrintStanding(const Session& session, const Approval& approval) {
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(approval));
    return;
  }
  fmt::print("{} {}: {} in {}, asked for by {}\n", approval.id(), approval.state(), approval.kind(),
             approval.hierarchy(), approval.requested_by());
  PrintChanges(approval, approval.changes_size());
  if (approval.state() == "approved") {
    fmt::print("{} repeats the command by {}, and it is carried out, once.\n",
               approval.requested_by(), TimeText(approval.expires_at()));
  }
}

ca::Status Approve(const Session& session, const DecideOptions& options) {
  ApprovalService::Stub stub(TRY(session.Open()));
  agentpki::v1::ApproveChangeRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  const auto response = TRY(session.Call(&ApprovalService::Stub::ApproveChange, stub, request));
  PrintStanding(session, response.approval());
  return ca::Ok();
}

ca::Status Deny(const Session& session, const DecideOptions& options) {
  ApprovalService::Stub stub(TRY(session.Open()));
  agentpki::v1::DenyChangeRequest request;
  request.set_id(options.id);
  request.set_reason(options.reason);
  const auto response = TRY(session.Call(&ApprovalService::Stub::DenyChange, stub, request));
  PrintStanding(session, response.approval());
  return ca::Ok();
}

ca::Status Withdraw(const Session& session, const std::string& id) {
  ApprovalService::Stub stub(TRY(session.Open()));
  agentpki::v1::WithdrawApprovalRequest request;
  request.set_id(id);
  const auto response = TRY(session.Call(&ApprovalService::Stub::WithdrawApproval, stub, request));
  PrintStanding(session, response.approval());
  return ca::Ok();
}

// The argument of each.
CLI::Option* AddId(CLI::App* command, std::string& id) {
  return command->add_option("id", id, "The approval, as 'approval list' writes it")
      ->required()
      ->type_name("ID");
}

}  // namespace

void AddApprovalCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "approval",
      "What takes two operators: whoever asks for it by its own command is told to wait, another "
      "admin approves exactly that, the command is repeated");
  noun->require_subcommand(1);

  CLI::App* const list = noun->add_subcommand("list", "List what waits for an approval");
  auto list_options = std::make_shared<ListOptions>();
  list->add_option("--hierarchy", list_options->hierarchy, "Only of this one, such as acme/prod")
      ->type_name("NAME");
  list->add_flag("--all", list_options->all,
                 "Also what was decided, done or withdrawn, or has expired; newest first");
  list->callback([&session, &run, list_options] {
    run = [&session, list_options] { return List(session, *list_options); };
  });

  const auto add = [&](const char* verb, const char* description, bool needs_reason, auto act) {
    CLI::App* const command = noun->add_subcommand(verb, description);
    auto options = std::make_shared<DecideOptions>();
    AddId(command, options->id);
    command->add_option("--reason", options->reason, "Why; goes into the audit log")
        ->required(needs_reason)
        ->type_name("TEXT");
    command->callback([&session, &run, options, act] {
      run = [&session, options, act] { return act(session, *options); };
    });
  };
  add("approve",
      "Let whoever asked for it do exactly that, once; needs the role admin, and is final.\n\n"
      "  agentpki approval approve 7f3a9c0e12b45d68",
      false, Approve);
  add("deny",
      "Refuse it for as long as it could have been approved; needs the role admin, and is final",
      true, Deny);

  CLI::App* const withdraw = noun->add_subcommand(
      "withdraw",
      "Want no more what you asked for, also when it was approved; the same may be asked for anew");
  auto withdraw_id = std::make_shared<std::string>();
  AddId(withdraw, *withdraw_id);
  withdraw->callback([&session, &run, withdraw_id] {
    run = [&session, withdraw_id] { return Withdraw(session, *withdraw_id); };
  });
}

}  // namespace cli
