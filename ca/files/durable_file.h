#pragma once

#include <filesystem>
#include <string_view>

#include "ca/base/result.h"

// Files that are on the disk when it is said that they are.
namespace files {

// Closes a descriptor when it goes.
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

// "cannot VERB PATH: why", of errno: kNotFound, kPermissionDenied, or kUnavailable for the rest.
ca::Status FileError(std::string_view verb, const std::filesystem::path& path);

// All of `text` at the descriptor's place, and on the disk.
ca::Status WriteAndSync(const OpenFile& file, std::string_view text,
                        const std::filesystem::path& path);

// That files were made in it, or got another name.
ca::Status SyncFolder(const std::filesystem::path& folder);

// A new file, whole or not at all. kAlreadyExists when there is one: it stays as it is. A file
// whose name has kUnfinished behind it is written over, and gone then.
inline constexpr std::string_view kUnfinished = ".unfinished";
ca::Status WriteNewFile(const std::filesystem::path& path, std::string_view text);

}  // namespace files
