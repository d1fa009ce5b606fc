#pragma once

#include <string>
#include <vector>

#include "ca/ceremony/plan.h"
#include "ca/files/ceremony_file.h"
#include "ca/files/transcript_file.h"
#include "tools/client/output.h"

// The output on stdout, for people and programs.
namespace ceremony {

void PrintPlan(const files::CeremonyFile& file, const std::vector<ca::CeremonyStep>& steps,
               client::Format format);

void PrintVerification(const files::CeremonyFile& file, const files::TranscriptFile& transcript,
                       const std::vector<ca::CeremonyProduct>& products,
                       const std::vector<std::string>& differences, client::Format format);

// At the end of a run: the products, the digest that people write down, and where to carry each
// file.
void PrintSummary(const files::CeremonyFile& file, const files::TranscriptFile& transcript,
                  const std::vector<ca::CeremonyProduct>& products);

}  // namespace ceremony
