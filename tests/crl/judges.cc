#include "tests/crl/judges.h"

#include <cstdio>
#include <fstream>

#include "tests/fakes/temporary_folder.h"

namespace crl::testing {
namespace {

struct Judgement {
  int status = 0;
  std::string output;
};

// Through the shell: the words of these tests have no blanks in them.
Judgement Run(const std::string& command) {
  Judgement judgement;
  FILE* const pipe = popen((command + " </dev/null 2>&1").c_str(), "r");
  if (!pipe) return {-1, "popen failed"};
  char buffer[4096];
  for (size_t size; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    judgement.output.append(buffer, size);
  }
  judgement.status = pclose(pipe);
  return judgement;
}

::testing::AssertionResult Verdict(bool is_good, const Judgement& judgement) {
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
  const Judgement judgement =
      Run("openssl crl -noout -verify -in " + Write(folder, "crl", "X509 CRL", {crl}) +
          " -CAfile " + Write(folder, "issuer", "CERTIFICATE", {issuer}));
  // It tells by words, not by its status.
  return Verdict(judgement.status == 0 && judgement.output.find("verify OK") != std::string::npos,
                 judgement);
}

::testing::AssertionResult CerttoolVerifies(const ca::Bytes& crl, const ca::Bytes& issuer) {
  const ca::testing::TemporaryFolder folder;
  const Judgement judgement =
      Run("certtool --verify-crl --infile " + Write(folder, "crl", "X509 CRL", {crl}) +
          " --load-ca-certificate " + Write(folder, "issuer", "CERTIFICATE", {issuer}));
  return Verdict(judgement.status == 0, judgement);
}

::testing::AssertionResult OpenSslAccepts(const Chain& chain, const std::vector<ca::Bytes>& crls,
                                          const std::string& options) {
  const ca::testing::TemporaryFolder folder;
  const Judgement judgement =
      Run("openssl verify -x509_strict " + options + " -CAfile " +
          Write(folder, "root", "CERTIFICATE", {chain.root}) + " -untrusted " +
          Write(folder, "intermediate", "CERTIFICATE", {chain.intermediate}) + " -CRLfile " +
          Write(folder, "crls", "X509 CRL", crls) + " " +
          Write(folder, "leaf", "CERTIFICATE", {chain.leaf}));
  return Verdict(judgement.status == 0, judgement);
}

}  // namespace crl::testing
