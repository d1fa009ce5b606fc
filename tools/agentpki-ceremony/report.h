#pragma once

#include <string>
#include <vector>

#include "ca/ceremony/plan.h"
#include "ca/files/ceremony_file.h"
#include "ca/files/transcript_file.h"
#include "tools/client/output.h"

// What people and programs read on stdout.
namespace ceremony {

void PrintPlan(const files::CeremonyFile& file, const std::vector<ca::CeremonyStep>& steps,
               client::Format format);

void PrintVerification(const files::CeremonyFile& file, const files::TranscriptFile& transcript,
                       const std::vector<ca::CeremonyProduct>& products,
                       const std::vector<std::string>& differences, client::Format format);

// At the end of a run: what was made, what people write down, and what is carried where.
void PrintSummary(const files::CeremonyFile& file, const files::TranscriptFile& transcript,
                  const std::vector<ca::CeremonyProduct>& products);

}  // namespace ceremony
