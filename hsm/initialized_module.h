#pragma once

#include <memory>
#include <string>

#include "hsm/module.h"
#include "hsm/watchdog.h"

using PKCS11_CTX = struct PKCS11_ctx_st;
using PKCS11_SLOT = struct PKCS11_slot_st;

namespace hsm {

// A module from C_Initialize to C_Finalize, with the tokens that it showed after C_Initialize. A
// token that is plugged in later appears only in the next InitializedModule. It must outlive every
// login to its tokens.
class InitializedModule {
 public:
  // kFailedPrecondition if the module does not load or start, or is in use already. Sets `progress`
  // before each call that may hang.
  static ca::Result<std::shared_ptr<const InitializedModule>> Open(const std::string& path,
                                                                   Progress& progress);
  ~InitializedModule();
  InitializedModule(const InitializedModule&) = delete;
  InitializedModule& operator=(const InitializedModule&) = delete;

  // The initialized token with that label. kUnavailable if there is none; the message lists the
  // tokens that were seen. kFailedPrecondition if there are several.
  ca::Result<const PKCS11_SLOT*> FindToken(const std::string& label) const;

  const CK_FUNCTION_LIST& functions() const { return module_->functions(); }

 private:
  explicit InitializedModule(std::unique_ptr<Module> module) : module_(std::move(module)) {}
  ca::Status Initialize(Progress& progress);
  ca::Status ListSlots(Progress& progress);

  const std::unique_ptr<Module> module_;
  PKCS11_CTX* context_ = nullptr;
  bool is_initialized_ = false;
  PKCS11_SLOT* slots_ = nullptr;
  unsigned int slot_count_ = 0;
};

}  // namespace hsm
