#include "tools/client/pending_request.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "ca/x509/credentials.h"

namespace client {
namespace {

namespace fs = std::filesystem;
using ca::Result;
using ca::Status;

constexpr size_t kFileSizeMax = 64 * 1024;

fs::path FolderOf(const fs::path& out) {
  const fs::path tidy = fs::absolute(out).lexically_normal();
  return (tidy.has_filename() ? tidy : tidy.parent_path()).string() + ".pending";
}

Status CannotWrite(const fs::path& path) {
  return ca::Error(ca::StatusCode::kUnavailable, "cannot write {}: {}", path.string(),
                   std::generic_category().message(errno));
}

Status WriteDurably(const fs::path& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return CannotWrite(path);
  const bool written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(file) == 0;
  const Status outcome = written ? ca::Ok() : CannotWrite(path);
  close(file);
  return outcome;
}

// The first line of the file `request`. Another purpose or key has another first line.
std::string SubjectOf(const std::string& purpose, const RequestedKey& key) {
  const auto* const csr = std::get_if<ca::Bytes>(&key);
  return purpose + (csr ? " csr " + ca::Hex(ca::Sha256(*csr))
                        : " key " + std::string(ca::NameOf(std::get<ca::KeyType>(key))));
}

struct Found {
  ca::RequestId id;
  std::optional<ca::SubjectKey> key;
};

// None if the files are incomplete, have another subject, or are too old to be repeated.
std::optional<Found> Find(const fs::path& folder, const std::string& subject, bool with_key,
                          ca::TimePoint now) {
  const auto request = ca::ReadFile(folder / "request", kFileSizeMax);
  if (!request.ok() || !request->starts_with(subject + "\n")) return std::nullopt;
  std::string id_text = request->substr(subject.size() + 1);
  while (id_text.ends_with('\n')) id_text.pop_back();
  auto id = ca::RequestId::Parse(id_text, now);
  if (!id.ok()) return std::nullopt;
  if (!with_key) return Found{*std::move(id), std::nullopt};
  auto pem = ca::ReadFile(folder / "key.pem", kFileSizeMax);
  if (!pem.ok()) return std::nullopt;
  auto key = ca::SubjectKey::FromPem(ca::Secret(*std::move(pem)));
  if (!key.ok()) return std::nullopt;
  return Found{*std::move(id), *std::move(key)};
}

}  // namespace

Result<PendingRequest> PendingRequest::Begin(const fs::path& out, const std::string& purpose,
                                             const RequestedKey& requested,
                                             const ca::Clock& clock) {
  const fs::path folder = FolderOf(out);
  const std::string subject = SubjectOf(purpose, requested);
  const auto* const given_csr = std::get_if<ca::Bytes>(&requested);
  const auto csr_of = [&](const std::optional<ca::SubjectKey>& key) {
    return given_csr ? *given_csr : key->Csr(std::nullopt);
  };
  if (auto found = Find(folder, subject, !given_csr, clock.Now())) {
    ca::Bytes csr = csr_of(found->key);
    return PendingRequest(folder, std::move(found->id), std::move(found->key), std::move(csr));
  }

  ca::RequestId id = ca::RequestId::New(clock.Now());
  std::optional<ca::SubjectKey> key;
  if (!given_csr) key = TRY(ca::SubjectKey::Generate(std::get<ca::KeyType>(requested)));
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return CannotWrite(folder);
  // The file `request` is written last: if it is there, the key is complete.
  if (key) TRY(WriteDurably(folder / "key.pem", key->ToPem().Reveal()));
  TRY(WriteDurably(folder / "request", subject + "\n" + id.ToString() + "\n"));
  ca::Bytes csr = csr_of(key);
  return PendingRequest(folder, std::move(id), std::move(key), std::move(csr));
}

void PendingRequest::End() const {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace client
