#include "tests/crl/judges.h"

#include <fstream>

#include "tests/fakes/run_program.h"
#include "tests/fakes/temporary_folder.h"

namespace crl::testing {
namespace {

::testing::AssertionResult Verdict(bool is_good, const ca::testing::ProgramResult& judgement) {
  auto verdict = is_good ? ::testing::AssertionSuccess() : ::testing::AssertionFailure();
  return verdict << judgement.output;
}

std::string Write(const ca::testing::TemporaryFolder& folder, const char* name, const char* label,
                  const std::vector<ca::Bytes>& ders) {
  const std::string path = folder.path() / name;
  std::ofstream file(path);
  for (const ca::Bytes& der : ders) file << ca::Pem(label, der);
  return path;
}

}  // namespace

::testing::AssertionResult OpenSslVerifies(const ca::Bytes& crl, const ca::Bytes& issuer) {
  const ca::testing::TemporaryFolder folder;
  const ca::testing::ProgramResult judgement = ca::testing::RunProgram(
      "openssl crl -noout -verify -in " + Write(folder, "crl", "X509 CRL", {crl}) + " -CAfile " +
      Write(folder, "issuer", "CERTIFICATE", {issuer}));
  // It reports the outcome in its output, not in its exit status.
  return Verdict(judgement.status == 0 && judgement.output.find("verify OK") != std::string::npos,
                 judgement);
}

::testing::AssertionResult CerttoolVerifies(const ca::Bytes& crl, const ca::Bytes& issuer) {
  const ca::testing::TemporaryFolder folder;
  const ca::testing::ProgramResult judgement = ca::testing::RunProgram(
      "certtool --verify-crl --infile " + Write(folder, "crl", "X509 CRL", {crl}) +
      " --load-ca-certificate " + Write(folder, "issuer", "CERTIFICATE", {issuer}));
  return Verdict(judgement.status == 0, judgement);
}

::testing::AssertionResult OpenSslAccepts(const Chain& chain, const std::vector<ca::Bytes>& crls,
                                          const std::string& options) {
  const ca::testing::TemporaryFolder folder;
  const ca::testing::ProgramResult judgement =
      ca::testing::RunProgram("openssl verify -x509_strict " + options + " -CAfile " +
                              Write(folder, "root", "CERTIFICATE", {chain.root}) + " -untrusted " +
                              Write(folder, "intermediate", "CERTIFICATE", {chain.intermediate}) +
                              " -CRLfile " + Write(folder, "crls", "X509 CRL", crls) + " " +
                              Write(folder, "leaf", "CERTIFICATE", {chain.leaf}));
  return Verdict(judgement.status == 0, judgement);
}

}  // namespace crl::testing
