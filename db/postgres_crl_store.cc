#include "db/postgres_crl_store.h"

#include "db/binary_array.h"
#include "db/connection.h"
#include "db/row.h"

namespace db {
namespace {

using ca::CrlShardRecord;
using ca::Error;
using ca::PublishedCrl;
using ca::StatusCode;
using Element = BinaryArray::Element;

// One for the conductor, and one for the thread that looks for new CRLs.
constexpr size_t kConnectionsMax = 2;

std::int64_t Number(ca::AuthorityId id) { return static_cast<std::int64_t>(id); }

void PrepareLoads(pqxx::connection& connection) {
  connection.prepare("load_crl_shards", "SELECT * FROM agentpki.load_crl_shards($1, $2)");
  connection.prepare("load_newer_crls", "SELECT * FROM agentpki.load_newer_crls($1, $2, $3, $4)");
}

CrlShardRecord ShardOf(const pqxx::row& row) {
  return CrlShardRecord{
      .authority = static_cast<ca::AuthorityId>(row["authority"].as<std::int64_t>()),
      .shard = row["shard"].as<ca::CrlShard>(),
      .opened_at = TimeOf(row["opened_at"]),
      .last_not_after = TimeOf(row["last_not_after"]),
      .certificate_count = row["certificate_count"].as<std::int64_t>(),
  };
}

PublishedCrl CrlOf(const pqxx::row& row) {
  return PublishedCrl{
      .authority = static_cast<ca::AuthorityId>(row["authority"].as<std::int64_t>()),
      .shard = row["shard"].as<ca::CrlShard>(),
      .number = row["number"].as<std::int64_t>(),
      .base_number = row["base_number"].as<std::int64_t>(),
      .this_update = TimeOf(row["this_update"]),
      .next_update = TimeOf(row["next_update"]),
      .der = BytesOf(row["der"]),
  };
}

}  // namespace

PostgresCrlStore::PostgresCrlStore(const Endpoint& endpoint)
    : pool_(std::make_unique<Pool>(endpoint, kConnectionsMax, PrepareLoads)) {}
PostgresCrlStore::~PostgresCrlStore() = default;

Result<std::vector<CrlShardRecord>> PostgresCrlStore::LoadShards(ca::TimePoint now) {
  using Records = std::vector<CrlShardRecord>;
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Records> {
    Records records;
    for (const pqxx::row& row :
         pqxx::nontransaction(connection)
             .exec_prepared("load_crl_shards", TimeText(now),
                            TimeText(now - CrlShardRecord::kKeptAfterExpiry))) {
      records.push_back(ShardOf(row));
    }
    return records;
  });
}

Status PostgresCrlStore::OpenShard(ca::AuthorityId authority, ca::CrlShard newest,
                                   ca::TimePoint now) {
  return pool_->Run([&](pqxx::connection& connection) -> Status {
    const pqxx::result rows = pqxx::nontransaction(connection)
                                  .exec_params("SELECT agentpki.open_shard($1, $2, $3)",
                                               Number(authority), newest, TimeText(now));
    if (rows.at(0)[0].as<bool>()) return ca::Ok();
    return Error(StatusCode::kAborted, "shard {} of authority {} is not the newest any more",
                 newest, Number(authority));
  });
}

Result<std::int64_t> PostgresCrlStore::LastNumber(ca::AuthorityId authority, ca::CrlShard shard) {
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<std::int64_t> {
    return pqxx::nontransaction(connection)
        .exec_params("SELECT agentpki.last_crl_number($1, $2)", Number(authority), shard)
        .at(0)[0]
        .as<std::int64_t>();
  });
}

Status PostgresCrlStore::Publish(ca::HierarchyId hierarchy, const PublishedCrl& crl) {
  return pool_->Run([&](pqxx::connection& connection) -> Status {
    const pqxx::result rows =
        pqxx::nontransaction(connection)
            .exec_params("SELECT agentpki.publish_crl($1, $2, $3, $4, $5, $6, $7, $8)",
                         static_cast<int>(hierarchy), Number(crl.authority), crl.shard, crl.number,
                         crl.base_number, TimeText(crl.this_update), TimeText(crl.next_update),
                         pqxx::binarystring(crl.der));
    if (rows.at(0)[0].as<bool>()) return ca::Ok();
    return Error(StatusCode::kAlreadyExists,
                 "somebody else has published CRL {} of shard {} of authority {}, or a later one",
                 crl.number, crl.shard, Number(crl.authority));
  });
}

Result<std::vector<PublishedCrl>> PostgresCrlStore::LoadNewerThan(
    const std::vector<PublishedCrl>& known) {
  BinaryArray authorities(Element::kBigint), shards(Element::kBigint), numbers(Element::kBigint),
      base_numbers(Element::kBigint);
  for (const PublishedCrl& crl : known) {
    authorities.AddInt64(Number(crl.authority));
    shards.AddInt64(crl.shard);
    numbers.AddInt64(crl.number);
    base_numbers.AddInt64(crl.base_number);
  }
  using Crls = std::vector<PublishedCrl>;
  return pool_->RunRepeatable([&](pqxx::connection& connection) -> Result<Crls> {
    Crls newer;
    for (const pqxx::row& row :
         pqxx::nontransaction(connection)
             .exec_prepared("load_newer_crls", authorities.Parameter(), shards.Parameter(),
                            numbers.Parameter(), base_numbers.Parameter())) {
      newer.push_back(CrlOf(row));
    }
    return newer;
  });
}

}  // namespace db
