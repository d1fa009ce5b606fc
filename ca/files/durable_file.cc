#include "ca/files/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace files {
namespace {

namespace fs = std::filesystem;
using ca::Status;
using ca::StatusCode;

StatusCode CodeOf(int error) {
  if (error == ENOENT) return StatusCode::kNotFound;
  if (error == EACCES || error == EPERM) return StatusCode::kPermissionDenied;
  if (error == EEXIST) return StatusCode::kAlreadyExists;
  return StatusCode::kUnavailable;
}

}  // namespace

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status FileError(std::string_view verb, const fs::path& path) {
  const int error = errno;
  return ca::Error(CodeOf(error), "cannot {} {}: {}", verb, path.string(),
                   std::generic_category().message(error));
}

Status WriteAndSync(const OpenFile& file, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", path);
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file.get()) == 0 ? ca::Ok() : FileError("write", path);
}

Status SyncFolder(const fs::path& folder) {
  const OpenFile file(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || fsync(file.get()) != 0) return FileError("write", folder);
  return ca::Ok();
}

// An interruption leaves the file of the other name, and the next attempt writes over it.
Status WriteNewFile(const fs::path& path, std::string_view text) {
  const fs::path unfinished = path.string() + std::string(kUnfinished);
  {
    const OpenFile file(
        open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (file.get() < 0) return FileError("write", unfinished);
    TRY(WriteAndSync(file, text, unfinished));
  }
  if (renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0) {
    return FileError("write", path);
  }
  return SyncFolder(path.parent_path());
}

}  // namespace files
