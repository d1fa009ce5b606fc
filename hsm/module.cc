#include "hsm/module.h"

#include <dlfcn.h>

#include <mutex>
#include <set>

namespace hsm {
namespace {

using ca::Error;
using ca::StatusCode;

// The modules in use, by function list: a module has one list, but many links may lead to its file.
// Never destroyed, because a thread that hung in a module may end after main.
//
// The mutex is also held while modules are loaded and unloaded, so a thread that loads a module
// sees the writes of the thread that unloaded it.
struct Claims {
  std::mutex mutex;
  std::set<const CK_FUNCTION_LIST*> functions;
};
Claims& AllClaims() {
  static Claims* const claims = new Claims;
  return *claims;
}

std::string LoaderError() {
  const char* error = dlerror();
  return error == nullptr ? "no reason given" : error;
}

}  // namespace

ca::Result<std::unique_ptr<Module>> Module::Load(const std::string& path) {
  std::unique_ptr<Module> module(new Module(path));
  const std::lock_guard lock(AllClaims().mutex);
  TRY(module->LoadLibrary());
  TRY(module->FindFunctions());
  TRY(module->Claim());
  return module;
}

ca::Status Module::LoadLibrary() {
  // libp11 would load it as well, but it prints the loader's error to stderr instead of returning
  // it.
  library_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library_ != nullptr) return ca::Ok();
  return Error(StatusCode::kFailedPrecondition,
               "PKCS#11 module cannot be loaded: {}; check the path, and that its package is "
               "installed",
               LoaderError());
}

ca::Status Module::FindFunctions() {
  const auto get_function_list =
      reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_, "C_GetFunctionList"));
  if (get_function_list == nullptr) {
    return Error(StatusCode::kFailedPrecondition, "{} is not a PKCS#11 module: {}", path_,
                 LoaderError());
  }
  const CK_RV answer = get_function_list(&functions_);
  return answer == CKR_OK ? ca::Ok() : TokenError(path_ + ": C_GetFunctionList", answer);
}

ca::Status Module::Claim() {
  is_claimed_ = AllClaims().functions.insert(functions_).second;
  if (is_claimed_) return ca::Ok();
  return Error(StatusCode::kFailedPrecondition,
               "PKCS#11 module {} is open in this process already, or an attempt to open it hangs; "
               "share the one key store, or end this process",
               path_);
}

Module::~Module() {
  const std::lock_guard lock(AllClaims().mutex);
  if (is_claimed_) AllClaims().functions.erase(functions_);
  if (library_ != nullptr) dlclose(library_);
}

}  // namespace hsm
