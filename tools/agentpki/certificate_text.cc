#include "tools/agentpki/certificate_text.h"

#include <google/protobuf/struct.pb.h>

#include "ca/base/host_name.h"
#include "ca/base/openssl.h"
#include "ca/x509/public_key.h"

namespace cli {

std::string NameText(const X509_NAME* name) {
  const ca::BioPtr bio(BIO_new(BIO_s_mem()));
  // RFC 2253's escapes, so that no name prints control characters, but in the encoded order.
  constexpr unsigned long kFlags =
      (XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) | ASN1_STRFLGS_ESC_CTRL;
  if (!bio || X509_NAME_print_ex(bio.get(), name, 0, kFlags) < 0) return "?";
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

namespace {

using ca::TimePoint;
using client::Facts;
using client::Format;
using client::RelativeText;

// The contents of a certificate, as texts.
struct Description {
  std::string spiffe_id;
  std::string subject;
  std::string issuer;
  std::string serial;
  TimePoint not_before;
  TimePoint not_after;
  std::string key;
  std::string key_fingerprint;
  std::string fingerprint;
  bool is_authority = false;
  std::vector<std::string> may;          // key usages
  std::vector<std::string> other_names;  // beside the SPIFFE ID
  std::vector<std::string> constraints;  // limits on what an authority may sign
};

std::string_view Text(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<size_t>(ASN1_STRING_length(string))};
}

std::string IpText(std::string_view octets) {
  if (const auto address = ca::IpAddress::FromBytes(octets); address.ok())
    return address->ToString();
  // A name constraint: address and mask.
  const auto address = ca::IpAddress::FromBytes(octets.substr(0, octets.size() / 2));
  const auto mask = ca::IpAddress::FromBytes(octets.substr(octets.size() / 2));
  return address.ok() && mask.ok() ? address->ToString() + "/" + mask->ToString() : "?";
}

std::string GeneralNameText(const GENERAL_NAME* name) {
  int type = 0;
  const auto* const value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  switch (type) {
    case GEN_URI:
      return "URI " + ca::Printable(Text(value));
    case GEN_DNS:
      return "DNS " + ca::Printable(Text(value));
    case GEN_EMAIL:
      return "email " + ca::Printable(Text(value));
    case GEN_IPADD:
      return "IP " + IpText(Text(value));
    default:
      return "another kind of name";
  }
}

void DescribeNames(X509* certificate, Description& description) {
  const ca::GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    std::string text = GeneralNameText(sk_GENERAL_NAME_value(names.get(), i));
    if (description.spiffe_id.empty() && text.starts_with("URI spiffe://")) {
      description.spiffe_id = text.substr(4);
    } else {
      description.other_names.push_back(std::move(text));
    }
  }
}

void DescribeConstraints(X509* certificate, Description& description) {
  const long path_length = X509_get_pathlen(certificate);
  if (path_length >= 0) {
    description.constraints.push_back(path_length == 0
                                          ? "signs leaves only"
                                          : fmt::format("{} authorities below it", path_length));
  }
  const ca::Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free> constraints(
      static_cast<NAME_CONSTRAINTS*>(
          X509_get_ext_d2i(certificate, NID_name_constraints, nullptr, nullptr)));
  if (!constraints) return;
  const auto add = [&](std::string_view verb, const STACK_OF(GENERAL_SUBTREE) * subtrees) {
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); ++i) {
      description.constraints.push_back(
          fmt::format("{} {}", verb, GeneralNameText(sk_GENERAL_SUBTREE_value(subtrees, i)->base)));
    }
  };
  add("only", constraints->permittedSubtrees);
  add("no", constraints->excludedSubtrees);
}

void DescribeUses(X509* certificate, Description& description) {
  struct Use {
    std::uint32_t bit;
    std::string_view text;
  };
  constexpr Use kExtended[] = {{XKU_SSL_CLIENT, "TLS client"},
                               {XKU_SSL_SERVER, "TLS server"},
                               {XKU_OCSP_SIGN, "sign OCSP answers"}};
  constexpr Use kUsage[] = {{KU_DIGITAL_SIGNATURE, "sign"},
                            {KU_KEY_ENCIPHERMENT, "encipher keys"},
                            {KU_KEY_CERT_SIGN, "sign certificates"},
                            {KU_CRL_SIGN, "sign CRLs"}};
  const std::uint32_t extended = X509_get_extended_key_usage(certificate);
  const std::uint32_t usage = X509_get_key_usage(certificate);
  for (const Use& use : kExtended) {
    if (extended != UINT32_MAX && (extended & use.bit)) description.may.emplace_back(use.text);
  }
  for (const Use& use : kUsage) {
    if (usage != UINT32_MAX && (usage & use.bit)) description.may.emplace_back(use.text);
  }
}

ca::Result<Description> Describe(const ca::Bytes& der) {
  const ca::X509Ptr certificate = TRY(ca::ParseX509(der));
  X509* const x509 = certificate.get();
  Description description;
  description.not_before = TRY(ca::TimeOf(X509_get0_notBefore(x509)));
  description.not_after = TRY(ca::TimeOf(X509_get0_notAfter(x509)));
  description.subject = NameText(X509_get_subject_name(x509));
  description.issuer = NameText(X509_get_issuer_name(x509));
  description.serial = ca::Hex(Text(X509_get0_serialNumber(x509)));
  description.fingerprint = ca::Hex(ca::Sha256(der));
  description.is_authority = X509_check_ca(x509) > 0;
  const ca::Bytes spki = ca::DerOf<X509_PUBKEY, i2d_X509_PUBKEY>(X509_get_X509_PUBKEY(x509));
  const auto key = ca::PublicKey::FromSpki(spki);
  description.key = key.ok() ? std::string(ca::NameOf(key->type())) : "another type";
  description.key_fingerprint = ca::Hex(ca::Sha256(spki));
  DescribeNames(x509, description);
  DescribeUses(x509, description);
  if (description.is_authority) DescribeConstraints(x509, description);
  return description;
}

std::string ValidityText(const Description& description, TimePoint now) {
  const std::string span = fmt::format("{} to {}", ca::Rfc3339(description.not_before),
                                       ca::Rfc3339(description.not_after));
  if (now < description.not_before) return span + ", not yet valid";
  if (now > description.not_after) {
    return span + ", EXPIRED " + RelativeText(description.not_after, now);
  }
  return span + ", expires " + RelativeText(description.not_after, now);
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) joined += (joined.empty() ? "" : ", ") + text;
  return joined;
}

std::string Title(const Description& description) {
  if (!description.is_authority && !description.spiffe_id.empty()) return description.spiffe_id;
  if (!description.is_authority) return description.subject;
  return fmt::format("{} of {}",
                     description.subject == description.issuer ? "root authority" : "authority",
                     description.spiffe_id.empty() ? description.subject : description.spiffe_id);
}

void PrintInWords(const Description& description, TimePoint now) {
  fmt::print("{}\n", Title(description));
  Facts facts;
  facts.Add("  valid", ValidityText(description, now));
  facts.Add("  subject", description.subject);
  facts.Add("  issued by",
            description.issuer == description.subject ? "itself" : description.issuer);
  facts.Add("  other names", Joined(description.other_names));
  facts.Add("  may", Joined(description.may));
  facts.Add("  constraints", Joined(description.constraints));
  facts.Add("  serial", description.serial);
  facts.Add("  key", fmt::format("{}, SHA-256 {}", description.key, description.key_fingerprint));
  facts.Add("  fingerprint", "SHA-256 " + description.fingerprint);
  facts.Print();
}

google::protobuf::Struct ToStruct(const Description& description) {
  google::protobuf::Struct message;
  auto& fields = *message.mutable_fields();
  const auto add_list = [&](const char* name, const std::vector<std::string>& texts) {
    auto& list = *fields[name].mutable_list_value();
    for (const std::string& text : texts) list.add_values()->set_string_value(text);
  };
  fields["spiffe_id"].set_string_value(description.spiffe_id);
  fields["subject"].set_string_value(description.subject);
  fields["issuer"].set_string_value(description.issuer);
  fields["serial"].set_string_value(description.serial);
  fields["not_before"].set_string_value(ca::Rfc3339(description.not_before));
  fields["not_after"].set_string_value(ca::Rfc3339(description.not_after));
  fields["key_type"].set_string_value(description.key);
  fields["key_fingerprint"].set_string_value(description.key_fingerprint);
  fields["fingerprint"].set_string_value(description.fingerprint);
  fields["is_authority"].set_bool_value(description.is_authority);
  add_list("other_names", description.other_names);
  add_list("may", description.may);
  add_list("constraints", description.constraints);
  return message;
}

}  // namespace

ca::Status PrintCertificates(const std::vector<ca::Bytes>& certificates, Format format,
                             TimePoint now) {
  google::protobuf::RepeatedPtrField<google::protobuf::Struct> messages;
  for (size_t i = 0; i < certificates.size(); ++i) {
    const Description description = TRY(Describe(certificates[i]));
    if (format == Format::kJson) {
      *messages.Add() = ToStruct(description);
      continue;
    }
    if (i > 0) fmt::print("\n");
    PrintInWords(description, now);
  }
  if (format == Format::kJson) client::PrintJsonArray(messages);
  return ca::Ok();
}

}  // namespace cli
