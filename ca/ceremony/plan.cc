#include "ca/ceremony/plan.h"

#include <algorithm>

namespace ca {

std::string_view NameOf(CeremonyStep::State state) {
  switch (state) {
    case CeremonyStep::State::kWaiting:
      return "waiting";
    case CeremonyStep::State::kDue:
      return "due";
    case CeremonyStep::State::kUnwritten:
      return "unwritten";
    case CeremonyStep::State::kDone:
      return "done";
  }
  return "";
}

CeremonyStep CeremonyPlan::ForKey() const {
  const CeremonyScript& script = record_.script();
  CeremonyStep step{
      .name = std::string(kKeyStep),
      .text = fmt::format("generate the root's key, '{}', on the token '{}'", script.root.key_label,
                          script.token_label),
      .facts = script.KeyFacts(),
  };
  if (record_.transcript().Find(kKeyStep, kMade)) {
    step.state = CeremonyStep::State::kDone;
  } else if (const auto* begun = record_.transcript().Find(kKeyStep, kBegun)) {
    step.note =
        fmt::format("begun at {}: if the token has the key, it is that one", Rfc3339(begun->at));
  }
  return step;
}

Result<CeremonyStep> CeremonyPlan::ForRoot() const {
  const CeremonyScript& script = record_.script();
  return Signing(
      {.name = std::string(kRootStep),
       .text = fmt::format("sign the root's own certificate, {}, for {}", script.root.certificate,
                           DurationText(script.hierarchy.root_lifetime)),
       .facts = script.RootFacts()},
      script.root.certificate);
}

Result<CeremonyStep> CeremonyPlan::For(const IssuingOrder& order) const {
  const CeremonyScript& script = record_.script();
  CeremonyStep step =
      TRY(Signing({.name = StepOf(order),
                   .text = fmt::format("certify issuing authority {} of {}, {}, for {}",
                                       order.generation, script.hierarchy.Name(), order.certificate,
                                       DurationText(order.lifetime)),
                   .facts = script.FactsOf(order)},
                  order.certificate));
  // A step that is recorded knows its key, and needs no CSR.
  if (step.state != CeremonyStep::State::kDue || record_.IsRecorded(step.name)) return step;
  const auto csr = TRY(files_.Read(order.csr));
  if (!csr) {
    step.state = CeremonyStep::State::kWaiting;
    step.note = fmt::format("bring its CSR as {}", order.csr);
  }
  return step;
}

Result<CeremonyStep> CeremonyPlan::ForCrl(size_t number) const {
  const CeremonyScript& script = record_.script();
  const CrlOrder& order = script.crls[number - 1];
  size_t revoked = 0;
  for (size_t i = 0; i < number; ++i) revoked += script.crls[i].revocations.size();
  CeremonyStep step =
      TRY(Signing({.name = StepOfCrl(number),
                   .text = fmt::format("sign CRL {}, {}, with {} revocations, for {}", number,
                                       order.file, revoked, DurationText(order.lifetime)),
                   .facts = script.FactsOfCrl(number)},
                  order.file));
  if (step.state != CeremonyStep::State::kDue) return step;
  const auto wait = [&](std::string note) {
    step.state = CeremonyStep::State::kWaiting;
    step.note = std::move(note);
  };
  // Relying parties take the CRL with the higher number for the newer one.
  if (number > 1 && !record_.IsSigned(StepOfCrl(number - 1))) {
    wait(fmt::format("{} comes first", StepOfCrl(number - 1)));
  }
  for (const RevocationLine& line : order.revocations) {
    for (const IssuingOrder& issuing : script.issuing) {
      if (issuing.certificate == line.certificate && !record_.IsSigned(StepOf(issuing))) {
        wait(fmt::format("{} is not signed yet", line.certificate));
      }
    }
  }
  return step;
}

Result<CeremonyStep> CeremonyPlan::Signing(CeremonyStep step, const std::string& file) const {
  if (record_.IsSigned(step.name)) {
    const auto written = TRY(files_.Read(file));
    step.state = written ? CeremonyStep::State::kDone : CeremonyStep::State::kUnwritten;
    if (!written) step.note = fmt::format("{} is not there; it is written again", file);
  } else if (const auto* recorded = record_.transcript().Find(step.name, kRecorded)) {
    step.note = fmt::format("recorded at {}: the same octets are signed", Rfc3339(recorded->at));
  }
  return step;
}

Result<std::vector<CeremonyStep>> CeremonyPlan::All() const {
  TRY(record_.Check());
  std::vector<CeremonyStep> steps = {ForKey()};
  steps.push_back(TRY(ForRoot()));
  for (const IssuingOrder& order : record_.script().issuing) steps.push_back(TRY(For(order)));
  for (size_t i = 1; i <= record_.script().crls.size(); ++i) steps.push_back(TRY(ForCrl(i)));
  return steps;
}

}  // namespace ca
