#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ca/ceremony/transcript.h"
#include "ca/files/durable_file.h"

namespace files {

// A transcript as a file: a line of JSON each (agentpki.v1.CeremonyTranscriptLine), which has the
// SHA-256 of the line before.
class TranscriptFile final : public ca::Transcript {
 public:
  static constexpr size_t kSizeMax = 16 * 1024 * 1024;

  // To append to; made when it is not there. For this process alone, until it goes:
  // kFailedPrecondition while another has it. What an interrupted write left at its end is cut off:
  // it was never acknowledged. What is there is durable. kInvalidArgument naming the line that is
  // not as it was written.
  static ca::Result<std::unique_ptr<TranscriptFile>> Open(const std::filesystem::path& path);
  // To read. One that is not there has no entries.
  static ca::Result<std::unique_ptr<TranscriptFile>> Read(const std::filesystem::path& path);
  // The same of a text.
  static ca::Result<std::unique_ptr<TranscriptFile>> Parse(std::string_view text);

  const std::vector<ca::TranscriptEntry>& entries() const override { return entries_; }
  ca::Status Append(const ca::TranscriptEntry& entry) override;

  // SHA-256 of its last line with its newline, as `tail -n 1 FILE | sha256sum` has it: people write
  // it down. 64 zeros when there is none.
  const std::string& digest() const { return digest_; }
  // Whether an interrupted write left something at its end.
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
