#include "db/authority_rows.h"

#include "db/hierarchy_rows.h"
#include "db/row.h"

namespace db {
namespace {

using ca::Activation;
using ca::AuthorityId;
using ca::AuthorityKind;
using ca::AuthorityRecord;
using ca::Certificate;
using ca::HierarchyId;
using ca::IssuanceRecord;
using ca::KeyDestruction;
using ca::TrustBundleRecord;

// An authority's own certificate is about its trust domain, and no agent's.
constexpr char kFindIssuance[] =
    "SELECT a.hierarchy, coalesce(a.issuer, a.id) AS issuer, h.trust_domain, i.serial, "
    "       i.key_fingerprint, i.not_before, i.not_after, i.tbs, s.signature "
    "  FROM agentpki.authorities AS a "
    "  JOIN agentpki.hierarchies AS h ON h.id = a.hierarchy "
    "  JOIN agentpki.authority_issuances AS i ON i.authority = a.id "
    "  LEFT JOIN agentpki.authority_signatures AS s ON s.authority = a.id "
    " WHERE a.id = $1";

std::int64_t Number(AuthorityId id) { return static_cast<std::int64_t>(id); }

const std::string kWhereUnsettled = std::string(" WHERE ") + kUnsettledHierarchies;

IssuanceRecord RecordOf(const pqxx::row& row) {
  const auto trust_domain =
      Expect(ca::TrustDomain::Parse(row["trust_domain"].c_str()), row["trust_domain"]);
  return IssuanceRecord{
      .serial = SerialOf(row["serial"]),
      .hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
      .authority = static_cast<AuthorityId>(row["issuer"].as<std::int64_t>()),
      .subject = ca::SpiffeId::OfTrustDomain(trust_domain),
      .key_fingerprint = BytesOf(row["key_fingerprint"]),
      .validity = {TimeOf(row["not_before"]), TimeOf(row["not_after"])},
      .tbs = BytesOf(row["tbs"]),
  };
}

AuthorityKind KindOf(const pqxx::field& field) {
  for (const auto kind : {AuthorityKind::kRoot, AuthorityKind::kIssuing, AuthorityKind::kResponder,
                          AuthorityKind::kLink, AuthorityKind::kRecorder}) {
    if (ca::NameOf(kind) == field.c_str()) return kind;
  }
  throw std::runtime_error(std::string("column kind: not a kind: ") + field.c_str());
}

std::optional<KeyDestruction> KeyDestructionOf(const pqxx::row& row) {
  if (row["decided_at"].is_null()) return std::nullopt;
  KeyDestruction destruction{
      .reason = row["reason"].as<std::string>(),
      .decided_at = TimeOf(row["decided_at"]),
      .destroyed_at = std::nullopt,
  };
  if (!row["destroyed_at"].is_null()) destruction.destroyed_at = TimeOf(row["destroyed_at"]);
  return destruction;
}

void FillImported(const pqxx::row& row, AuthorityRecord& record) {
  record.certificate = BytesOf(row["certificate"]);
  record.is_imported = true;
  record.intermediates = CertificatesOf(row["intermediates"]);
  record.published_at = TimeOf(row["imported_at"]);
}

}  // namespace

std::vector<AuthorityRecord> SelectAuthorities(pqxx::transaction_base& transaction) {
  std::vector<AuthorityRecord> records;
  for (const pqxx::row& row : transaction.exec(
           "SELECT a.id, a.hierarchy, a.kind, a.generation, "
           "       coalesce(m.root, a.issuer, a.id) AS issuer, "
           "       coalesce(a.key_label, '') AS key_label, "
           "       m.certificate, m.intermediates, m.imported_at, "
           "       h.trust_domain, i.serial, i.key_fingerprint, i.not_before, i.not_after, "
           "       i.tbs, s.signature, s.signed_at, k.reason, k.decided_at, d.destroyed_at, "
           "       coalesce(v.reason, t.reason) AS taint, "
           "       least(t.tainted_at, v.tainted_at) AS tainted_at, "
           "       v.authority IS NOT NULL AS is_revoked "
           "  FROM agentpki.authorities AS a "
           "  JOIN agentpki.hierarchies AS h ON h.id = a.hierarchy "
           "  LEFT JOIN agentpki.authority_issuances AS i ON i.authority = a.id "
           "  LEFT JOIN agentpki.authority_signatures AS s ON s.authority = a.id "
           "  LEFT JOIN agentpki.authority_imports AS m ON m.authority = a.id "
           "  LEFT JOIN agentpki.authority_taints AS t "
           "         ON t.authority = a.id AND NOT t.is_revoked "
           "  LEFT JOIN agentpki.authority_taints AS v ON v.authority = a.id AND v.is_revoked "
           "  LEFT JOIN agentpki.key_destructions AS k ON k.authority = a.id "
           "  LEFT JOIN agentpki.destroyed_keys AS d ON d.authority = a.id " +
           kWhereUnsettled + " ORDER BY a.id")) {
    AuthorityRecord record{
        .id = static_cast<AuthorityId>(row["id"].as<std::int64_t>()),
        .hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
        .kind = KindOf(row["kind"]),
        .generation = row["generation"].as<int>(),
        .issuer = static_cast<AuthorityId>(row["issuer"].as<std::int64_t>()),
        .key_label = row["key_label"].as<std::string>(),
    };
    if (!row["signature"].is_null()) {
      record.certificate = Certificate{RecordOf(row), BytesOf(row["signature"])}.Der();
      record.published_at = TimeOf(row["signed_at"]);
    }
    if (!row["certificate"].is_null()) FillImported(row, record);
    if (!row["taint"].is_null()) {
      record.taint = {row["taint"].as<std::string>(), TimeOf(row["tainted_at"]),
                      row["is_revoked"].as<bool>()};
    }
    record.key_destruction = KeyDestructionOf(row);
    records.push_back(std::move(record));
  }
  return records;
}

Certificate SelectIssuance(pqxx::transaction_base& transaction, AuthorityId authority) {
  const pqxx::row row = transaction.exec_params1(kFindIssuance, Number(authority));
  return {RecordOf(row), row["signature"].is_null() ? ca::Bytes() : BytesOf(row["signature"])};
}

// ---- what becomes so ----------------------------------------------------------------------------

AuthorityRecord InsertPlan(pqxx::work& transaction, HierarchyId hierarchy,
                           const AuthorityPlan& plan) {
  const pqxx::row row = transaction.exec_params1(
      "INSERT INTO agentpki.authorities (hierarchy, kind, generation, issuer, key_label, "
      "planned_at) "
      "SELECT $1, $2::text, $3, nullif($4::bigint, 0), "
      "       CASE $2::text WHEN 'link' THEN (SELECT r.key_label FROM agentpki.authorities AS r "
      "                                  WHERE r.hierarchy = $1 AND r.kind = 'root' "
      "                                    AND r.generation = $3) "
      "               ELSE $5 END, $6 "
      "RETURNING id, coalesce(issuer, id), key_label",
      static_cast<int>(hierarchy), std::string(ca::NameOf(plan.kind)), plan.generation,
      Number(plan.issuer), plan.key_label, TimeText(plan.at));
  return AuthorityRecord{
      .id = static_cast<AuthorityId>(row[0].as<std::int64_t>()),
      .hierarchy = hierarchy,
      .kind = plan.kind,
      .generation = plan.generation,
      .issuer = static_cast<AuthorityId>(row[1].as<std::int64_t>()),
      .key_label = row[2].as<std::string>(),
  };
}

AuthorityRecord InsertExternalRoot(pqxx::work& transaction, HierarchyId hierarchy, int generation,
                                   const ca::Bytes& certificate, ca::TimePoint now) {
  const pqxx::row row = transaction.exec_params1(
      "INSERT INTO agentpki.authorities (hierarchy, kind, generation, planned_at) "
      "VALUES ($1, 'root', $2, $3) RETURNING id",
      static_cast<int>(hierarchy), generation, TimeText(now));
  const auto id = static_cast<AuthorityId>(row[0].as<std::int64_t>());
  InsertImport(transaction, id, id, {certificate, {}, certificate}, now);
  return AuthorityRecord{
      .id = id,
      .hierarchy = hierarchy,
      .kind = AuthorityKind::kRoot,
      .generation = generation,
      .issuer = id,
      .key_label = "",
      .certificate = certificate,
      .is_imported = true,
      .intermediates = {},
      .published_at = now,
  };
}

void InsertImport(pqxx::work& transaction, AuthorityId authority, AuthorityId root,
                  const ca::ExternalCertificate& certificate, ca::TimePoint now) {
  transaction.exec_params("INSERT INTO agentpki.authority_imports VALUES ($1, $2, $3, $4, $5)",
                          Number(authority), Number(root),
                          pqxx::binarystring(certificate.certificate),
                          CertificatesText(certificate.intermediates), TimeText(now));
}

void LockActivations(pqxx::work& transaction, HierarchyId hierarchy) {
  transaction.exec_params("SELECT pg_advisory_xact_lock(1, $1)", static_cast<int>(hierarchy));
}

bool InsertActivation(pqxx::work& transaction, const Activation& activation) {
  const pqxx::result inserted = transaction.exec_params(
      "INSERT INTO agentpki.activations (hierarchy, sequence, authority, activated_at) "
      "SELECT $1, $2, $3, $4 WHERE $2 = 1 + coalesce("
      "  (SELECT max(sequence) FROM agentpki.activations WHERE hierarchy = $1), 0) "
      "AND NOT EXISTS (SELECT FROM agentpki.key_destructions AS k WHERE k.authority = $3) "
      "AND NOT EXISTS (SELECT FROM agentpki.authority_taints AS t WHERE t.authority = $3) "
      "AND (EXISTS (SELECT FROM agentpki.authority_signatures AS s WHERE s.authority = $3) "
      "  OR EXISTS (SELECT FROM agentpki.authority_imports AS m WHERE m.authority = $3)) "
      "AND EXISTS (SELECT FROM agentpki.hierarchies AS h "
      "             WHERE h.id = $1 AND h.destroyed_at IS NULL)",
      static_cast<int>(activation.hierarchy), activation.sequence, Number(activation.authority),
      TimeText(activation.at));
  return inserted.affected_rows() == 1;
}

bool InsertTrustBundle(pqxx::work& transaction, const TrustBundleRecord& bundle) {
  std::vector<std::string> authorities;
  for (const AuthorityId id : bundle.authorities) authorities.push_back(std::to_string(Number(id)));
  const pqxx::result inserted = transaction.exec_params(
      "INSERT INTO agentpki.trust_bundles (hierarchy, version, authorities, published_at) "
      "SELECT $1, $2, $3::bigint[], $4 WHERE $2 = 1 + coalesce("
      "  (SELECT max(version) FROM agentpki.trust_bundles WHERE hierarchy = $1), 0)",
      static_cast<int>(bundle.hierarchy), bundle.version, TextArray(authorities),
      TimeText(bundle.published_at));
  return inserted.affected_rows() == 1;
}

// ---- which issue, and are to be held ------------------------------------------------------------

std::vector<Activation> SelectActivations(pqxx::transaction_base& transaction) {
  std::vector<Activation> activations;
  for (const pqxx::row& row :
       transaction.exec("SELECT s.hierarchy, s.sequence, s.authority, s.activated_at "
                        "  FROM agentpki.activations AS s "
                        "  JOIN agentpki.hierarchies AS h ON h.id = s.hierarchy " +
                        kWhereUnsettled + " ORDER BY s.hierarchy, s.sequence")) {
    activations.push_back({
        .hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
        .sequence = row["sequence"].as<int>(),
        .authority = static_cast<AuthorityId>(row["authority"].as<std::int64_t>()),
        .at = TimeOf(row["activated_at"]),
    });
  }
  return activations;
}

std::vector<TrustBundleRecord> SelectTrustBundles(pqxx::transaction_base& transaction) {
  std::vector<TrustBundleRecord> bundles;
  for (const pqxx::row& row :
       transaction.exec("SELECT b.hierarchy, b.version, b.authorities::text[] AS authorities, "
                        "       b.published_at "
                        "  FROM agentpki.trust_bundles AS b "
                        "  JOIN agentpki.hierarchies AS h ON h.id = b.hierarchy " +
                        kWhereUnsettled + " ORDER BY b.hierarchy, b.version")) {
    TrustBundleRecord bundle{.hierarchy = static_cast<HierarchyId>(row["hierarchy"].as<int>()),
                             .version = row["version"].as<int>(),
                             .published_at = TimeOf(row["published_at"])};
    for (const std::string& number : TextsOf(row["authorities"])) {
      bundle.authorities.push_back(static_cast<AuthorityId>(std::stoll(number)));
    }
    bundles.push_back(std::move(bundle));
  }
  return bundles;
}

}  // namespace db
