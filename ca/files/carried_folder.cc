#include "ca/files/carried_folder.h"

#include "ca/ceremony/script.h"
#include "ca/files/durable_file.h"
#include "ca/x509/credentials.h"

namespace files {

// A ceremony's script refuses file names that end so; both have to mean the same ending.
static_assert(kUnfinished == ca::CeremonyScript::kUnfinished);

ca::Result<std::optional<std::string>> CarriedFolder::Read(const std::string& name) const {
  auto content = ca::ReadFile(folder_ / name, kSizeMax);
  if (content.status().code() == ca::StatusCode::kNotFound) return std::optional<std::string>();
  if (!content.ok()) return content.status();
  return std::optional(*std::move(content));
}

ca::Status CarriedFolder::Write(const std::string& name, const std::string& content) {
  const auto there = TRY(Read(name));
  if (there == content) return ca::Ok();
  if (there) {
    return ca::Error(ca::StatusCode::kAlreadyExists,
                     "{} is there, and is not what was signed: move it away, and it is written "
                     "again",
                     (folder_ / name).string());
  }
  return WriteNewFile(folder_ / name, content);
}

}  // namespace files
