#pragma once

#include <memory>
#include <string>

#include "hsm/module.h"
#include "hsm/watchdog.h"

using PKCS11_CTX = struct PKCS11_ctx_st;
using PKCS11_SLOT = struct PKCS11_slot_st;

namespace hsm {

// A module from C_Initialize to C_Finalize, and the tokens that it showed at the beginning: one
// that is plugged in later is seen by the next one alone. Outlives every login to them.
class InitializedModule {
 public:
  // kFailedPrecondition when it does not load or start, or is claimed already. Sets `progress`
  // before each call that a module may hang in.
  static ca::Result<std::shared_ptr<const InitializedModule>> Open(const std::string& path,
                                                                   Progress& progress);
  ~InitializedModule();
  InitializedModule(const InitializedModule&) = delete;
  InitializedModule& operator=(const InitializedModule&) = delete;

  // The one initialized token with that label: kUnavailable when there is none, listing those that
  // were seen; kFailedPrecondition when there are several.
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
