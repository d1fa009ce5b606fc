#include "ca/x509/credentials.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace ca {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileSizeMax = 256 * 1024;
constexpr std::array<std::string_view, 5> kFiles = {"key.pem", "cert.pem", "bundle.pem", "server",
                                                    "server-ca.pem"};

Status FileError(std::string_view what, const fs::path& path, int error) {
  const StatusCode code = error == ENOENT   ? StatusCode::kNotFound
                          : error == EACCES ? StatusCode::kPermissionDenied
                                            : StatusCode::kUnavailable;
  return Error(code, "{} {}: {}", what, path.string(), std::generic_category().message(error));
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Status WriteFile(const fs::path& path, std::string_view text, mode_t mode) {
  const File file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return FileError("cannot create", path, errno);
  while (!text.empty()) {
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written < 0) return FileError("cannot write", path, errno);
    text.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.get()) != 0) return FileError("cannot write", path, errno);
  return Ok();
}

Status SyncFolder(const fs::path& folder) {
  const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || fsync(file.get()) != 0) return FileError("cannot write", folder, errno);
  return Ok();
}

// A new folder, which the destructor removes unless it was moved away.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Beside(const fs::path& folder) {
    std::string name = folder.string() + ".new-XXXXXX";
    if (mkdtemp(name.data()) == nullptr)
      return FileError("cannot create a folder beside", folder, errno);
    return TemporaryFolder(name);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
  fs::path path_;
};

// A folder may be replaced if it has no files but ours.
Status CheckReplaceable(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (std::find(kFiles.begin(), kFiles.end(), name) == kFiles.end()) {
      return Error(StatusCode::kFailedPrecondition,
                   "{} has other files in it ('{}'); name a folder that is for credentials alone",
                   folder.string(), Printable(name));
    }
  }
  if (error) return FileError("cannot read", folder, error.value());
  return Ok();
}

// Swaps the two: afterwards the new folder is at `folder`, and the old one, if any, at `made`.
Status Swap(const fs::path& made, const fs::path& folder) {
  if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0)
    return Ok();
  if (errno == ENOENT && rename(made.c_str(), folder.c_str()) == 0) return Ok();
  if (errno == EBUSY) {
    return Error(StatusCode::kFailedPrecondition,
                 "{} is a mount point and cannot be replaced in one step; name a folder below it",
                 folder.string());
  }
  return FileError("cannot replace", folder, errno);
}

// The new folder gets the owner and the mode of the old one.
Status TakeOwnership(const fs::path& old_folder, const fs::path& made) {
  struct stat status {};
  if (stat(old_folder.c_str(), &status) != 0) return FileError("cannot read", old_folder, errno);
  if (chmod(made.c_str(), status.st_mode & 07777) != 0)
    return FileError("cannot change", made, errno);
  if (status.st_uid == geteuid() && status.st_gid == getegid()) return Ok();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(made, error)) {
    if (lchown(entry.path().c_str(), status.st_uid, status.st_gid) != 0) {
      return FileError("cannot change the owner of", entry.path(), errno);
    }
  }
  if (error || lchown(made.c_str(), status.st_uid, status.st_gid) != 0) {
    return FileError("cannot change the owner of", made, errno);
  }
  return Ok();
}

fs::path Tidy(const fs::path& folder) {
  const fs::path absolute = fs::absolute(folder).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

}  // namespace

Status Credentials::Write(const fs::path& given) const {
  const fs::path folder = Tidy(given);
  std::error_code error;
  const bool exists = fs::exists(folder, error);
  if (exists) {
    TRY(CheckReplaceable(folder));
  } else {
    fs::create_directories(folder.parent_path(), error);
    if (error) return FileError("cannot create", folder.parent_path(), error.value());
  }
  // The swap moves it away, or leaves the old files in it.
  const TemporaryFolder made = TRY(TemporaryFolder::Beside(folder));
  if (!key_pem.empty()) TRY(WriteFile(made.path() / "key.pem", key_pem.Reveal(), 0600));
  if (key_pem.empty() && exists && fs::exists(folder / "key.pem", error)) {
    // The holder made this key and put it here, so it stays.
    const Secret kept(TRY(ReadFile(folder / "key.pem", kFileSizeMax)));
    TRY(WriteFile(made.path() / "key.pem", kept.Reveal(), 0600));
  }
  TRY(WriteFile(made.path() / "cert.pem", cert_pem, 0644));
  TRY(WriteFile(made.path() / "bundle.pem", bundle_pem, 0644));
  TRY(WriteFile(made.path() / "server", server + "\n", 0644));
  TRY(WriteFile(made.path() / "server-ca.pem", server_ca_pem, 0644));
  if (exists) TRY(TakeOwnership(folder, made.path()));
  TRY(SyncFolder(made.path()));
  TRY(Swap(made.path(), folder));
  return SyncFolder(folder.parent_path());
}

Result<Credentials> Credentials::Read(const fs::path& folder) {
  const auto read = [&](std::string_view name) { return ReadFile(folder / name, kFileSizeMax); };
  struct stat status {};
  const fs::path key = folder / "key.pem";
  if (stat(key.c_str(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(StatusCode::kFailedPrecondition, "{} can be read by others; run: chmod 600 {}",
                 key.string(), key.string());
  }
  Credentials credentials;
  credentials.key_pem = Secret(TRY(read("key.pem")));
  credentials.cert_pem = TRY(read("cert.pem"));
  credentials.bundle_pem = TRY(read("bundle.pem"));
  credentials.server = TRY(read("server"));
  credentials.server_ca_pem = TRY(read("server-ca.pem"));
  while (credentials.server.ends_with('\n')) credentials.server.pop_back();
  return credentials;
}

std::string PemOf(const std::vector<Bytes>& certificates) {
  std::string text;
  for (const Bytes& certificate : certificates) text += Pem("CERTIFICATE", certificate);
  return text;
}

Result<std::string> ReadFile(const fs::path& path, size_t size_max) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return FileError("cannot open", path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return FileError("cannot read", path, errno);
  if (S_ISDIR(status.st_mode)) {
    return Error(StatusCode::kInvalidArgument, "{} is a folder, not a file", path.string());
  }
  std::string text(size_max + 1, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(file.get(), text.data() + size, text.size() - size);
    if (count < 0) return FileError("cannot read", path, errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > size_max) {
    return Error(StatusCode::kInvalidArgument, "{} is larger than {} octets", path.string(),
                 size_max);
  }
  text.resize(size);
  return text;
}

}  // namespace ca
