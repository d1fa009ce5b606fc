#include "ca/files/transcript_file.h"

#include <fcntl.h>
#include <google/protobuf/util/json_util.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "agentpki/v1/ceremony.pb.h"
#include "ca/base/bytes.h"
#include "ca/x509/credentials.h"

namespace files {
namespace {

namespace fs = std::filesystem;
using agentpki::v1::CeremonyTranscriptLine;
using ca::Error;
using ca::Result;
using ca::Status;
using ca::StatusCode;
using ca::TranscriptEntry;

const std::string kNoLine(64, '0');

Result<std::string> LineOf(const CeremonyTranscriptLine& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) {
    return Error(StatusCode::kInvalidArgument, "transcript: an entry has text that is no UTF-8");
  }
  return json + "\n";
}

Result<std::string> LineOf(const TranscriptEntry& entry, size_t number,
                           const std::string& previous) {
  CeremonyTranscriptLine message;
  message.set_number(static_cast<int>(number));
  message.set_time(ca::Rfc3339(entry.at));
  message.set_step(entry.step);
  message.set_event(entry.event);
  for (const std::string& witness : entry.witnesses) message.add_witnesses(witness);
  for (const std::string& fact : entry.facts) message.add_facts(fact);
  for (const std::string& input : entry.inputs) message.add_inputs(input);
  for (const std::string& output : entry.outputs) message.add_outputs(output);
  message.set_der(entry.der);
  message.set_previous(previous);
  return LineOf(message);
}

Status Wrong(size_t number, std::string_view what) {
  return Error(StatusCode::kInvalidArgument, "transcript: line {}: {}", number, what);
}

// Says whether an interrupted write of that line can have left this text. Any other text without a
// newline, such as a PIN, is not a transcript's, and must not be cut off.
bool IsBeginningOfLine(std::string_view text, size_t number) {
  const std::string beginning = fmt::format("{{\"number\":{},", number);
  return text.starts_with(beginning) || beginning.starts_with(text);
}

// `line` has its newline.
Result<TranscriptEntry> EntryOf(std::string_view line, size_t number, const std::string& previous) {
  CeremonyTranscriptLine message;
  const google::protobuf::StringPiece json(line.data(), line.size());
  if (!google::protobuf::util::JsonStringToMessage(json, &message).ok()) {
    return Wrong(number, "it is not a line of a transcript");
  }
  // An entry has only one spelling, so nothing can hide between its fields.
  const auto rewritten = LineOf(message);
  if (!rewritten.ok() || *rewritten != line) {
    return Wrong(number, "it is not as it was written");
  }
  if (message.number() != static_cast<int>(number)) {
    return Wrong(number, fmt::format("it is line {} of a transcript", message.number()));
  }
  if (message.previous() != previous) {
    return Wrong(number, "it does not follow the line before: one of the two was changed");
  }
  const auto at = ca::ParseRfc3339(message.time());
  if (!at.ok()) return Wrong(number, ca::MessageOf(at.status()));
  return TranscriptEntry{
      .at = *at,
      .step = message.step(),
      .event = message.event(),
      .witnesses = {message.witnesses().begin(), message.witnesses().end()},
      .facts = {message.facts().begin(), message.facts().end()},
      .inputs = {message.inputs().begin(), message.inputs().end()},
      .outputs = {message.outputs().begin(), message.outputs().end()},
      .der = message.der(),
  };
}

}  // namespace

Result<std::unique_ptr<TranscriptFile>> TranscriptFile::Open(const fs::path& path) {
  // std::make_unique cannot reach the private constructor.
  std::unique_ptr<TranscriptFile> transcript(new TranscriptFile(
      path, open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644)));
  const int descriptor = transcript->file_.get();
  if (descriptor < 0) return FileError("open", path);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FileError("lock", path);
    return Error(StatusCode::kFailedPrecondition,
                 "{}: another run has it; wait until that has ended", path.string());
  }
  TRY(SyncFolder(path.parent_path()));
  const std::string text = TRY(ca::ReadFile(path, kSizeMax));
  const size_t whole = TRY(transcript->Load(text));
  if (transcript->is_torn_ && ftruncate(descriptor, static_cast<off_t>(whole)) != 0) {
    return FileError("write", path);
  }
  transcript->is_torn_ = false;
  // A killed run may have left a line in the page cache only, and a key is about to sign by it.
  if (fsync(descriptor) != 0) return FileError("write", path);
  return transcript;
}

Result<std::unique_ptr<TranscriptFile>> TranscriptFile::Read(const fs::path& path) {
  const auto text = ca::ReadFile(path, kSizeMax);
  if (!text.ok() && text.status().code() != StatusCode::kNotFound) return text.status();
  return Parse(text.ok() ? *text : "");
}

Result<std::unique_ptr<TranscriptFile>> TranscriptFile::Parse(std::string_view text) {
  std::unique_ptr<TranscriptFile> transcript(new TranscriptFile("transcript", -1));
  TRY(transcript->Load(text).status());
  return transcript;
}

// Returns the size of the whole lines at the beginning.
Result<size_t> TranscriptFile::Load(std::string_view text) {
  digest_ = kNoLine;
  size_t at = 0;
  for (size_t end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
    const std::string_view line = text.substr(at, end + 1 - at);
    entries_.push_back(TRY(EntryOf(line, entries_.size() + 1, digest_)));
    digest_ = ca::Hex(ca::Sha256(line));
  }
  is_torn_ = at < text.size();
  if (is_torn_ && !IsBeginningOfLine(text.substr(at), entries_.size() + 1)) {
    return Wrong(entries_.size() + 1, "it is not a line of a transcript");
  }
  return at;
}

Status TranscriptFile::Append(const TranscriptEntry& entry) {
  if (file_.get() < 0) {
    return Error(StatusCode::kFailedPrecondition, "{}: it was opened to be read", path_.string());
  }
  if (is_broken_) {
    return Error(StatusCode::kUnavailable, "{}: a line could not be written; run again",
                 path_.string());
  }
  const size_t number = entries_.size() + 1;
  const std::string line = TRY(LineOf(entry, number, digest_));
  // An entry that cannot be read back is no record.
  auto read_back = TRY(EntryOf(line, number, digest_));
  if (read_back != entry) {
    return Error(StatusCode::kInternal, "transcript: an entry cannot be read back as it is");
  }
  const off_t end = lseek(file_.get(), 0, SEEK_END);
  const Status written = WriteAndSync(file_, line, path_);
  if (!written.ok()) {
    // Nothing has relied on the line yet. If it cannot be removed, the next run goes on from it.
    is_torn_ = end < 0 || ftruncate(file_.get(), end) != 0 || fsync(file_.get()) != 0;
    is_broken_ = true;
    return ca::Annotate(written,
                        fmt::format("{} {} is not in the transcript: ", entry.step, entry.event));
  }
  entries_.push_back(std::move(read_back));
  digest_ = ca::Hex(ca::Sha256(line));
  return ca::Ok();
}

}  // namespace files
