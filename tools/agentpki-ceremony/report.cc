#include "tools/agentpki-ceremony/report.h"

#include "agentpki/v1/ceremony.pb.h"

namespace ceremony {
namespace {

// Digits in groups of four, so that people can read them out and write them down.
std::string Grouped(std::string_view digits) {
  std::string text;
  for (size_t i = 0; i < digits.size(); i += 4) {
    text += (text.empty() ? "" : " ") + std::string(digits.substr(i, 4));
  }
  return text;
}

void PrintProducts(const std::vector<ca::CeremonyProduct>& products) {
  client::Table table({"STEP", "FILE", "SHA-256 OF ITS DER"});
  for (const ca::CeremonyProduct& product : products) {
    table.Add({product.step, product.file, ca::Hex(ca::Sha256(product.der))});
  }
  if (!table.empty()) table.Print();
}

void PrintDigest(const files::TranscriptFile& transcript) {
  fmt::print("\nthe transcript has {} lines; write down the SHA-256 of the last line:\n  {}\n",
             transcript.entries().size(), Grouped(transcript.digest()));
}

}  // namespace

void PrintPlan(const files::CeremonyFile& file, const std::vector<ca::CeremonyStep>& steps,
               client::Format format) {
  if (format == client::Format::kJson) {
    agentpki::v1::CeremonyPlan plan;
    plan.set_ceremony(file.script.name);
    plan.set_file_sha256(ca::Hex(file.script.digest));
    for (const ca::CeremonyStep& step : steps) {
      auto& entry = *plan.add_steps();
      entry.set_name(step.name);
      entry.set_state(std::string(NameOf(step.state)));
      entry.set_text(step.text);
      entry.set_note(step.note);
    }
    fmt::print("{}\n", client::ToJson(plan));
    return;
  }
  fmt::print("{}, from {} with the SHA-256\n  {}\n\n", file.script.name, file.script.file,
             Grouped(ca::Hex(file.script.digest)));
  client::Table table({"STEP", "STATE", "ACTION"});
  for (const ca::CeremonyStep& step : steps) {
    table.Add({step.name, std::string(NameOf(step.state)),
               step.note.empty() ? step.text : fmt::format("{}; {}", step.text, step.note)});
  }
  table.Print();
}

void PrintVerification(const files::CeremonyFile& file, const files::TranscriptFile& transcript,
                       const std::vector<ca::CeremonyProduct>& products,
                       const std::vector<std::string>& differences, client::Format format) {
  if (format == client::Format::kJson) {
    agentpki::v1::CeremonyVerification verification;
    verification.set_ceremony(file.script.name);
    verification.set_transcript_sha256(transcript.digest());
    verification.set_transcript_lines(static_cast<int>(transcript.entries().size()));
    for (const ca::CeremonyProduct& product : products) {
      auto& entry = *verification.add_products();
      entry.set_step(product.step);
      entry.set_file(product.file);
      entry.set_sha256(ca::Hex(ca::Sha256(product.der)));
    }
    for (const std::string& difference : differences) verification.add_differences(difference);
    fmt::print("{}\n", client::ToJson(verification));
    return;
  }
  PrintProducts(products);
  PrintDigest(transcript);
  for (const std::string& difference : differences) fmt::print("\nDIFFERS  {}\n", difference);
}

void PrintSummary(const files::CeremonyFile& file, const files::TranscriptFile& transcript,
                  const std::vector<ca::CeremonyProduct>& products) {
  const ca::CeremonyScript& script = file.script;
  PrintProducts(products);
  PrintDigest(transcript);
  fmt::print(
      "\ncarry to the online machine:\n"
      "  {}: copy its content into the hierarchy's file, under root: external_certificates:\n",
      script.root.certificate);
  for (const ca::IssuingOrder& order : script.issuing) {
    if (!transcript.Find(StepOf(order), ca::kSigned)) continue;
    fmt::print("  {}: agentpki authority import {}/issuing/{} --certificate {}\n",
               order.certificate, script.hierarchy.Name(), order.generation, order.certificate);
  }
  for (size_t number = 1; number <= script.crls.size(); ++number) {
    if (!transcript.Find(ca::StepOfCrl(number), ca::kSigned)) continue;
    if (number == script.crls.size() || !transcript.Find(ca::StepOfCrl(number + 1), ca::kSigned)) {
      fmt::print("  {}: publish it where relying parties fetch the root's CRL\n",
                 script.crls[number - 1].file);
    }
  }
}

}  // namespace ceremony
