#include "hsm/pin.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

// Octets of a secret on the stack. The destructor wipes them.
struct Buffer {
  // One more for the newline, and one more to see that the content is too long.
  std::array<char, kPinSizeMax + 2> octets;
  size_t size = 0;

  ~Buffer() { OPENSSL_cleanse(octets.data(), octets.size()); }
  std::string_view text() const { return {octets.data(), size}; }
};

ca::Status Refuse(const std::string& path, std::string_view what) {
  return Error(StatusCode::kFailedPrecondition, "PIN file {}: {}", ca::Printable(path), what);
}

ca::Status RefuseWithErrno(const std::string& path) {
  return Refuse(path, std::generic_category().message(errno));
}

// Checks the open file, not the path, so the checked file is the one that is read.
ca::Status CheckFile(const std::string& path, int file, mode_t forbidden, std::string_view fix) {
  struct stat status {};
  if (fstat(file, &status) != 0) return RefuseWithErrno(path);
  if (!S_ISREG(status.st_mode)) return Refuse(path, "is not a regular file");
  if ((status.st_mode & forbidden) != 0) {
    return Refuse(path, fmt::format("its mode is {:04o}, so others can reach the PIN; {}",
                                    status.st_mode & 07777, fix));
  }
  return ca::Ok();
}

ca::Status Read(const std::string& path, int file, Buffer& buffer) {
  while (buffer.size < buffer.octets.size()) {
    const ssize_t count =
        read(file, buffer.octets.data() + buffer.size, buffer.octets.size() - buffer.size);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return RefuseWithErrno(path);
    buffer.size += static_cast<size_t>(count);
  }
  return ca::Ok();
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

ca::Result<ca::Secret> ReadPin(const std::string& path, mode_t forbidden, std::string_view fix) {
  // O_NONBLOCK: opening a named pipe would wait for a writer.
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.number() < 0) return RefuseWithErrno(path);
  TRY(CheckFile(path, file.number(), forbidden, fix));
  Buffer buffer;
  TRY(Read(path, file.number(), buffer));

  std::string_view pin = buffer.text();
  if (pin.ends_with('\n')) pin.remove_suffix(1);
  if (pin.ends_with('\r')) pin.remove_suffix(1);
  if (pin.empty()) return Refuse(path, "is empty; write the PIN into it, on one line");
  if (pin.size() > kPinSizeMax) {
    return Refuse(path, fmt::format("is longer than {} octets; is it the PIN file?", kPinSizeMax));
  }
  // A PIN is UTF-8 text (PKCS#11). A control character is most likely a mistake.
  if (std::any_of(pin.begin(), pin.end(), IsControl)) {
    return Refuse(path, "has a second line or a control character; it must hold the PIN alone");
  }
  return ca::Secret(std::string(pin));
}

}  // namespace

ca::Result<ca::Secret> ReadPinFile(const std::string& path) {
  return ReadPin(path, S_IRWXG | S_IRWXO, fmt::format("run: chmod 600 {}", ca::Printable(path)));
}

ca::Result<ca::Secret> ReadPinCredential(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
    return Error(StatusCode::kFailedPrecondition,
                 "'{}' does not name a systemd credential; it must be a file name without a slash",
                 ca::Printable(name));
  }
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') {
    return Error(
        StatusCode::kFailedPrecondition,
        "systemd credential '{}': CREDENTIALS_DIRECTORY is not set; run as a systemd service "
        "that has LoadCredential={}:/path/to/file",
        ca::Printable(name), ca::Printable(name));
  }
  // systemd admits the service's user by an access control list, and stat shows the list's mask as
  // the group's bits: 0440. So only the bits of others are checked. The folder is closed to the
  // group.
  return ReadPin(fmt::format("{}/{}", folder, name), S_IRWXO,
                 "is CREDENTIALS_DIRECTORY systemd's own folder?");
}

}  // namespace hsm
