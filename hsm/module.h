#pragma once

#include <memory>
#include <string>
#include <utility>

#include "ca/base/result.h"
#include "hsm/pkcs11.h"

namespace hsm {

// A PKCS#11 module in memory, claimed for one user. Not yet C_Initialize'd.
//
// A claim, because PKCS#11 has one state for a process: a second PKCS11_CTX that logs out or is
// unloaded would log out, or finalize, the first one under the feet of its signers.
class Module {
 public:
  // kFailedPrecondition when the file is no PKCS#11 module, or is claimed already.
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
