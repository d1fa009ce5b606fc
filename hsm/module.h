#pragma once

#include <memory>
#include <string>
#include <utility>

#include "ca/base/result.h"
#include "hsm/pkcs11.h"

namespace hsm {

// A PKCS#11 module in memory, before C_Initialize. A process has one Module for each module at
// most, because PKCS#11 has one state a process: if a second PKCS11_CTX logged out or was unloaded,
// the signers of the first would be logged out or finalized, too.
class Module {
 public:
  // kFailedPrecondition if the file is not a PKCS#11 module, or if there is a Module for it
  // already.
  static ca::Result<std::unique_ptr<Module>> Load(const std::string& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::string& path() const { return path_; }
  const CK_FUNCTION_LIST& functions() const { return *functions_; }

 private:
  explicit Module(std::string path) : path_(std::move(path)) {}
  ca::Status LoadLibrary();
  ca::Status FindFunctions();
  ca::Status Claim();

  const std::string path_;
  void* library_ = nullptr;
  CK_FUNCTION_LIST* functions_ = nullptr;
  bool is_claimed_ = false;
};

}  // namespace hsm
