#include "hsm/initialized_module.h"

#include <fmt/ranges.h>
#include <libp11.h>
#include <openssl/err.h>

#include <span>
#include <vector>

#include "ca/base/openssl.h"

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

std::string Quoted(const char* text) { return fmt::format("'{}'", ca::Printable(text)); }

// If no label matches, the operator needs to see the labels that exist.
std::string Listed(const std::vector<std::string>& labels) {
  return labels.empty() ? "no initialized token was seen"
                        : fmt::format("tokens seen: {}", fmt::join(labels, ", "));
}

}  // namespace

ca::Result<std::shared_ptr<const InitializedModule>> InitializedModule::Open(
    const std::string& path, Progress& progress) {
  progress.Enter("dlopen");
  auto module = TRY(Module::Load(path));
  std::shared_ptr<InitializedModule> opened(new InitializedModule(std::move(module)));
  TRY(opened->Initialize(progress));
  TRY(opened->ListSlots(progress));
  return opened;
}

InitializedModule::~InitializedModule() {
  if (slots_ != nullptr) PKCS11_release_all_slots(context_, slots_, slot_count_);
  // Calls C_Finalize. It would crash on a context whose module was never loaded.
  if (is_initialized_) PKCS11_CTX_unload(context_);
  if (context_ != nullptr) PKCS11_CTX_free(context_);
}

ca::Status InitializedModule::Initialize(Progress& progress) {
  ERR_clear_error();
  context_ = PKCS11_CTX_new();
  if (context_ == nullptr) ca::AbortOnOpenSslFailure("PKCS11_CTX_new");

  progress.Enter("C_Initialize");
  if (PKCS11_CTX_load(context_, module_->path().c_str()) != 0) {
    // SoftHSM returns CKR_GENERAL_ERROR for a missing configuration, a wrong one, and a missing
    // token folder.
    return Error(StatusCode::kFailedPrecondition,
                 "PKCS#11 module {} does not start: {}; check its configuration (SoftHSM: the file "
                 "that SOFTHSM2_CONF names, and the folder that directories.tokendir in it names)",
                 module_->path(), ca::MessageOf(TokenError("C_Initialize", TakeLibp11Error())));
  }
  is_initialized_ = true;
  return ca::Ok();
}

ca::Status InitializedModule::ListSlots(Progress& progress) {
  ERR_clear_error();
  progress.Enter("C_GetSlotList, C_GetTokenInfo");
  if (PKCS11_enumerate_slots(context_, &slots_, &slot_count_) == 0) return ca::Ok();
  return ca::Annotate(TokenError("C_GetSlotList", TakeLibp11Error()), "listing the tokens: ");
}

// PKCS11_find_token would not do: it returns the first token. SoftHSM always has a slot with an
// uninitialized token, which no login can use.
ca::Result<const PKCS11_SLOT*> InitializedModule::FindToken(const std::string& label) const {
  std::vector<std::string> labels;
  const PKCS11_SLOT* found = nullptr;
  size_t match_count = 0;
  for (const PKCS11_SLOT& slot : std::span(slots_, slot_count_)) {
    if (slot.token == nullptr || slot.token->initialized == 0) continue;
    labels.push_back(Quoted(slot.token->label));
    if (slot.token->label != label) continue;
    found = &slot;
    ++match_count;
  }
  if (match_count == 0) {
    // kUnavailable, because the token may be there the next time: each login rewrites SoftHSM's
    // token file, and a process that opens the file in that moment sees no token, or one without a
    // PIN.
    return Error(
        StatusCode::kUnavailable,
        "no token is labelled {}; {}; check the label, and that the token is plugged in or "
        "its folder mounted",
        Quoted(label.c_str()), Listed(labels));
  }
  if (match_count > 1) {
    return Error(StatusCode::kFailedPrecondition,
                 "{} tokens are labelled {}; {}; rename or remove all but one", match_count,
                 Quoted(label.c_str()), Listed(labels));
  }
  return found;
}

}  // namespace hsm
