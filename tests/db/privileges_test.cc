// The privileges of the server's role in the database. Even a server that was taken over cannot
// rewrite the ledger, read another hierarchy by mistake, or record certificates outside the trust
// domain.

#include <gtest/gtest.h>

#include "db/postgres_approval_store.h"
#include "tests/db/database_test.h"

namespace db {
namespace {

using ca::testing::Must;
using testing::DeployedDatabaseTest;

constexpr char kInsufficientPrivilege[] = "42501";

class PrivilegesTest : public DeployedDatabaseTest {
 protected:
  // As the server, in a transaction that names `hierarchy`. The SQLSTATE, or "" when it succeeds.
  std::string Try(const std::string& sql, ca::HierarchyId hierarchy = {}) {
    try {
      pqxx::work transaction(*server_);
      Name(transaction, hierarchy);
      transaction.exec(sql);
      transaction.commit();
      return "";
    } catch (const pqxx::insufficient_privilege&) {
      return kInsufficientPrivilege;  // libpqxx 6.4 leaves sqlstate() empty here
    } catch (const pqxx::sql_error& e) {
      return e.sqlstate();
    }
  }

  int CountAsServer(const std::string& table, ca::HierarchyId hierarchy = {}) {
    pqxx::work transaction(*server_);
    Name(transaction, hierarchy);
    return transaction.exec("SELECT count(*) FROM agentpki." + table)[0][0].as<int>();
  }

  std::string InsertAgent(const ca::Hierarchy& hierarchy, const std::string& spiffe_id) const {
    return fmt::format(
        "INSERT INTO agentpki.agents (hierarchy, spiffe_id, owner, role, version, profile, "
        "dns_names, ip_addresses, registered_at) "
        "VALUES ({}, '{}', 'o', '', '', 'agent', '{{}}', '{{}}', now())",
        static_cast<int>(hierarchy.id), spiffe_id);
  }

  std::string InsertIssuance(const ca::Hierarchy& hierarchy, const std::string& subject) const {
    return fmt::format(
        "INSERT INTO agentpki.issuances (expiry_day, serial, hierarchy, authority, shard, agent, "
        "subject, profile, key_fingerprint, not_before, not_after, tbs, recorded_at) "
        "VALUES (current_date, '\\x{}', {}, 1, 0, 1, '{}', 'agent', '', now(), now(), '', now())",
        ca::Hex(ca::Bytes(20, '\1')), static_cast<int>(hierarchy.id), subject);
  }

  // Asked for by alice, approved by bob, and used.
  void ApproveAndUse(const ca::Hierarchy& hierarchy) {
    const ca::SpiffeId alice = ca::testing::IdOf(deployment_.system, "operator/alice");
    const ca::SpiffeId bob = ca::testing::IdOf(deployment_.system, "operator/bob");
    const std::string id = fmt::format("{:016x}", static_cast<int>(hierarchy.id));
    const ca::AuditEvent event = EventIn(hierarchy, "ApproveChange");
    Must(approvals_
             .FindOrRequest({.id = id,
                             .hierarchy = hierarchy.id,
                             .digest = ca::Sha256("change"),
                             .requested_by = alice,
                             .requested_at = clock_.Now(),
                             .expires_at = clock_.Now() + std::chrono::hours(1)},
                            {}, event)
             .status());
    Must(approvals_
             .Decide(hierarchy.id, id, {ca::Verdict::kApprove, bob, clock_.Now(), "seen"}, event)
             .status());
    ca::AuditEvent use = EventIn(hierarchy, "UseApproval");
    use.subject = id;
    ca::AuditEvent change = EventIn(hierarchy, "ChangeHierarchy");
    change.approval_use = std::make_shared<ca::AuditEvent>(use);
    ca::Hierarchy wanted = hierarchy;
    wanted.root_lifetime += std::chrono::hours(24);
    Must(hierarchies_.ChangeHierarchy(hierarchy, wanted, change));
  }

  PostgresApprovalStore approvals_{database_.server()};

 private:
  static void Name(pqxx::work& transaction, ca::HierarchyId hierarchy) {
    if (hierarchy == ca::HierarchyId{}) return;
    transaction.exec("SELECT set_config('agentpki.hierarchy', '" +
                     std::to_string(static_cast<int>(hierarchy)) + "', true)");
  }

  const std::unique_ptr<pqxx::connection> server_ = Connect(database_.server());
};

// ---- what is written stays ----------------------------------------------------------------------

TEST_F(PrivilegesTest, CanNeitherUpdateNorDeleteNorTruncateWhatIsRecorded) {
  for (const char* table : {"authorities",
                            "authority_issuances",
                            "authority_signatures",
                            "authority_imports",
                            "key_destructions",
                            "destroyed_keys",
                            "agents",
                            "issuances",
                            "key_holders",
                            "signatures",
                            "requests",
                            "audit_events",
                            "retention",
                            "revocations",
                            "blocked_keys",
                            "crl_shards",
                            "crl_shard_days",
                            "crls",
                            "activations",
                            "trust_bundles",
                            "authority_taints",
                            "hierarchy_destructions",
                            "destruction_records",
                            "bundle_acknowledgements",
                            "approvals",
                            "approval_decisions",
                            "approval_ends"}) {
    const std::string name = std::string("agentpki.") + table;
    const std::string column = Value("SELECT attname FROM pg_attribute WHERE attrelid = '" + name +
                                     "'::regclass AND attnum > 0 AND attidentity = ''");
    for (const std::string& statement : {"UPDATE " + name + " SET " + column + " = " + column,
                                         "DELETE FROM " + name, "TRUNCATE " + name + " CASCADE"}) {
      EXPECT_EQ(Try(statement, deployment_.acme.id), kInsufficientPrivilege) << statement;
    }
  }
}

// The same by the catalogue, for every table there is or will be, its partitions included.
TEST_F(PrivilegesTest, HasNoPrivilegeOnATableOfRecordsButToReadAndInsert) {
  const pqxx::result tables = database_.Query(R"(
    SELECT c.oid::regclass::text AS name, privilege
      FROM pg_class AS c,
           unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS privilege
     WHERE c.relnamespace IN ('agentpki'::regnamespace, 'public'::regnamespace)
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND has_table_privilege('agentpki_server', c.oid, privilege)
     ORDER BY name, privilege)");
  std::string found;
  for (const pqxx::row& row : tables) {
    found += fmt::format("{} {}, ", row[0].c_str(), row[1].c_str());
  }
  EXPECT_EQ(found,
            "agentpki.enrollment_rules DELETE, agentpki.grants DELETE, "
            "agentpki.profiles DELETE, agentpki.profiles UPDATE, ");
}

TEST_F(PrivilegesTest, CannotChangeWhatAHierarchyIs) {
  for (const char* column : {"trust_domain", "dns_subtrees", "ip_ranges", "is_system", "tenant",
                             "environment", "created_at", "destroyed_at", "settled_at"}) {
    EXPECT_EQ(Try(fmt::format("UPDATE agentpki.hierarchies SET {0} = {0}", column)),
              kInsufficientPrivilege)
        << column;
  }
  EXPECT_EQ(Try("DELETE FROM agentpki.hierarchies"), kInsufficientPrivilege);
}

TEST_F(PrivilegesTest, MayUpdateTheseColumnsAndNoOther) {
  EXPECT_EQ(Value(R"(
    SELECT string_agg(c.oid::regclass || '.' || attname, ' ' ORDER BY attname)
      FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
     WHERE c.relnamespace IN ('agentpki'::regnamespace, 'public'::regnamespace)
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND attnum > 0
       AND c.relname <> 'profiles'
       AND has_column_privilege('agentpki_server', c.oid, attnum, 'UPDATE'))"),
            "agentpki.hierarchies.acknowledge_within_seconds "
            "agentpki.hierarchies.acknowledged_share "
            "agentpki.hierarchies.approvals_expire_after_seconds "
            "agentpki.hierarchies.approve_authority_revocation "
            "agentpki.hierarchies.approve_destruction "
            "agentpki.hierarchies.approve_policy_widening "
            "agentpki.hierarchies.approve_root_rotation "
            "agentpki.hierarchies.crl_lifetime_seconds agentpki.hierarchies.crl_shard_size "
            "agentpki.hierarchies.delta_crls "
            "agentpki.hierarchies.external_roots "
            "agentpki.hierarchies.issuing_lifetime_seconds "
            "agentpki.hierarchies.ocsp_lifetime_seconds "
            "agentpki.hierarchies.publish_ahead_seconds agentpki.join_tokens.revoked_at "
            "agentpki.hierarchies.root_lifetime_seconds agentpki.hierarchies.rotate_every_seconds "
            "agentpki.hierarchies.token "
            "agentpki.join_tokens.used_at agentpki.join_tokens.used_by_request");
}

TEST_F(PrivilegesTest, OwnsNothingAndIsNoMemberOfARoleThatDoes) {
  EXPECT_EQ(Value("SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid = "
                  "'agentpki_server'::regrole"),
            "0");
  EXPECT_EQ(Value("SELECT count(*) FROM pg_auth_members WHERE member = 'agentpki_server'::regrole"),
            "0");
  EXPECT_EQ(Value("SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles "
                  "WHERE rolname = 'agentpki_server'"),
            "f");
}

TEST_F(PrivilegesTest, CannotChangeTheSchema) {
  for (const char* statement :
       {"CREATE TABLE agentpki.mine (x integer)", "CREATE TABLE public.mine (x integer)",
        "CREATE SCHEMA mine", "ALTER TABLE agentpki.issuances DISABLE ROW LEVEL SECURITY",
        "DROP POLICY within_hierarchy ON agentpki.issuances", "DROP TABLE agentpki.audit_events",
        "ALTER TABLE agentpki.issuances ADD COLUMN x integer", "SET ROLE agentpki_owner",
        "CREATE FUNCTION agentpki.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'"}) {
    EXPECT_EQ(Try(statement), kInsufficientPrivilege) << statement;
  }
}

TEST_F(PrivilegesTest, CannotMakeOrDropPartitionsButByMaintenance) {
  EXPECT_EQ(Try("CALL agentpki.add_partition('issuances', 'x', '2000-01-01', '2000-01-02')"),
            kInsufficientPrivilege);
  EXPECT_EQ(Try("SELECT agentpki.maintain_partitions()"), "");
}

// An authority's CRLs say that they are its hierarchy's, or they would be out of everybody's sight.
TEST_F(PrivilegesTest, CannotPublishACrlOfAnotherHierarchysAuthority) {
  const std::string globex = std::to_string(static_cast<int>(deployment_.globex.id));
  constexpr char kForeignKeyViolation[] = "23503";
  EXPECT_EQ(Try("INSERT INTO agentpki.crls (authority, shard, number, hierarchy, base_number, "
                "this_update, next_update, der) SELECT min(id), 0, 1, " +
                    globex + ", 0, now(), now(), '' FROM agentpki.authorities WHERE hierarchy <> " +
                    globex,
                deployment_.globex.id),
            kForeignKeyViolation);
}

// ---- one hierarchy at a time --------------------------------------------------------------------

TEST_F(PrivilegesTest, SeesTheRowsOfTheHierarchyThatItNamedAndNoOther) {
  for (const ca::Hierarchy* hierarchy : {&deployment_.acme, &deployment_.globex}) {
    const ca::Agent agent = deployment_.Register(*hierarchy, "billing/bot");
    deployment_.Invite(agent);
    const ca::Certificate certificate = deployment_.Issue(agent);
    Must(revocations_
             .Revoke({.hierarchy = hierarchy->id,
                      .target = certificate.record.serial,
                      .invalidity_date = std::nullopt,
                      .now = clock_.Now()},
                     EventIn(*hierarchy, "Revoke"))
             .status());
    Must(crls_.Publish(hierarchy->id, {.authority = certificate.record.authority,
                                       .number = 1,
                                       .this_update = clock_.Now(),
                                       .next_update = clock_.Now()}));
    Must(activations_.PublishTrustBundle(
        {hierarchy->id, 1, {certificate.record.authority}, clock_.Now()},
        EventIn(*hierarchy, "PublishTrustBundle")));
    Must(acknowledgements_.Acknowledge({hierarchy->id, agent.number, 1, clock_.Now()},
                                       EventIn(*hierarchy, "AcknowledgeTrustBundle")));
    ApproveAndUse(*hierarchy);
  }
  for (const char* table :
       {"agents", "join_tokens", "issuances", "signatures", "requests", "revocations", "crls",
        "bundle_acknowledgements", "approvals", "approval_decisions", "approval_ends"}) {
    EXPECT_EQ(CountAsServer(table), 0) << table << ", when none was named";
    EXPECT_EQ(CountAsServer(table, deployment_.acme.id), 1) << table;
    EXPECT_EQ(CountAsServer(table, deployment_.system.id), 0) << table;
  }
  EXPECT_EQ(CountAsServer("audit_events"), 0);
  EXPECT_EQ(CountAsServer("audit_events", deployment_.acme.id),
            Count("agentpki.audit_events WHERE hierarchy = " +
                  std::to_string(static_cast<int>(deployment_.acme.id))));
}

TEST_F(PrivilegesTest, CannotReadAPartitionPastTheRowLevelSecurity) {
  for (const pqxx::row& row :
       database_.Query("SELECT c.oid::regclass FROM pg_class AS c WHERE relispartition "
                       "AND relkind = 'r' AND relnamespace = 'agentpki'::regnamespace")) {
    const std::string partition = row[0].c_str();
    EXPECT_EQ(Try("SELECT * FROM " + partition), kInsufficientPrivilege) << partition;
  }
}

// Keys are unique over all hierarchies, so this table spans them; the server cannot read it.
TEST_F(PrivilegesTest, CannotReadWhoHoldsWhichKey) {
  for (const char* table : {"key_holders", "blocked_keys"}) {
    EXPECT_EQ(Try(std::string("SELECT * FROM agentpki.") + table, deployment_.acme.id),
              kInsufficientPrivilege)
        << table;
  }
}

TEST_F(PrivilegesTest, KeepsEveryTableThatHasAHierarchyUnderRowLevelSecurity) {
  EXPECT_EQ(Value(R"(
    SELECT string_agg(c.relname, ' ' ORDER BY c.relname)
      FROM pg_class AS c
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'hierarchy'
     WHERE c.relnamespace = 'agentpki'::regnamespace AND NOT c.relispartition
       AND c.relkind IN ('r', 'p') AND NOT c.relrowsecurity)"),
            "activations authorities destruction_records enrollment_rules grants "
            "hierarchy_destructions profiles trust_bundles")
      << "what every replica reads whole, and no more";
}

TEST_F(PrivilegesTest, CannotRegisterAnAgentOutsideTheTrustDomain) {
  for (const char* id : {"spiffe://prod.globex.example/bot", "spiffe://prod.acme.example.evil/bot",
                         "spiffe://prod.acme.example", "https://prod.acme.example/bot"}) {
    EXPECT_EQ(Try(InsertAgent(deployment_.acme, id), deployment_.acme.id), kInsufficientPrivilege)
        << id;
  }
  EXPECT_EQ(
      Try(InsertAgent(deployment_.acme, "spiffe://prod.acme.example/bot"), deployment_.acme.id),
      "");
}

TEST_F(PrivilegesTest, CannotRecordASubjectOutsideTheTrustDomain) {
  for (const char* subject : {"spiffe://prod.globex.example/bot", "spiffe://prod.acme.example"}) {
    EXPECT_EQ(Try(InsertIssuance(deployment_.acme, subject), deployment_.acme.id),
              kInsufficientPrivilege)
        << subject;
  }
  EXPECT_EQ(
      Try(InsertIssuance(deployment_.acme, "spiffe://prod.acme.example/bot"), deployment_.acme.id),
      "");
}

TEST_F(PrivilegesTest, CannotWriteIntoAnotherHierarchyThanItNamed) {
  const std::string acme = std::to_string(static_cast<int>(deployment_.acme.id));
  const std::string id = "spiffe://prod.acme.example/bot";
  for (const std::string& statement :
       {InsertAgent(deployment_.acme, id), InsertIssuance(deployment_.acme, id),
        "INSERT INTO agentpki.signatures (expiry_day, serial, hierarchy, agent, signature, "
        "signed_at) VALUES (current_date, '\\x01', " +
            acme + ", 1, '', now())",
        "INSERT INTO agentpki.revocations (expiry_day, serial, hierarchy, authority, shard, "
        "not_after, revoked_at, reason, revoked_by) VALUES (current_date, '\\x01', " +
            acme + ", 1, 0, now(), now(), 0, '')",
        "INSERT INTO agentpki.blocked_keys (key_fingerprint, hierarchy, serial, blocked_at) "
        "VALUES ('\\x01', " +
            acme + ", '', now())",
        "INSERT INTO agentpki.crls (authority, shard, number, hierarchy, base_number, "
        "this_update, next_update, der) SELECT id, 0, 1, hierarchy, 0, now(), now(), '' "
        "FROM agentpki.authorities WHERE kind = 'root' AND hierarchy = " +
            acme,
        "INSERT INTO agentpki.requests (request_day, request_id, agent, hierarchy, "
        "key_fingerprint, serial) VALUES (current_date, gen_random_uuid(), 1, " +
            acme + ", '', '')",
        "INSERT INTO agentpki.audit_events (at, actor, action, decision, rule, reason, hierarchy, "
        "subject, serial, from_address, correlation_id, request_id) "
        "VALUES (now(), '', '', 'allowed', '', '', " +
            acme + ", '', '', '', '', '')"}) {
    EXPECT_EQ(Try(statement, deployment_.globex.id), kInsufficientPrivilege) << statement;
    EXPECT_EQ(Try(statement), kInsufficientPrivilege) << statement;
    EXPECT_EQ(Try(statement, deployment_.acme.id), "") << "as the control: " << statement;
  }
}

// Even a server that was taken over cannot approve an operator's own request, nor use an approval
// that was not given.
TEST_F(PrivilegesTest, CannotApproveForWhoAskedNorUseWhatIsNotApproved) {
  constexpr char kCheckViolation[] = "23514";
  constexpr char kUniqueViolation[] = "23505";
  constexpr char kForeignKeyViolation[] = "23503";
  const int acme = static_cast<int>(deployment_.acme.id);
  const auto ask = [&](const char* id) {
    return Try(fmt::format("INSERT INTO agentpki.approvals (id, hierarchy, kind, digest, changes, "
                           "requested_by, requested_at, expires_at) VALUES ('{}', {}, "
                           "'destruction', sha256('x'), '{{}}', 'alice', now(), now() + '1 h')",
                           id, acme),
               deployment_.acme.id);
  };
  const auto decide = [&](const char* id, const char* asked_by, const char* verdict, const char* by,
                          ca::HierarchyId as) {
    return Try(fmt::format("INSERT INTO agentpki.approval_decisions (approval, hierarchy, "
                           "requested_by, verdict, decided_by, decided_at, reason) VALUES ('{}', "
                           "{}, '{}', '{}', '{}', now(), 'seen')",
                           id, acme, asked_by, verdict, by),
               as);
  };
  const auto end = [&](const char* id, const char* by, const char* outcome, const char* verdict) {
    return Try(fmt::format("INSERT INTO agentpki.approval_ends (approval, hierarchy, requested_by, "
                           "outcome, verdict, ended_at, correlation_id) VALUES ('{}', {}, '{}', "
                           "'{}', nullif('{}', ''), now(), '')",
                           id, acme, by, outcome, verdict),
               deployment_.acme.id);
  };
  const auto use = [&](const char* id, const char* verdict) {
    return end(id, "alice", "used", verdict);
  };
  constexpr char kOne[] = "0000000000000001";
  constexpr char kTwo[] = "0000000000000002";
  constexpr char kThree[] = "0000000000000003";
  EXPECT_EQ(ask(kOne), "");
  EXPECT_EQ(ask(kTwo), "");
  EXPECT_EQ(ask(kThree), "");
  EXPECT_EQ(decide(kThree, "alice", "approve", "bob", deployment_.acme.id), "");
  EXPECT_EQ(decide(kOne, "alice", "approve", "alice", deployment_.acme.id), kCheckViolation);
  EXPECT_EQ(decide(kOne, "carol", "approve", "alice", deployment_.acme.id), kForeignKeyViolation)
      << "nor by saying that somebody else asked";
  EXPECT_EQ(decide(kOne, "alice", "approve", "bob", deployment_.globex.id), kInsufficientPrivilege);
  EXPECT_EQ(use(kOne, "approve"), kForeignKeyViolation) << "it is pending";
  EXPECT_EQ(decide(kTwo, "alice", "deny", "bob", deployment_.acme.id), "");
  EXPECT_EQ(use(kTwo, "approve"), kForeignKeyViolation) << "it is denied";
  EXPECT_EQ(use(kTwo, "deny"), kCheckViolation);
  EXPECT_EQ(use(kTwo, ""), kCheckViolation);
  EXPECT_EQ(decide(kOne, "alice", "approve", "bob", deployment_.acme.id), "") << "as the control";
  EXPECT_EQ(end(kOne, "bob", "used", "approve"), kForeignKeyViolation) << "alice asked for it";
  EXPECT_EQ(end(kOne, "bob", "withdrawn", ""), kForeignKeyViolation);
  EXPECT_EQ(end(kThree, "alice", "withdrawn", "approve"), kCheckViolation);
  EXPECT_EQ(end(kThree, "alice", "withdrawn", ""), "") << "as the control";
  EXPECT_EQ(use(kThree, "approve"), kUniqueViolation) << "it is withdrawn";
  EXPECT_EQ(use(kOne, "approve"), "") << "as the control";
}

TEST_F(PrivilegesTest, CannotAcknowledgeForAnotherHierarchyThanItNamed) {
  const ca::Agent agent = deployment_.Register(deployment_.acme, "billing/bot");
  const auto root = deployment_.catalog->Find(deployment_.acme.id)->authorities().front();
  Must(activations_.PublishTrustBundle({deployment_.acme.id, 1, {root->id()}, clock_.Now()},
                                       EventIn(deployment_.acme, "PublishTrustBundle")));
  const std::string statement = fmt::format(
      "INSERT INTO agentpki.bundle_acknowledgements (hierarchy, agent, version, "
      "acknowledged_at) VALUES ({}, {}, 1, now())",
      static_cast<int>(deployment_.acme.id), static_cast<std::int64_t>(agent.number));
  EXPECT_EQ(Try(statement, deployment_.globex.id), kInsufficientPrivilege);
  EXPECT_EQ(Try(statement), kInsufficientPrivilege);
  EXPECT_EQ(Try(statement, deployment_.acme.id), "") << "as the control";
}

}  // namespace
}  // namespace db
