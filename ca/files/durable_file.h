#pragma once

#include <filesystem>
#include <string_view>

#include "ca/base/result.h"

// Files whose content is on the disk when a function here returns Ok.
namespace files {

// Owns a file descriptor and closes it.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// "cannot VERB PATH: why", from errno: kNotFound, kPermissionDenied, kAlreadyExists, or
// kUnavailable for any other error.
ca::Status FileError(std::string_view verb, const std::filesystem::path& path);

// Writes all of `text` at the descriptor's position, to the disk.
ca::Status WriteAndSync(const OpenFile& file, std::string_view text,
                        const std::filesystem::path& path);

// Writes the folder itself to the disk, after files were made or renamed in it.
ca::Status SyncFolder(const std::filesystem::path& folder);

// Writes a new file, whole or not at all. kAlreadyExists if there is one, which stays as it is.
// Writes to PATH.unfinished first, over a file of that name, and then renames it.
inline constexpr std::string_view kUnfinished = ".unfinished";
ca::Status WriteNewFile(const std::filesystem::path& path, std::string_view text);

}  // namespace files
