#pragma once

#include <filesystem>
#include <utility>

#include "ca/ceremony/plan.h"

namespace files {

// The files in the folder of a ceremony's script; names are relative to that folder.
class CarriedFolder final : public ca::CarriedFiles {
 public:
  explicit CarriedFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  ca::Result<std::optional<std::string>> Read(const std::string& name) const override;
  ca::Status Write(const std::string& name, const std::string& content) override;

 private:
  const std::filesystem::path folder_;
};

}  // namespace files
