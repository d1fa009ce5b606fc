#include "ca/hierarchies/diagnosis.h"

#include <algorithm>

#include "ca/authorities/key_retirement.h"
#include "ca/base/rules.h"

namespace ca {
namespace {

// The conductor repeats each of its tasks at least once a minute.
constexpr std::chrono::minutes kPatience{5};

constexpr char kAskTheConductor[] =
    "the conductor does it by itself: see what keeps it in `agentpki status` and in the servers' "
    "logs";

std::string Removal(const std::string& label, std::string_view token = "TOKEN") {
  return fmt::format(
      "remove it with your HSM's tools: pkcs11-tool --module MODULE --token-label '{}' --login "
      "--delete-object --type privkey --label '{}', and the same with --type pubkey",
      token, label);
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool IsHex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The examination of one hierarchy.
class Examination {
 public:
  Examination(const Evidence& evidence, const HierarchySnapshot& snapshot, TimePoint now)
      : evidence_(evidence),
        snapshot_(snapshot),
        hierarchy_(snapshot.hierarchy()),
        now_(now),
        views_(snapshot.ViewsAt(now)) {}

  std::vector<Finding> Findings() {
    const auto unavailable = evidence_.unavailable_tokens.find(hierarchy_.id);
    const bool is_token_available = unavailable == evidence_.unavailable_tokens.end();
    if (!is_token_available) {
      TellUnavailable(unavailable->second);
    } else {
      ExamineKeys();
    }
    ExamineMisplaced();
    if (ExamineEnd()) return std::move(findings_);
    ExamineToken();
    if (is_token_available) ExamineNeedless();
    for (const AuthorityRecord& record : Records()) ExamineProgress(record);
    ExamineActivation();
    for (const AuthorityView& view : views_) ExamineSchedule(view);
    if (is_token_available) {
      for (const AuthorityView& view : views_) ExamineResponder(view);
    }
    for (const CrlShardRecord& shard : evidence_.shards) ExamineCrl(shard);
    return std::move(findings_);
  }

 private:
  const std::vector<AuthorityRecord>& Records() const { return snapshot_.records().authorities; }

  bool IsOnTheToken(const AuthorityRecord& record) const {
    return evidence_.key_labels.contains(record.key_label);
  }

  void Tell(std::string code, std::string subject, std::string what, std::string fix) {
    findings_.push_back(
        {std::move(code), hierarchy_.Name(), std::move(subject), std::move(what), std::move(fix)});
  }
  void Tell(std::string code, const AuthorityRecord& record, std::string what, std::string fix) {
    Tell(std::move(code), NameOf(hierarchy_, record), std::move(what), std::move(fix));
  }

  // ---- keys

  // While the token is unavailable, no key on it is called missing.
  void TellUnavailable(const UnavailableToken& unavailable) {
    Tell("token.away", unavailable.token,
         fmt::format("the token with its keys is unavailable: {}", unavailable.why),
         "bring it back: the server tries it again at least once a minute");
  }

  void ExamineKeys() {
    for (const AuthorityRecord& record : Records()) {
      // A cross-certificate has the key of its root, which is examined there.
      if (record.HasOwnKey()) ExamineKey(record);
    }
  }

  // Finds keys on the token that have nothing left to sign.
  void ExamineNeedless() {
    for (const SpentKey& key : SpentKeysAt(snapshot_, now_ - kPatience)) {
      ExamineSpent(key);
    }
    ExamineOrphans();
  }

  const MisplacedKey* FindMisplaced(const std::string& label) const {
    const auto& keys = evidence_.misplaced_keys;
    const auto found = std::find_if(keys.begin(), keys.end(),
                                    [&](const MisplacedKey& key) { return key.label == label; });
    return found == keys.end() ? nullptr : &*found;
  }

  // The file promises its reviewers a token that the configuration no longer names.
  void ExamineToken() {
    const auto token = evidence_.tokens.find(hierarchy_.id);
    if (hierarchy_.token.empty() || token == evidence_.tokens.end()) return;
    if (token->second == hierarchy_.token) return;
    Tell(
        std::string(kHierarchyToken.name), hierarchy_.Name(),
        fmt::format("its file pins token '{}', and the servers' configuration (hsm: tokens) says "
                    "that the keys of tenant {} are on '{}': no more keys are made",
                    hierarchy_.token, hierarchy_.tenant, token->second),
        fmt::format("name tenant {} at token '{}' in the configuration of every server, as it was; "
                    "or apply the file with the token that is right",
                    hierarchy_.tenant, hierarchy_.token));
  }

  void ExamineMisplaced() {
    for (const MisplacedKey& key : evidence_.misplaced_keys) {
      if (!IsLabelOf(hierarchy_, key.label)) continue;
      const bool is_there_too = evidence_.key_labels.contains(key.label);
      Tell(
          "key.misplaced", key.label,
          fmt::format("it is on token '{}', and the servers' configuration (hsm: tokens) says that "
                      "the keys of tenant {} are on '{}'{}",
                      key.token, hierarchy_.tenant, key.right_token,
                      is_there_too ? ", where it is as well" : ""),
          is_there_too
              ? fmt::format("make sure that no server uses token '{}' for it; then {}", key.token,
                            Removal(key.label, key.token))
              : fmt::format("a key stays on the token that it was made on: name tenant {} at token "
                            "'{}' in the configuration of every server, or restore that token's "
                            "backup to '{}'",
                            hierarchy_.tenant, key.token, key.right_token));
    }
  }

  void ExamineKey(const AuthorityRecord& record) {
    if (record.key_destruction) return ExamineDestruction(record, *record.key_destruction);
    if (record.certificate.empty() || IsOnTheToken(record)) return;
    if (FindMisplaced(record.key_label)) return;  // ExamineMisplaced() tells of it
    Tell(
        "key.missing", record,
        fmt::format("it has a certificate, and its key '{}' is not on the token", record.key_label),
        IsDelegate(record.kind)
            ? fmt::format("nothing: another {} is made with a key of its own", NameOf(record.kind))
            : "restore the token from its backup; no other key can take its place");
  }

  void ExamineDestruction(const AuthorityRecord& record, const KeyDestruction& destruction) {
    if (!IsOnTheToken(record)) return;
    if (destruction.destroyed_at) {
      Tell("key.back", record,
           fmt::format("its key '{}' was destroyed at {}, and is on the token again: was a backup "
                       "of the token restored?",
                       record.key_label, Rfc3339(*destruction.destroyed_at)),
           Removal(record.key_label));
    } else if (now_ > destruction.decided_at + KeyDestruction::kDestroyAfter + kPatience) {
      Tell("key.not-destroyed", record,
           fmt::format("its key '{}' is to be destroyed since {} ({}), and is still on the token",
                       record.key_label, Rfc3339(destruction.decided_at), destruction.reason),
           kAskTheConductor);
    }
  }

  void ExamineSpent(const SpentKey& key) {
    if (!IsOnTheToken(key.record)) return;
    Tell("key.not-destroyed", key.record,
         fmt::format("its key '{}' has nothing left to sign ({}), and is still on the token",
                     key.record.key_label, key.reason),
         kAskTheConductor);
  }

  // Says whether the hierarchy is destroyed: then only its keys are left to examine.
  bool ExamineEnd() {
    const auto& destruction = snapshot_.records().destruction;
    if (!destruction) return false;
    if (!destruction->finished_at && now_ > destruction->decided_at + kPatience) {
      Tell("hierarchy.not-destroyed", hierarchy_.Name(),
           fmt::format("it is to be destroyed since {}, and that is not on record yet",
                       Rfc3339(destruction->decided_at)),
           kAskTheConductor);
    }
    return true;
  }

  // Another hierarchy may have had the same name, and be destroyed.
  bool IsPlanned(const std::string& label) const {
    const auto& all = evidence_.catalog->all_hierarchies();
    return std::any_of(all.begin(), all.end(), [&](const HierarchySnapshotPtr& hierarchy) {
      if (hierarchy->name() != snapshot_.name()) return false;
      const auto& records = hierarchy->records().authorities;
      return std::any_of(records.begin(), records.end(),
                         [&](const AuthorityRecord& record) { return record.key_label == label; });
    });
  }

  void ExamineOrphans() {
    for (const std::string& label : evidence_.key_labels) {
      if (!IsLabelOf(hierarchy_, label) || IsPlanned(label)) continue;
      Tell("key.orphan", label,
           "it is on the token, and no authority of this database has planned it: it is of a "
           "database that is gone, or somebody made it by hand",
           "make sure that no other installation uses it; then " + Removal(label));
    }
  }

  // ---- authorities

  void ExamineProgress(const AuthorityRecord& record) {
    if (!record.certificate.empty() || record.key_destruction) return;
    // A delegate needs no certificate once nobody asks about its issuer.
    if (IsDelegate(record.kind) && !IsAsked(record.issuer)) return;
    if (AwaitsCertificate(record)) {
      Tell("authority.awaits-certificate", record,
           "it has its key, and no certificate yet: its root is somebody else's",
           HowToCertify(record));
      return;
    }
    Tell("authority.interrupted", record,
         IsOnTheToken(record) ? "it is planned and has its key, and no certificate yet"
                              : "it is planned, and has neither key nor certificate yet",
         HowToResume(record));
  }

  // Says whether only the owner of the external root can go on.
  bool AwaitsCertificate(const AuthorityRecord& record) const {
    return ca::AwaitsCertificate(hierarchy_, record) && IsOnTheToken(record);
  }

  std::string HowToCertify(const AuthorityRecord& record) const {
    const std::string name = NameOf(hierarchy_, record);
    return fmt::format(
        "run `agentpki authority csr {}`, have that signed, then `agentpki authority import {} "
        "--certificate FILE`",
        name, name);
  }

  std::string HowToResume(const AuthorityRecord& record) const {
    if (IsDelegate(record.kind)) return kAskTheConductor;
    const bool is_first = snapshot_.activations().empty();
    if (record.kind == AuthorityKind::kRoot || is_first) return HowToBegin();
    return fmt::format("run `agentpki authority prepare {}`: it goes on where it stopped",
                       hierarchy_.Name());
  }

  std::string HowToBegin() const {
    return fmt::format(
        "run `{}` as before: it goes on where it stopped",
        hierarchy_.is_system ? "agentpki-server init" : "agentpki hierarchy apply -f FILE");
  }

  void ExamineActivation() {
    if (!snapshot_.activations().empty()) return;
    for (const AuthorityRecord& record : Records()) {
      if (AwaitsCertificate(record)) return;  // ExamineProgress() tells of it
    }
    Tell("authority.interrupted", hierarchy_.Name(), "none of its authorities issues yet",
         HowToBegin());
  }

  void ExamineSchedule(const AuthorityView& view) {
    const bool issues =
        view.record.kind == AuthorityKind::kIssuing && view.state == AuthorityState::kActive;
    if (!issues) return;
    const std::string by_hand = fmt::format(
        "`agentpki authority prepare {}`, then `agentpki authority activate`", hierarchy_.Name());
    if (now_ > *view.active_until + kPatience) {
      std::string fix = fmt::format("{}; or by hand: {}", kAskTheConductor, by_hand);
      for (const AuthorityRecord& record : Records()) {
        if (AwaitsCertificate(record)) fix = HowToCertify(record);
      }
      Tell("authority.overdue", view.record,
           fmt::format("another was to take over at {}", Rfc3339(*view.active_until)),
           std::move(fix));
    }
    // Rotation activates another one in time, but earlier than the schedule of the file says.
    const TimePoint needed_until =
        *view.active_since + hierarchy_.rotate_every + hierarchy_.LongestLifetime();
    if (view.validity->not_after < needed_until) {
      Tell(std::string(kAuthorityEnding.name), view.record,
           fmt::format(
               "it ends at {}; to follow its schedule it would have to be valid until {}, so "
               "another takes over earlier",
               Rfc3339(view.validity->not_after), Rfc3339(needed_until)),
           fmt::format("let another take over before: {}; when its root ends as early, the "
                       "hierarchy needs a new root first",
                       by_hand));
    }
  }

  // ---- status

  bool IsAsked(AuthorityId id) const {
    return std::any_of(views_.begin(), views_.end(), [&](const AuthorityView& view) {
      return view.record.id == id && IsAskedAbout(view, now_);
    });
  }

  bool IsValidResponder(const AuthorityRecord& record, AuthorityId issuer) const {
    if (record.kind != AuthorityKind::kResponder || record.issuer != issuer) return false;
    if (record.certificate.empty() || record.key_destruction || !IsOnTheToken(record)) return false;
    const auto parsed = ParseX509(record.certificate);
    if (!parsed.ok()) return false;
    const auto not_after = TimeOf(X509_get0_notAfter(parsed->get()));
    return not_after.ok() && now_ <= *not_after;
  }

  void ExamineResponder(const AuthorityView& view) {
    if (!NeedsStatusService(view, now_)) return;
    if (now_ < view.record.published_at + kPatience) return;
    const bool has_one = std::any_of(
        Records().begin(), Records().end(),
        [&](const AuthorityRecord& record) { return IsValidResponder(record, view.record.id); });
    if (has_one) return;
    Tell("responder.missing", view.record, "it has no OCSP responder: OCSP answers tryLater for it",
         kAskTheConductor);
  }

  void ExamineCrl(const CrlShardRecord& shard) {
    for (const AuthorityView& view : views_) {
      if (view.record.id != shard.authority || !view.validity) continue;
      if (view.record.key_destruction || now_ > view.validity->not_after) continue;
      const auto crl = evidence_.crls.find({shard.authority, shard.shard});
      if (crl == evidence_.crls.end()) {
        if (now_ < std::max(view.record.published_at, shard.opened_at) + kPatience) continue;
        Tell("crl.missing", view.record, fmt::format("its CRL {} is not published", shard.shard),
             kAskTheConductor);
      } else if (crl->second < now_) {
        Tell("crl.overdue", view.record,
             fmt::format("its CRL {} was to be followed by {}", shard.shard, Rfc3339(crl->second)),
             kAskTheConductor);
      }
    }
  }

  const Evidence& evidence_;
  const HierarchySnapshot& snapshot_;
  const Hierarchy& hierarchy_;
  const TimePoint now_;
  const std::vector<AuthorityView> views_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> Diagnose(const Evidence& evidence, const HierarchySnapshot& hierarchy,
                              TimePoint now) {
  return Examination(evidence, hierarchy, now).Findings();
}

std::vector<std::string> ForeignKeys(const Evidence& evidence) {
  const auto& ours = evidence.catalog->all_hierarchies();
  std::vector<std::string> foreign;
  std::set<std::string> labels = evidence.key_labels;
  for (const MisplacedKey& key : evidence.misplaced_keys) labels.insert(key.label);
  for (const std::string& label : labels) {
    const bool is_ours =
        std::any_of(ours.begin(), ours.end(), [&](const HierarchySnapshotPtr& hierarchy) {
          return IsLabelOf(hierarchy->hierarchy(), label);
        });
    if (!is_ours) foreign.push_back(label);
  }
  return foreign;
}

bool IsLabelOf(const Hierarchy& hierarchy, std::string_view label) {
  for (const auto kind : {AuthorityKind::kRoot, AuthorityKind::kIssuing, AuthorityKind::kResponder,
                          AuthorityKind::kRecorder}) {
    const std::string prefix = fmt::format("{}/{}/", hierarchy.Name(), NameOf(kind));
    if (!label.starts_with(prefix)) continue;
    const std::string_view rest = label.substr(prefix.size());
    const size_t dash = rest.find('-');
    return dash != std::string_view::npos && IsDigits(rest.substr(0, dash)) &&
           IsHex(rest.substr(dash + 1));
  }
  return false;
}

}  // namespace ca
