#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"
#include "ca/base/result.h"
#include "ca/base/serial_number.h"
#include "ca/base/spiffe_id.h"

// Columns of a result as types of ca/. Each value was checked before it was written, so a value
// that does not parse throws: something else changed the database.
namespace db {

ca::Bytes BytesOf(const pqxx::field& field);                 // bytea
ca::TimePoint TimeOf(const pqxx::field& field);              // timestamptz; epoch when NULL
std::vector<std::string> TextsOf(const pqxx::field& field);  // text[]
ca::SpiffeId SpiffeIdOf(const pqxx::field& field);
ca::SerialNumber SerialOf(const pqxx::field& field);
std::vector<ca::Bytes> CertificatesOf(const pqxx::field& field);  // PEM, or ''; as DER

// For a parameter: a timestamptz or NULL-free text[] as text.
std::string TimeText(ca::TimePoint time);
std::string TextArray(const std::vector<std::string>& texts);
std::string CertificatesText(const std::vector<ca::Bytes>& certificates);  // PEM, or ''

// The value, or an exception that names the column.
template <typename T>
T Expect(ca::Result<T> result, const pqxx::field& field) {
  if (result.ok()) return *std::move(result);
  throw std::runtime_error(std::string("column ") + field.name() + ": " +
                           ca::MessageOf(result.status()));
}

}  // namespace db
