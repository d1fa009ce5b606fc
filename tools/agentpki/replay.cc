// agentpki policy replay: judge past requests by the policy of a proposed file.

#include <unistd.h>

#include <optional>

#include "agentpki/v1/hierarchy.grpc.pb.h"
#include "agentpki/v1/policy.grpc.pb.h"
#include "ca/base/rules.h"
#include "ca/certificates/policy_replay.h"
#include "ca/files/hierarchy_file.h"
#include "tools/agentpki/commands.h"

namespace cli {
namespace {

using agentpki::v1::HierarchyService;
using agentpki::v1::PolicyService;
using ca::Result;
using ca::Status;
using ca::StatusCode;
using Changes = google::protobuf::RepeatedPtrField<agentpki::v1::PolicyChange>;

struct ReplayOptions {
  std::string file;
  std::string since = "7d";
};

// ---- reading ------------------------------------------------------------------------------------

// Returns the current policy, or nullopt if the hierarchy does not exist yet.
Result<std::optional<ca::Hierarchy>> Current(const Session& session, HierarchyService::Stub& stub,
                                             const std::string& name) {
  agentpki::v1::GetHierarchyRequest request;
  request.set_hierarchy(name);
  const auto response = session.Call(&HierarchyService::Stub::GetHierarchy, stub, request);
  if (response.status().code() == StatusCode::kNotFound) return std::optional<ca::Hierarchy>();
  if (!response.ok()) return response.status();
  auto declaration = TRY(files::DeclarationOf(response->hierarchy().spec()));
  return std::optional(std::move(declaration.hierarchy));
}

Result<ca::RequestFacts> FactsOf(const agentpki::v1::RequestFacts& facts, const ca::SpiffeId& agent,
                                 ca::Operation operation) {
  const ca::KeyType key_type = TRY(ca::KeyTypeFrom(facts.key_type()));
  return ca::RequestFacts{
      .agent = std::string(agent.path()),
      .owner = facts.owner(),
      .role = facts.role(),
      .version = facts.version(),
      .profile = facts.profile(),
      .key_type = key_type,
      .operation = operation,
  };
}

// Leaves position.number unset: the message does not carry it and the replay does not need it.
Result<ca::RecordedRequest> RequestOf(const agentpki::v1::RecordedRequest& message) {
  ca::RecordedRequest request;
  request.position.at = client::FromProto(message.at());
  request.operation = TRY(ca::OperationFrom(message.operation()));
  request.subject = message.spiffe_id();
  request.decision = TRY(ca::DecisionFrom(message.decision()));
  request.rule = message.rule();
  if (message.has_facts()) {
    const auto agent = TRY(ca::SpiffeId::Parse(message.spiffe_id()));
    request.facts = TRY(FactsOf(message.facts(), agent, request.operation));
  }
  return request;
}

// Shows the progress of a long replay on a terminal, in one line that is overwritten each second.
class Progress {
 public:
  explicit Progress(const ca::Clock& clock)
      : clock_(clock), is_watched_(isatty(STDERR_FILENO) == 1), due_(clock.Now() + kInterval) {}
  ~Progress() {
    if (is_shown_) fmt::print(stderr, "\r{:60}\r", "");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(std::int64_t count, ca::TimePoint at) {
    if (!is_watched_ || clock_.Now() < due_) return;
    fmt::print(stderr, "\r{:60}", fmt::format("{} requests, up to {}", count, ca::Rfc3339(at)));
    is_shown_ = true;
    due_ = clock_.Now() + kInterval;
  }

 private:
  static constexpr std::chrono::seconds kInterval{1};

  const ca::Clock& clock_;
  const bool is_watched_;
  bool is_shown_ = false;
  ca::TimePoint due_;
};

Status AddRequests(const Session& session, PolicyService::Stub& stub, const std::string& hierarchy,
                   ca::TimePoint since, ca::PolicyReplay& replay) {
  Progress progress(session.clock());
  std::int64_t count = 0;
  agentpki::v1::ListEnrollmentRequestsRequest request;
  request.set_hierarchy(hierarchy);
  request.mutable_since()->set_seconds(
      std::chrono::floor<std::chrono::seconds>(since).time_since_epoch().count());
  request.set_page_size(ca::RequestQuery::kPageSizeMax);
  do {
    const auto page =
        TRY(session.Call(&PolicyService::Stub::ListEnrollmentRequests, stub, request));
    for (const auto& message : page.requests()) {
      replay.Add(TRY(RequestOf(message)));
      progress.Show(++count, client::FromProto(message.at()));
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return ca::Ok();
}

// ---- showing ------------------------------------------------------------------------------------

void SetTime(google::protobuf::Timestamp& timestamp, ca::TimePoint time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  timestamp.set_seconds(whole.time_since_epoch().count());
  timestamp.set_nanos(static_cast<int>(std::chrono::nanoseconds(time - whole).count()));
}

void AddChanges(const std::vector<ca::PolicyChange>& changes, const ca::Hierarchy& hierarchy,
                Changes& messages) {
  for (const ca::PolicyChange& change : changes) {
    auto& message = *messages.Add();
    message.set_spiffe_id(
        fmt::format("spiffe://{}/{}", hierarchy.trust_domain.name(), change.agent));
    message.set_rule(change.rule);
    message.set_standing_rule(change.standing_rule);
    message.set_reason(change.reason);
    message.set_count(change.count);
    SetTime(*message.mutable_last_seen(), change.last_seen);
  }
}

agentpki::v1::PolicyReplay MessageOf(const ca::PolicyReplayReport& report,
                                     const ca::Hierarchy& hierarchy, ca::TimePoint since) {
  agentpki::v1::PolicyReplay message;
  message.set_hierarchy(hierarchy.Name());
  SetTime(*message.mutable_since(), since);
  AddChanges(report.newly_refused, hierarchy, *message.mutable_newly_refused());
  AddChanges(report.newly_admitted, hierarchy, *message.mutable_newly_admitted());
  message.set_still_admitted_count(report.still_admitted);
  message.set_still_refused_count(report.still_refused);
  message.set_refused_otherwise_count(report.refused_otherwise);
  message.set_failed_count(report.failed);
  message.set_without_facts_count(report.without_facts);
  return message;
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

void AddRows(Table& table, const std::string& outcome, const Changes& changes, ca::TimePoint now) {
  for (const auto& change : changes) {
    table.Add({outcome, change.spiffe_id(), OrDash(change.rule()), OrDash(change.standing_rule()),
               std::to_string(change.count()), RelativeText(FromProto(change.last_seen()), now)});
  }
}

void Print(const agentpki::v1::PolicyReplay& replay, std::int64_t total, ca::TimePoint now) {
  fmt::print("{}: {} requests since {}\n\n", replay.hierarchy(), total, TimeText(replay.since()));
  Table table({"NEWLY", "AGENT", "NEW RULE", "CURRENT RULE", "REQUESTS", "LAST SEEN"});
  AddRows(table, "refused", replay.newly_refused(), now);
  AddRows(table, "admitted", replay.newly_admitted(), now);
  if (!table.empty()) {
    table.Print();
    fmt::print("\n");
  }
  for (const auto& change : replay.newly_refused()) {
    fmt::print("{}:\n  {}\n\n", change.spiffe_id(), change.reason());
  }
  Facts facts;
  facts.Add("still admitted", std::to_string(replay.still_admitted_count()));
  facts.Add("still refused", std::to_string(replay.still_refused_count()));
  const auto add_if_any = [&](const char* name, std::int64_t count) {
    if (count > 0) facts.Add(name, fmt::format("{}, not replayed", count));
  };
  add_if_any("refused by another rule", replay.refused_otherwise_count());
  add_if_any("failed", replay.failed_count());
  add_if_any("recorded without facts", replay.without_facts_count());
  facts.Print();
}

// ---- the command --------------------------------------------------------------------------------

Result<ca::TimePoint> SinceOf(const ReplayOptions& options, const Session& session) {
  const auto back = ca::ParseDuration(options.since);
  if (!back.ok()) return ca::Annotate(back.status(), "--since: ");
  if (*back > ca::RequestQuery::kBackMax) {
    return ca::Error(StatusCode::kInvalidArgument, "--since: {} is more than the limit of {}",
                     options.since, ca::DurationText(ca::RequestQuery::kBackMax));
  }
  return session.clock().Now() - *back;
}

Status Replay(const Session& session, const ReplayOptions& options) {
  const auto wanted = TRY(files::LoadHierarchyFile(options.file));
  const ca::TimePoint since = TRY(SinceOf(options, session));
  const std::string name = wanted.hierarchy.Name();
  const auto channel = TRY(session.Open());
  HierarchyService::Stub hierarchies(channel);
  const auto current = TRY(Current(session, hierarchies, name));

  ca::PolicyReplayReport report;
  if (current) {
    PolicyService::Stub policies(channel);
    ca::PolicyReplay replay(*current, wanted.hierarchy);
    TRY(AddRequests(session, policies, name, since, replay));
    report = replay.Report();
  }
  const auto message = MessageOf(report, wanted.hierarchy, since);
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(message));
  } else if (current) {
    Print(message, report.Total(), session.clock().Now());
  } else {
    fmt::print("{}: a new hierarchy, without past requests\n", name);
  }
  if (report.ChangesNothing()) return ca::Ok();
  return ca::Refusal<ca::kHierarchyDiffers>(fmt::format(
      "{} decides some past requests of {} differently; see above", options.file, name));
}

}  // namespace

void AddReplayCommand(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const replay =
      noun.add_subcommand("replay",
                          "Judge past requests by the policy of a proposed file. Shows each agent "
                          "that the file would newly refuse or newly admit, compared with the "
                          "current policy. Changes nothing. Exits with 2 if there is such an "
                          "agent.\n\n"
                          "  agentpki policy replay -f acme-prod.yaml --since 7d");
  auto options = std::make_shared<ReplayOptions>();
  replay->add_option("-f,--file", options->file, "Proposed YAML file of the hierarchy")
      ->required()
      ->type_name("FILE");
  replay->add_option("--since", options->since, "Period to look back, at most 90d")
      ->type_name("DURATION")
      ->capture_default_str();
  replay->callback([&session, &run, options] {
    run = [&session, options] { return Replay(session, *options); };
  });
}

}  // namespace cli
