// Transcripts on disk: each line is durable and unchanged, and one process writes at a time.

#include "ca/files/transcript_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "ca/files/carried_folder.h"
#include "ca/x509/credentials.h"
#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"
#include "tests/fakes/temporary_folder.h"

namespace files {
namespace {

using ca::StatusCode;
using ca::TranscriptEntry;
using ca::testing::Must;
using ca::testing::Says;

TranscriptEntry Entry(int second, std::string step) {
  return {.at = ca::TimePoint(std::chrono::seconds(1'795'521'600 + second)),
          .step = std::move(step),
          .event = "recorded",
          .witnesses = {"Ada", "Grégoire"},
          .facts = {"root.lifetime: 7300d", "a: \"b\" \\ </script>"},
          .inputs = {std::string(64, 'a') + "  issuing-1.csr"},
          .outputs = {},
          .der = std::string("\x30\x00\xff", 3)};
}

class TranscriptFileTest : public ::testing::Test {
 protected:
  std::string Text() { return Must(ca::ReadFile(path_, TranscriptFile::kSizeMax)); }
  void Write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  // Three lines, each with its newline.
  std::vector<std::string> WriteThree() {
    const auto transcript = Must(TranscriptFile::Open(path_));
    std::vector<std::string> lines;
    for (int i = 0; i < 3; ++i) {
      const size_t before = Text().size();
      Must(transcript->Append(Entry(i, fmt::format("issuing/{}", i))));
      lines.push_back(Text().substr(before));
    }
    return lines;
  }

  const ca::testing::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "transcript.jsonl";
};

TEST_F(TranscriptFileTest, KeepsWhatIsAppended) {
  {
    const auto transcript = Must(TranscriptFile::Open(path_));
    EXPECT_TRUE(transcript->entries().empty());
    Must(transcript->Append(Entry(0, "root")));
  }
  const auto again = Must(TranscriptFile::Open(path_));
  Must(again->Append(Entry(1, "crl/1")));
  const auto read = Must(TranscriptFile::Read(path_));
  EXPECT_EQ(read->entries(), (std::vector{Entry(0, "root"), Entry(1, "crl/1")}));
}

TEST_F(TranscriptFileTest, IsAnEmptyOneWhereThereIsNone) {
  const auto read = Must(TranscriptFile::Read(path_));
  EXPECT_TRUE(read->entries().empty());
  EXPECT_EQ(read->digest(), std::string(64, '0'));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(TranscriptFileTest, HasTheDigestOfItsLastLine) {
  const auto lines = WriteThree();
  EXPECT_EQ(Must(TranscriptFile::Read(path_))->digest(), ca::Hex(ca::Sha256(lines[2])));
  EXPECT_NE(lines[2].find(ca::Hex(ca::Sha256(lines[1]))), std::string::npos);
}

TEST_F(TranscriptFileTest, IsForOneRunAtATime) {
  auto first = Must(TranscriptFile::Open(path_));
  EXPECT_TRUE(Says(TranscriptFile::Open(path_).status(), StatusCode::kFailedPrecondition,
                   "another run has it"));
  first.reset();
  EXPECT_TRUE(TranscriptFile::Open(path_).ok());
}

// Changes each octet of each line but the last: the chain of digests detects it.
TEST_F(TranscriptFileTest, FindsAnyOctetThatWasChanged) {
  const auto lines = WriteThree();
  const std::string whole = Text();
  const size_t last = whole.size() - lines[2].size();
  for (size_t at = 0; at < last; ++at) {
    for (const char change : {'\x01', '\x20'}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ change);
      EXPECT_FALSE(TranscriptFile::Parse(changed).ok()) << "octet " << at;
    }
  }
}

// No other line has the digest of the last one, so people write it down.
TEST_F(TranscriptFileTest, HasAnotherDigestWhenTheLastLineWasChanged) {
  const auto lines = WriteThree();
  const std::string whole = Text();
  const std::string digest = Must(TranscriptFile::Parse(whole))->digest();
  for (size_t at = whole.size() - lines[2].size(); at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const auto read = TranscriptFile::Parse(changed);
    EXPECT_TRUE(!read.ok() || (*read)->digest() != digest) << "octet " << at;
  }
}

TEST_F(TranscriptFileTest, FindsLinesThatAreGoneDoubledOrInAnotherOrder) {
  const auto l = WriteThree();
  for (const std::string& text : {l[1] + l[2], l[0] + l[2], l[0] + l[0] + l[1], l[1] + l[0] + l[2],
                                  l[0] + "\n" + l[1], "\n" + l[0]}) {
    EXPECT_TRUE(Says(TranscriptFile::Parse(text).status(), StatusCode::kInvalidArgument,
                     "transcript: line "))
        << text;
  }
}

TEST_F(TranscriptFileTest, RefusesWhatIsNoLineOfItsOwn) {
  WriteThree();
  const std::string whole = Text();
  const std::string line = whole.substr(0, whole.find('\n'));
  const std::string rest = line.substr(1);
  for (const std::string& text : {
           std::string("{}"),
           std::string("null"),
           std::string("[]"),
           std::string("\"x\""),
           "{\"number\":1," + rest,  // twice
           "{\"hidden\":1," + rest,  // unknown
           "{ " + rest,              // another spelling
           line + " ",
           line + "{}",
           line.substr(0, line.size() / 2),
           std::string(1'000'000, '['),
           std::string("\0\0\0\0", 4),
       }) {
    EXPECT_FALSE(TranscriptFile::Parse(text + "\n").ok()) << text.substr(0, 80);
  }
}

// An interrupted write was never acknowledged, so no key has signed by it.
TEST_F(TranscriptFileTest, CutsOffWhatAnInterruptedWriteLeft) {
  const auto lines = WriteThree();
  const std::string two = lines[0] + lines[1];
  for (size_t size = 1; size < lines[2].size(); size += 47) {
    Write(two + lines[2].substr(0, size));
    const auto read = Must(TranscriptFile::Read(path_));
    EXPECT_TRUE(read->is_torn());
    EXPECT_EQ(read->entries().size(), 2u);
    const auto opened = Must(TranscriptFile::Open(path_));
    EXPECT_FALSE(opened->is_torn());
    EXPECT_EQ(Text(), two);
    Must(opened->Append(Entry(2, "issuing/2")));
    EXPECT_EQ(Text(), two + lines[2]);
  }
}

// For example a PIN file, which the script names as its transcript by mistake.
TEST_F(TranscriptFileTest, CutsOffNothingThatIsNoLineOfItsOwn) {
  const auto lines = WriteThree();
  for (const std::string& text :
       {std::string("1234"), std::string("{\"number\":2,"), std::string("{}"), lines[0] + "1234",
        lines[0] + lines[0].substr(0, 20)}) {
    Write(text);
    EXPECT_TRUE(Says(TranscriptFile::Open(path_).status(), StatusCode::kInvalidArgument,
                     "it is not a line of a transcript"))
        << text;
    EXPECT_EQ(Text(), text);
  }
}

TEST_F(TranscriptFileTest, TakesBackALineThatCouldNotBeWrittenWhole) {
  const auto transcript = Must(TranscriptFile::Open(path_));
  Must(transcript->Append(Entry(0, "root")));
  const std::string one = Text();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full{one.size() + 10, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const ca::Status refused = transcript->Append(Entry(1, "crl/1"));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(Says(refused, StatusCode::kUnavailable, "crl/1 recorded is not in the transcript"));
  EXPECT_EQ(Text(), one);
  EXPECT_EQ(transcript->entries().size(), 1u);
  EXPECT_TRUE(Says(transcript->Append(Entry(1, "crl/1")), StatusCode::kUnavailable, "run again"));
}

TEST_F(TranscriptFileTest, AppendsNothingThatCannotBeReadBack) {
  const auto transcript = Must(TranscriptFile::Open(path_));
  TranscriptEntry entry = Entry(0, "root");
  entry.witnesses = {"\xff\xfe"};
  EXPECT_FALSE(transcript->Append(entry).ok());
  entry = Entry(0, "root");
  entry.at += std::chrono::microseconds(1);
  EXPECT_FALSE(transcript->Append(entry).ok());
  EXPECT_EQ(Text(), "");
  Must(transcript->Append(Entry(0, "root")));
}

TEST_F(TranscriptFileTest, AppendsToNoneThatWasOpenedToBeRead) {
  const auto transcript = Must(TranscriptFile::Read(path_));
  EXPECT_EQ(transcript->Append(Entry(0, "root")).code(), StatusCode::kFailedPrecondition);
}

// ---- the files beside it ------------------------------------------------------------------------

TEST_F(TranscriptFileTest, WritesFilesOnceAndOverwritesNone) {
  CarriedFolder files(folder_.path());
  EXPECT_EQ(Must(files.Read("root.pem")), std::nullopt);
  Must(files.Write("root.pem", "one"));
  Must(files.Write("root.pem", "one"));
  EXPECT_TRUE(Says(files.Write("root.pem", "two"), StatusCode::kAlreadyExists, "is not what was"));
  EXPECT_EQ(Must(files.Read("root.pem")), "one");
}

TEST_F(TranscriptFileTest, WritesAFileOverWhatAnInterruptionLeft) {
  CarriedFolder files(folder_.path());
  std::ofstream(folder_.path() / "root.pem.unfinished") << "half of i";
  Must(files.Write("root.pem", "one"));
  EXPECT_EQ(Must(files.Read("root.pem")), "one");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "root.pem.unfinished"));
}

TEST_F(TranscriptFileTest, SaysWhereAFileCannotBeWritten) {
  CarriedFolder files(folder_.path());
  EXPECT_TRUE(Says(files.Write("none/root.pem", "one"), StatusCode::kNotFound, "none/root.pem"));
}

}  // namespace
}  // namespace files
