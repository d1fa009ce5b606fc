#include "tests/contract/contract_test.h"

namespace contract {
namespace {

std::vector<std::string> Texts(const std::vector<ca::IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const ca::IpAddress& address : addresses) texts.push_back(address.ToString());
  return texts;
}

void ExpectSame(const ca::CertificateProfile& actual, const ca::CertificateProfile& expected) {
  EXPECT_EQ(actual.name, expected.name);
  EXPECT_EQ(actual.lifetime, expected.lifetime);
  EXPECT_EQ(actual.key_types, expected.key_types);
  EXPECT_EQ(actual.client_auth, expected.client_auth);
  EXPECT_EQ(actual.server_auth, expected.server_auth);
  EXPECT_EQ(actual.host_names, expected.host_names);
  EXPECT_EQ(actual.status_free, expected.status_free);
}

}  // namespace

void ExpectSame(const ca::IssuanceRecord& actual, const ca::IssuanceRecord& expected) {
  EXPECT_EQ(actual.serial.ToString(), expected.serial.ToString());
  EXPECT_EQ(actual.hierarchy, expected.hierarchy);
  EXPECT_EQ(actual.authority, expected.authority);
  EXPECT_EQ(actual.agent, expected.agent);
  EXPECT_EQ(actual.subject.ToString(), expected.subject.ToString());
  EXPECT_EQ(actual.profile, expected.profile);
  EXPECT_EQ(actual.key_fingerprint, expected.key_fingerprint);
  EXPECT_EQ(actual.shard, expected.shard);
  EXPECT_EQ(actual.validity.not_before, expected.validity.not_before);
  EXPECT_EQ(actual.validity.not_after, expected.validity.not_after);
  EXPECT_EQ(actual.tbs, expected.tbs);
}

void ExpectSame(const ca::Agent& actual, const ca::Agent& expected) {
  EXPECT_EQ(actual.number, expected.number);
  EXPECT_EQ(actual.hierarchy, expected.hierarchy);
  EXPECT_EQ(actual.id.ToString(), expected.id.ToString());
  EXPECT_EQ(actual.owner, expected.owner);
  EXPECT_EQ(actual.role, expected.role);
  EXPECT_EQ(actual.version, expected.version);
  EXPECT_EQ(actual.profile, expected.profile);
  EXPECT_EQ(actual.dns_names, expected.dns_names);
  EXPECT_EQ(Texts(actual.ip_addresses), Texts(expected.ip_addresses));
  EXPECT_EQ(actual.disabled, expected.disabled);
  EXPECT_EQ(actual.registered_at, expected.registered_at);
}

void ExpectSame(const ca::JoinTokenRecord& actual, const ca::JoinTokenRecord& expected) {
  EXPECT_EQ(actual.secret_hash, expected.secret_hash);
  EXPECT_EQ(actual.agent.ToString(), expected.agent.ToString());
  EXPECT_EQ(actual.created_by, expected.created_by);
  EXPECT_EQ(actual.created_at, expected.created_at);
  EXPECT_EQ(actual.expires_at, expected.expires_at);
  EXPECT_EQ(actual.used_by_request, expected.used_by_request);
  EXPECT_EQ(actual.used_at, expected.used_at);
  EXPECT_EQ(actual.revoked_at, expected.revoked_at);
}

void ExpectSame(const ca::Hierarchy& actual, const ca::Hierarchy& expected) {
  EXPECT_EQ(actual.id, expected.id);
  EXPECT_EQ(actual.Name(), expected.Name());
  EXPECT_EQ(actual.trust_domain, expected.trust_domain);
  EXPECT_EQ(actual.is_system, expected.is_system);
  EXPECT_EQ(actual.token, expected.token);
  EXPECT_EQ(actual.root_lifetime, expected.root_lifetime);
  EXPECT_EQ(actual.issuing_lifetime, expected.issuing_lifetime);
  EXPECT_EQ(actual.rotate_every, expected.rotate_every);
  EXPECT_EQ(actual.publish_ahead, expected.publish_ahead);
  EXPECT_EQ(actual.acknowledged_share, expected.acknowledged_share);
  EXPECT_EQ(actual.acknowledge_within, expected.acknowledge_within);
  EXPECT_TRUE(actual.approvals == expected.approvals);
  EXPECT_TRUE(actual.status == expected.status);
  EXPECT_EQ(actual.dns_subtrees, expected.dns_subtrees);
  ASSERT_EQ(actual.ip_ranges.size(), expected.ip_ranges.size());
  for (size_t i = 0; i < expected.ip_ranges.size(); ++i) {
    EXPECT_EQ(actual.ip_ranges[i].ToString(), expected.ip_ranges[i].ToString());
  }
  ASSERT_EQ(actual.profiles.size(), expected.profiles.size());
  for (size_t i = 0; i < expected.profiles.size(); ++i) {
    ExpectSame(actual.profiles[i], expected.profiles[i]);
  }
}

void ExpectSame(const ca::AuditEvent& actual, const ca::AuditEvent& expected) {
  EXPECT_EQ(actual.at, expected.at);
  EXPECT_EQ(actual.actor, expected.actor);
  EXPECT_EQ(actual.action, expected.action);
  EXPECT_EQ(actual.decision, expected.decision);
  EXPECT_EQ(actual.rule, expected.rule);
  EXPECT_EQ(actual.reason, expected.reason);
  EXPECT_EQ(actual.hierarchy, expected.hierarchy);
  EXPECT_EQ(actual.subject, expected.subject);
  EXPECT_EQ(actual.serial, expected.serial);
  EXPECT_EQ(actual.from, expected.from);
  EXPECT_EQ(actual.correlation_id, expected.correlation_id);
  EXPECT_EQ(actual.request_id, expected.request_id);
  EXPECT_EQ(actual.request, expected.request);
}

void ExpectSame(const ca::Revocation& actual, const ca::Revocation& expected) {
  EXPECT_EQ(actual.serial.ToString(), expected.serial.ToString());
  EXPECT_EQ(actual.hierarchy, expected.hierarchy);
  EXPECT_EQ(actual.authority, expected.authority);
  EXPECT_EQ(actual.shard, expected.shard);
  EXPECT_EQ(actual.not_after, expected.not_after);
  EXPECT_EQ(actual.revoked_at, expected.revoked_at);
  EXPECT_EQ(actual.reason, expected.reason);
  EXPECT_EQ(actual.invalidity_date, expected.invalidity_date);
}

void ExpectSame(const ca::PublishedCrl& actual, const ca::PublishedCrl& expected) {
  EXPECT_EQ(actual.authority, expected.authority);
  EXPECT_EQ(actual.shard, expected.shard);
  EXPECT_EQ(actual.number, expected.number);
  EXPECT_EQ(actual.base_number, expected.base_number);
  EXPECT_EQ(actual.this_update, expected.this_update);
  EXPECT_EQ(actual.next_update, expected.next_update);
  EXPECT_EQ(actual.der, expected.der);
}

}  // namespace contract
