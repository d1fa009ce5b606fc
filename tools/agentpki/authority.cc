// agentpki authority list|prepare|activate|rollback|stragglers: the roots and issuing authorities
// of a hierarchy. taint and revoke are in authority_revoke.cc, csr and import in external.cc.

#include "agentpki/v1/authority.grpc.pb.h"
#include "tools/agentpki/authority_text.h"
#include "tools/agentpki/commands.h"
#include "tools/agentpki/timeline.h"

namespace cli {
namespace {

using agentpki::v1::Authority;
using agentpki::v1::AuthorityService;

constexpr int kPageSize = 1000;

// ---- list ---------------------------------------------------------------------------------------

constexpr char kLegend[] =
    ". published   # active   = retiring: some of its certificates may still be valid\n";

std::vector<Timeline::Span> SpansOf(const Authority& authority, ca::TimePoint now) {
  std::vector<Timeline::Span> spans;
  if (!authority.has_published_at()) return spans;
  const ca::TimePoint published = FromProto(authority.published_at());
  if (!authority.has_active_since()) {
    spans.push_back({published, now, '.'});
    return spans;
  }
  const ca::TimePoint since = FromProto(authority.active_since());
  const ca::TimePoint until =
      authority.has_active_until() ? FromProto(authority.active_until()) : now;
  spans.push_back({published, since, '.'});
  if (authority.has_retiring_until()) {
    spans.push_back({until, FromProto(authority.retiring_until()), '='});
  }
  spans.push_back({since, until, '#'});
  return spans;
}

using Authorities = google::protobuf::RepeatedPtrField<Authority>;

void PrintTimelines(const Authorities& authorities, ca::TimePoint now) {
  std::vector<std::pair<std::string, Timeline>> timelines;  // by hierarchy
  for (const Authority& authority : authorities) {
    if (authority.kind() != "issuing" || !authority.has_published_at()) continue;
    if (timelines.empty() || timelines.back().first != authority.hierarchy()) {
      timelines.emplace_back(authority.hierarchy(), Timeline(now));
    }
    timelines.back().second.Add(authority.name(), SpansOf(authority, now));
  }
  for (const auto& [hierarchy, timeline] : timelines) fmt::print("\n{}", timeline.Text());
  if (!timelines.empty()) fmt::print("\n{}", kLegend);
}

std::string StateText(const Authority& authority) {
  if (!authority.has_tainted_at()) return authority.state();
  return authority.state() + (authority.revoked() ? ", revoked" : ", tainted");
}

void PrintList(const Authorities& authorities, ca::TimePoint now) {
  Table table({"AUTHORITY", "STATE", "PUBLISHED", "ACTIVE SINCE", "ACTIVE UNTIL", "EXPIRES"});
  const auto relative = [&](bool is_set, const google::protobuf::Timestamp& time) {
    return is_set ? RelativeText(FromProto(time), now) : std::string();
  };
  for (const Authority& authority : authorities) {
    table.Add({authority.name(), StateText(authority),
               relative(authority.has_published_at(), authority.published_at()),
               relative(authority.has_active_since(), authority.active_since()),
               relative(authority.has_active_until(), authority.active_until()),
               relative(authority.has_not_after(), authority.not_after())});
  }
  table.Print();
  PrintTimelines(authorities, now);
}

ca::Status List(const Session& session, const std::string& named) {
  const auto channel = TRY(session.Open());
  AuthorityService::Stub stub(channel);
  const auto hierarchies = TRY(session.Hierarchies(channel, named));
  Authorities authorities;
  ca::TimePoint now = session.clock().Now();
  for (const std::string& hierarchy : hierarchies) {
    agentpki::v1::ListAuthoritiesRequest request;
    request.set_hierarchy(hierarchy);
    const auto response =
        TRY(session.Call(&AuthorityService::Stub::ListAuthorities, stub, request));
    authorities.MergeFrom(response.authorities());
    now = FromProto(response.now());
  }
  if (session.format() == Format::kJson) {
    PrintJsonArray(authorities);
  } else {
    PrintList(authorities, now);
  }
  return ca::Ok();
}

// ---- prepare, activate, rollback ----------------------------------------------------------------

ca::Status Prepare(const Session& session, const agentpki::v1::PrepareAuthorityRequest& request) {
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&AuthorityService::Stub::PrepareAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  const bool awaits_certificate = response.authority().state() == "pending";
  if (awaits_certificate && session.format() == Format::kTable) {
    fmt::print(
        "\nThe owner of its root must sign it; for the request, run:\n"
        "  agentpki authority csr {}\n",
        response.authority().name());
  }
  return ca::Ok();
}

ca::Status Activate(const Session& session, const agentpki::v1::ActivateAuthorityRequest& request) {
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response =
      TRY(session.Call(&AuthorityService::Stub::ActivateAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  return ca::Ok();
}

ca::Status RollBack(const Session& session, const std::string& hierarchy) {
  AuthorityService::Stub stub(TRY(session.Open()));
  agentpki::v1::RollBackAuthorityRequest request;
  request.set_hierarchy(hierarchy);
  const auto response =
      TRY(session.Call(&AuthorityService::Stub::RollBackAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  return ca::Ok();
}

// ---- stragglers ---------------------------------------------------------------------------------

ca::Status ListStragglers(const Session& session, const std::string& hierarchy) {
  AuthorityService::Stub stub(TRY(session.Open()));
  agentpki::v1::ListStragglersResponse all;
  TRY(ForEachPage(
      [&](const std::string& page_token) {
        agentpki::v1::ListStragglersRequest request;
        request.set_hierarchy(hierarchy);
        request.set_page_size(kPageSize);
        request.set_page_token(page_token);
        return session.Call(&AuthorityService::Stub::ListStragglers, stub, request);
      },
      [&](const agentpki::v1::ListStragglersResponse& page) {
        all.MergeFrom(page);
        all.clear_next_page_token();
      }));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(all));
    return ca::Ok();
  }
  fmt::print("trust bundle {}, published {}: acknowledged by {} of {} live agents\n", all.version(),
             TimeText(all.published_at()), all.acknowledged_count(), all.live_count());
  if (all.stragglers().empty()) return ca::Ok();
  Table table({"SPIFFE ID", "OWNER", "HOLDS"});
  for (const agentpki::v1::Straggler& straggler : all.stragglers()) {
    const int version = straggler.acknowledged_version();
    table.Add({straggler.spiffe_id(), straggler.owner(),
               version == 0 ? "unknown" : fmt::format("trust bundle {}", version)});
  }
  fmt::print("\n");
  table.Print();
  return ca::Ok();
}

// ---- the commands -------------------------------------------------------------------------------

void AddPrepare(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const prepare = noun.add_subcommand(
      "prepare",
      "Create and publish the next issuing authority. It issues nothing until it is activated.\n\n"
      "  agentpki authority prepare acme/prod");
  auto prepared = std::make_shared<agentpki::v1::PrepareAuthorityRequest>();
  prepare
      ->add_option_function<std::string>(
          "hierarchy", [prepared](const std::string& name) { prepared->set_hierarchy(name); },
          kHierarchyArgument)
      ->required()
      ->type_name("NAME");
  prepare->add_flag_callback(
      "--root", [prepared] { prepared->set_root(true); },
      "Create the next root instead, with a cross-certificate from the current root. The next "
      "issuing authority is then below the new root");
  prepare->callback([&session, &run, prepared] {
    run = [&session, prepared] { return Prepare(session, *prepared); };
  });
}

void AddActivate(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const activate = noun.add_subcommand(
      "activate",
      "Make an issuing authority the active one. The previous one stops issuing; its certificates "
      "stay valid.\n\n"
      "  agentpki authority activate acme/prod/issuing/2");
  auto activated = std::make_shared<agentpki::v1::ActivateAuthorityRequest>();
  activate
      ->add_option_function<std::string>(
          "authority", [activated](const std::string& name) { activated->set_authority(name); },
          "Name of a published or retiring issuing authority, from 'agentpki authority list'")
      ->required()
      ->type_name("NAME");
  activate->add_flag_callback(
      "--despite-stragglers", [activated] { activated->set_despite_stragglers(true); },
      "Activate even if too few agents have acknowledged the trust bundle with it");
  activate->callback([&session, &run, activated] {
    run = [&session, activated] { return Activate(session, *activated); };
  });
}

// Adds a verb that takes the name of a hierarchy and nothing else.
void AddHierarchyVerb(CLI::App& noun, const char* verb, const char* description,
                      const Session& session, Run& run,
                      ca::Status (*act)(const Session&, const std::string&)) {
  CLI::App* const command = noun.add_subcommand(verb, description);
  auto name = std::make_shared<std::string>();
  command->add_option("hierarchy", *name, kHierarchyArgument)->required()->type_name("NAME");
  command->callback(
      [&session, &run, name, act] { run = [&session, name, act] { return act(session, *name); }; });
}

}  // namespace

void PrintAuthority(const Authority& authority, const Session& session) {
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(authority));
    return;
  }
  Facts facts;
  facts.Add("authority", authority.name());
  facts.Add("state", authority.state());
  if (authority.has_tainted_at()) {
    facts.Add(authority.revoked() ? "revoked" : "tainted",
              fmt::format("{}: {}", TimeText(authority.tainted_at()), authority.taint()));
  }
  facts.Add("published", TimeText(authority.published_at()));
  facts.Add("active since", TimeText(authority.active_since()));
  facts.Add("active until", TimeText(authority.active_until()));
  facts.Add("retiring until", TimeText(authority.retiring_until()));
  facts.Add("certificate expires", TimeText(authority.not_after()));
  facts.Add("certificate SHA-256", authority.fingerprint());
  facts.Add("key label", authority.key_label());
  facts.Add("key destroyed", TimeText(authority.key_destroyed_at()));
  facts.Print();
}

void AddAuthorityCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "authority",
      "Roots and issuing authorities: list, rotate by hand, taint, revoke, import. The server "
      "rotates on schedule by itself");
  noun->require_subcommand(1);

  CLI::App* const list = noun->add_subcommand(
      "list", "List roots and issuing authorities, with their states and times");
  auto hierarchy = std::make_shared<std::string>();
  list->add_option("--hierarchy", *hierarchy, kOneHierarchy)->type_name("NAME");
  list->callback([&session, &run, hierarchy] {
    run = [&session, hierarchy] { return List(session, *hierarchy); };
  });

  AddPrepare(*noun, session, run);
  AddActivate(*noun, session, run);
  AddHierarchyVerb(*noun, "rollback",
                   "Activate the issuing authority that was active before the current one.\n\n"
                   "  agentpki authority rollback acme/prod",
                   session, run, RollBack);
  AddTaintCommands(*noun, session, run);
  AddExternalCommands(*noun, session, run);
  AddHierarchyVerb(*noun, "stragglers",
                   "List the live agents that have not acknowledged the trust bundle with the next "
                   "issuing authority, or the newest one. They delay its activation.\n\n"
                   "  agentpki authority stragglers acme/prod",
                   session, run, ListStragglers);
}

}  // namespace cli
