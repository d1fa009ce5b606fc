// agentpki authority list|prepare|activate|rollback|taint|revoke|stragglers: who signs, who did,
// and who will.

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
    ". published   # active   = retiring: its certificates may still stand\n";

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
  Table table({"AUTHORITY", "STATE", "PUBLISHED", "ACTIVE SINCE", "ACTIVE UNTIL", "ENDS"});
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

// ---- changes ------------------------------------------------------------------------------------

ca::Status Prepare(const Session& session, const agentpki::v1::PrepareAuthorityRequest& request) {
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&AuthorityService::Stub::PrepareAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  const bool awaits_certificate = response.authority().state() == "pending";
  if (awaits_certificate && session.format() == Format::kTable) {
    fmt::print("\nThe owner of its root is to sign it; run: agentpki authority csr {}\n",
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

// ---- before its time ----------------------------------------------------------------------------

// What comes of it, for whoever waits for the next authority.
void PrintSuccession(const Authority& authority, const Session& session) {
  if (session.format() == Format::kJson || authority.state() != "active") return;
  fmt::print(
      "\nIts successor takes over within half a minute; look on with: agentpki authority list\n");
}

ca::Status Taint(const Session& session, const agentpki::v1::TaintAuthorityRequest& request) {
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response = TRY(session.Call(&AuthorityService::Stub::TaintAuthority, stub, request));
  PrintAuthority(response.authority(), session);
  PrintSuccession(response.authority(), session);
  return ca::Ok();
}

struct RevokeOptions {
  agentpki::v1::RevokeAuthorityRequest request;
  bool yes = false;
};

ca::Status Revoke(const Session& session, const RevokeOptions& options) {
  if (!options.yes) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "this revokes {} and every certificate that it has issued, for good; its "
                     "agents then need join tokens. See which with: agentpki cert revoke "
                     "--authority {} --dry-run; then say --yes",
                     options.request.authority(), options.request.authority());
  }
  AuthorityService::Stub stub(TRY(session.Open()));
  const auto response =
      TRY(session.Call(&AuthorityService::Stub::RevokeAuthority, stub, options.request));
  if (session.format() == Format::kJson) {
    fmt::print("{}\n", ToJson(response));
    return ca::Ok();
  }
  PrintAuthority(response.authority(), session);
  fmt::print("\n{} certificates of its agents revoked\n", response.revoked_count());
  PrintSuccession(response.authority(), session);
  return ca::Ok();
}

void AddTaintCommands(CLI::App& noun, const Session& session, Run& run) {
  CLI::App* const taint = noun.add_subcommand(
      "taint",
      "Let an authority never issue again; if it is the active one, its successor takes over at "
      "once. What it has issued stands.\n\n"
      "  agentpki authority taint acme/prod/issuing/2 --reason 'HSM firmware advisory'");
  auto tainted = std::make_shared<agentpki::v1::TaintAuthorityRequest>();
  taint
      ->add_option_function<std::string>(
          "authority", [tainted](const std::string& name) { tainted->set_authority(name); },
          "An issuing authority")
      ->required()
      ->type_name("NAME");
  taint
      ->add_option_function<std::string>(
          "--reason", [tainted](const std::string& text) { tainted->set_reason(text); },
          "Why, for whoever reads it later")
      ->required()
      ->type_name("TEXT");
  taint->callback([&session, &run, tainted] {
    run = [&session, tainted] { return Taint(session, *tainted); };
  });

  CLI::App* const revoke = noun.add_subcommand(
      "revoke",
      "Taint an authority and revoke it, with all that it has issued. Nothing is issued in its "
      "hierarchy until its successor takes over, within half a minute.\n\n"
      "  agentpki authority revoke acme/prod/issuing/2 --note 'token was stolen' --yes");
  auto options = std::make_shared<RevokeOptions>();
  revoke
      ->add_option_function<std::string>(
          "authority", [options](const std::string& name) { options->request.set_authority(name); },
          "An issuing authority")
      ->required()
      ->type_name("NAME");
  revoke
      ->add_option_function<std::string>(
          "--note", [options](const std::string& text) { options->request.set_note(text); },
          "Why, for whoever reads it later")
      ->required()
      ->type_name("TEXT");
  revoke
      ->add_option_function<std::string>(
          "--reason", [options](const std::string& name) { options->request.set_reason(name); },
          "By RFC 5280, for relying parties; default: cACompromise")
      ->type_name("REASON");
  revoke->add_flag("--yes", options->yes, "Needed, because there is no way back");
  revoke->callback([&session, &run, options] {
    run = [&session, options] { return Revoke(session, *options); };
  });
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
  fmt::print("trust bundle {}, published {}: {} of {} live agents have acknowledged it\n",
             all.version(), TimeText(all.published_at()), all.acknowledged_count(),
             all.live_count());
  if (all.stragglers().empty()) return ca::Ok();
  Table table({"SPIFFE ID", "OWNER", "HOLDS"});
  for (const agentpki::v1::Straggler& straggler : all.stragglers()) {
    const int version = straggler.acknowledged_version();
    table.Add({straggler.spiffe_id(), straggler.owner(),
               version == 0 ? "not known" : fmt::format("trust bundle {}", version)});
  }
  fmt::print("\n");
  table.Print();
  return ca::Ok();
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
  facts.Add("certificate ends", TimeText(authority.not_after()));
  facts.Add("certificate SHA-256", authority.fingerprint());
  facts.Add("key on the token", authority.key_label());
  facts.Add("key destroyed", TimeText(authority.key_destroyed_at()));
  facts.Print();
}

void AddAuthorityCommands(CLI::App& app, const Session& session, Run& run) {
  CLI::App* const noun = app.add_subcommand(
      "authority",
      "The authorities of a hierarchy, and how one follows another: by itself on schedule, or by "
      "hand with prepare, activate and rollback");
  noun->require_subcommand(1);
  const auto add = [&](const char* verb, const char* description, const char* argument,
                       const char* meaning, auto act) {
    CLI::App* const command = noun->add_subcommand(verb, description);
    auto value = std::make_shared<std::string>();
    command->add_option(argument, *value, meaning)->required()->type_name("NAME");
    command->callback([&session, &run, value, act] {
      run = [&session, value, act] { return act(session, *value); };
    });
  };

  CLI::App* const list = noun->add_subcommand(
      "list", "List roots and issuing authorities, and when each one's time is");
  auto hierarchy = std::make_shared<std::string>();
  list->add_option("--hierarchy", *hierarchy, "Only of this one, such as acme/prod")
      ->type_name("NAME");
  list->callback([&session, &run, hierarchy] {
    run = [&session, hierarchy] { return List(session, *hierarchy); };
  });

  CLI::App* const prepare =
      noun->add_subcommand("prepare",
                           "Make the next issuing authority and publish it; it does not issue "
                           "yet.\n\n"
                           "  agentpki authority prepare acme/prod");
  auto prepared = std::make_shared<agentpki::v1::PrepareAuthorityRequest>();
  prepare
      ->add_option_function<std::string>(
          "hierarchy", [prepared](const std::string& name) { prepared->set_hierarchy(name); },
          "The hierarchy, such as acme/prod")
      ->required()
      ->type_name("NAME");
  prepare->add_flag_callback(
      "--root", [prepared] { prepared->set_root(true); },
      "Make the next root instead, with a link to it from the one before; the issuing authority "
      "that is prepared next is under it");
  prepare->callback([&session, &run, prepared] {
    run = [&session, prepared] { return Prepare(session, *prepared); };
  });

  CLI::App* const activate =
      noun->add_subcommand("activate",
                           "Let an authority issue from now on, in the place of the one that does; "
                           "that one's certificates stand until they end.\n\n"
                           "  agentpki authority activate acme/prod/issuing/2");
  auto activated = std::make_shared<agentpki::v1::ActivateAuthorityRequest>();
  activate
      ->add_option_function<std::string>(
          "authority", [activated](const std::string& name) { activated->set_authority(name); },
          "An issuing authority that is published, or issued before")
      ->required()
      ->type_name("NAME");
  activate->add_flag_callback(
      "--despite-stragglers", [activated] { activated->set_despite_stragglers(true); },
      "Although too few agents have acknowledged that they know it");
  activate->callback([&session, &run, activated] {
    run = [&session, activated] { return Activate(session, *activated); };
  });

  AddTaintCommands(*noun, session, run);
  AddExternalCommands(*noun, session, run);

  add("rollback",
      "Let the authority issue again that did before the active one.\n\n"
      "  agentpki authority rollback acme/prod",
      "hierarchy", "The hierarchy, such as acme/prod", RollBack);
  add("stragglers",
      "List the agents with a certificate that stands which have not acknowledged a trust bundle "
      "with the next issuing authority, or the newest one.\n\n"
      "  agentpki authority stragglers acme/prod",
      "hierarchy", "The hierarchy, such as acme/prod", ListStragglers);
}

}  // namespace cli
