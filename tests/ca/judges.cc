#include "tests/ca/judges.h"

#include <fstream>
#include <memory>

#include "ca/credentials.h"
#include "tests/fakes/run_program.h"
#include "tests/fakes/temporary_folder.h"

namespace ca::testing {
namespace {

::testing::AssertionResult Verdict(const ProgramResult& judgement) {
  auto verdict =
      judgement.status == 0 ? ::testing::AssertionSuccess() : ::testing::AssertionFailure();
  return verdict << judgement.output;
}

std::string Write(const TemporaryFolder& folder, const char* name,
                  const std::vector<Bytes>& certificates) {
  const std::string path = folder.path() / name;
  std::ofstream(path) << PemOf(certificates);
  return path;
}

}  // namespace

::testing::AssertionResult OpenSslAccepts(const Chain& chain, const std::string& purpose) {
  const TemporaryFolder folder;
  std::string untrusted;
  if (!chain.intermediates.empty()) {
    untrusted = " -untrusted " + Write(folder, "intermediates", chain.intermediates);
  }
  return Verdict(RunProgram("openssl verify -x509_strict -purpose " + purpose + " -CAfile " +
                            Write(folder, "root", {chain.root}) + untrusted + " " +
                            Write(folder, "leaf", {chain.leaf})));
}

::testing::AssertionResult CerttoolAccepts(const Chain& chain) {
  const TemporaryFolder folder;
  std::vector<Bytes> certificates = {chain.leaf};
  certificates.insert(certificates.end(), chain.intermediates.begin(), chain.intermediates.end());
  certificates.push_back(chain.root);
  return Verdict(
      RunProgram("certtool --verify-chain --infile " + Write(folder, "chain", certificates)));
}

::testing::AssertionResult CerttoolTrusts(const Chain& chain) {
  const TemporaryFolder folder;
  std::vector<Bytes> certificates = {chain.leaf};
  certificates.insert(certificates.end(), chain.intermediates.begin(), chain.intermediates.end());
  return Verdict(RunProgram("certtool --verify --load-ca-certificate " +
                            Write(folder, "root", {chain.root}) + " --infile " +
                            Write(folder, "chain", certificates)));
}

std::string TextOf(const Bytes& certificate) {
  const TemporaryFolder folder;
  return RunProgram("openssl x509 -noout -text -in " + Write(folder, "one", {certificate})).output;
}

}  // namespace ca::testing
