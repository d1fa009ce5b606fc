#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ca/ceremony/transcript.h"
#include "ca/files/durable_file.h"

namespace files {

// A transcript as a file. Each entry is one line of JSON (agentpki.v1.CeremonyTranscriptLine) with
// the SHA-256 of the line before.
class TranscriptFile final : public ca::Transcript {
 public:
  static constexpr size_t kSizeMax = 16 * 1024 * 1024;

  // Opens the file to append to it, and creates it if it does not exist. This process holds a lock
  // on it until the object is destroyed; kFailedPrecondition while another process holds it. Cuts
  // off the rest of an interrupted write at the end, which was never acknowledged. All entries are
  // on the disk when it returns. kInvalidArgument names the line that was changed.
  static ca::Result<std::unique_ptr<TranscriptFile>> Open(const std::filesystem::path& path);
  // Opens the file to read it. A missing file has no entries.
  static ca::Result<std::unique_ptr<TranscriptFile>> Read(const std::filesystem::path& path);
  // The same for a text.
  static ca::Result<std::unique_ptr<TranscriptFile>> Parse(std::string_view text);

  const std::vector<ca::TranscriptEntry>& entries() const override { return entries_; }
  ca::Status Append(const ca::TranscriptEntry& entry) override;

  // SHA-256 of the last line with its newline, as `tail -n 1 FILE | sha256sum` prints it: people
  // write it down. 64 zeros if there is no line.
  const std::string& digest() const { return digest_; }
  // Says whether the file ends in the rest of an interrupted write.
  bool is_torn() const { return is_torn_; }

 private:
  TranscriptFile(std::filesystem::path path, int descriptor)
      : path_(std::move(path)), file_(descriptor) {}
  ca::Result<size_t> Load(std::string_view text);

  const std::filesystem::path path_;
  const OpenFile file_;
  std::vector<ca::TranscriptEntry> entries_;
  std::string digest_;
  bool is_torn_ = false;
  bool is_broken_ = false;  // a line could not be written
};

}  // namespace files
