// agentpki-ceremony plan|run|verify: an offline root from one reviewed file.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>

#include "ca/base/core_dumps.h"
#include "ca/ceremony/audit.h"
#include "ca/ceremony/ceremony.h"
#include "ca/files/carried_folder.h"
#include "ca/files/ceremony_file.h"
#include "ca/files/transcript_file.h"
#include "hsm/pin.h"
#include "hsm/token_key_store.h"
#include "tools/agentpki-ceremony/crl_encoding.h"
#include "tools/agentpki-ceremony/report.h"
#include "tools/agentpki-ceremony/terminal.h"

namespace {

using ca::Result;
using ca::StatusCode;

// 64 and 75 are EX_USAGE and EX_TEMPFAIL of sysexits.h.
constexpr int kExitRefused = 1;
constexpr int kExitUsage = 64;
constexpr int kExitWaits = 75;

constexpr char kDescription[] =
    "agentpki-ceremony makes an offline root on a machine without a network: its key on a token, "
    "and its certificates and CRLs, from one reviewed file. It writes each step to a transcript "
    "before it uses the key, so you can interrupt it and run it again.\n\n"
    "  agentpki-ceremony plan -f FILE\n"
    "  agentpki-ceremony run -f FILE\n"
    "  agentpki-ceremony verify -f FILE";
constexpr char kFooter[] =
    "Exit status: 0 done; 1 refused, failed, or 'verify' found a difference; 64 wrong usage; 75 "
    "all possible steps are done, and the others wait for files that you must bring.";

struct Options {
  std::string file;
  client::Format format = client::Format::kTable;
  bool yes = false;
  std::string digest;  // of the transcript, as people wrote it down; "" for no check
};

void PrintError(std::string_view text) { fmt::print(stderr, "agentpki-ceremony: {}\n", text); }

// Prints the steps that wait. Returns the exit status.
int ReportWaiting(const std::vector<ca::CeremonyStep>& steps) {
  std::string text;
  for (const ca::CeremonyStep& step : steps) {
    if (step.state != ca::CeremonyStep::State::kWaiting) continue;
    text += fmt::format("{}{} waits: {}", text.empty() ? "" : "; ", step.name, step.note);
  }
  if (text.empty()) return 0;
  PrintError(text);
  return kExitWaits;
}

// These three return the exit status.
Result<int> Plan(const Options& options) {
  const auto file = TRY(files::LoadCeremonyFile(options.file));
  const auto transcript = TRY(files::TranscriptFile::Read(file.folder / file.script.transcript));
  const files::CarriedFolder folder(file.folder);
  const ceremony::CrlEncoding crls;
  const ca::CeremonyRecord record(file.script, *transcript, crls);
  const auto steps = TRY(ca::CeremonyPlan(record, folder).All());
  ceremony::PrintPlan(file, steps, options.format);
  return ReportWaiting(steps);
}

Result<std::shared_ptr<ca::KeyStore>> OpenToken(const files::CeremonyFile& file) {
  auto store = hsm::TokenKeyStore::Open({
      .module_path = file.module,
      .token_label = file.script.token_label,
      .read_pin = [pin = (file.folder / file.pin_file).string()] { return hsm::ReadPinFile(pin); },
  });
  if (!store.ok()) return ca::Annotate(store.status(), "token: ");
  return std::shared_ptr<ca::KeyStore>(*std::move(store));
}

Result<int> Run(const Options& options) {
  const auto file = TRY(files::LoadCeremonyFile(options.file));
  const auto transcript = TRY(files::TranscriptFile::Open(file.folder / file.script.transcript));
  files::CarriedFolder folder(file.folder);
  const ceremony::CrlEncoding crls;
  ceremony::Terminal terminal(options.yes);
  const ca::SystemClock clock;
  ca::Ceremony ceremony(
      file.script, {*transcript, folder, crls, [&] { return OpenToken(file); }, terminal, clock});
  TRY(ceremony.Run());

  const ca::CeremonyRecord record(file.script, *transcript, crls);
  const auto products = TRY(record.Products());
  ceremony::PrintSummary(file, *transcript, products);
  const auto steps = TRY(ca::CeremonyPlan(record, folder).All());
  return ReportWaiting(steps);
}

// People write the digits down in groups, and perhaps in capitals.
std::string NormalizedDigest(std::string text) {
  std::erase(text, ' ');
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Result<int> Verify(const Options& options) {
  const auto file = TRY(files::LoadCeremonyFile(options.file));
  const auto transcript = TRY(files::TranscriptFile::Read(file.folder / file.script.transcript));
  const files::CarriedFolder folder(file.folder);
  const ceremony::CrlEncoding crls;
  const ca::CeremonyRecord record(file.script, *transcript, crls);
  auto differences = DifferencesOf(record, folder);
  if (transcript->entries().empty()) {
    differences.push_back(file.script.transcript + ": there is no transcript");
  }
  if (transcript->is_torn()) {
    differences.push_back(
        "transcript: its last line is incomplete; run 'agentpki-ceremony run' again to go on");
  }
  if (!options.digest.empty() && NormalizedDigest(options.digest) != transcript->digest()) {
    differences.push_back(
        "transcript: the SHA-256 of its last line is not the one that was written down");
  }
  // An error if the transcript is out of order. Then there are no products to print.
  const auto products = record.Products();
  ceremony::PrintVerification(file, *transcript,
                              products.ok() ? *products : std::vector<ca::CeremonyProduct>(),
                              differences, options.format);
  if (differences.empty()) return 0;
  return ca::Error(StatusCode::kFailedPrecondition, "{} differences", differences.size());
}

int ExitStatusOf(const Result<int>& done) {
  if (done.ok()) return *done;
  PrintError(ca::MessageOf(done.status()));
  return kExitRefused;
}

}  // namespace

int main(int argc, char** argv) {
  ca::ForbidCoreDumps();

  CLI::App app(kDescription, "agentpki-ceremony");
  app.footer(kFooter);
  app.set_version_flag("--version", AGENTPKI_VERSION);
  app.require_subcommand(1);
  Options options;
  const auto add_command = [&](const char* name, const char* description) {
    CLI::App* const command = app.add_subcommand(name, description);
    command->add_option("-f,--file", options.file, "The ceremony file (YAML)")
        ->required()
        ->type_name("FILE");
    return command;
  };
  const auto add_output = [&](CLI::App& command) {
    command.add_option("--output", options.format, "Output format: table, or json for programs")
        ->transform(CLI::CheckedTransformer(std::map<std::string, client::Format>{
            {"table", client::Format::kTable}, {"json", client::Format::kJson}}))
        ->option_text("table|json");
  };
  CLI::App* const plan = add_command("plan", "Show each step: done, due or waiting.");
  CLI::App* const run =
      add_command("run", "Do the steps that are due. Asks before each step. Safe to repeat.");
  CLI::App* const verify =
      add_command("verify", "Check the transcript and all written files again. Needs no token.");
  verify
      ->add_option("--digest", options.digest,
                   "The transcript's SHA-256, which was written down at the end of the last run")
      ->type_name("HEX");
  add_output(*plan);
  add_output(*verify);
  run->add_flag("--yes", options.yes,
                "Do not ask before each step, only for keys that the file does not pin");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kExitUsage;
  }
  const int exit_status = ExitStatusOf(plan->parsed()  ? Plan(options)
                                       : run->parsed() ? Run(options)
                                                       : Verify(options));
  // If a token hung, a thread is left in its module. Unloading the module would crash, so _exit.
  std::fflush(nullptr);
  _exit(exit_status);
}
