#include "db/row.h"

#include <fmt/chrono.h>

#include <cstdio>

namespace db {

ca::Bytes BytesOf(const pqxx::field& field) {
  // PostgreSQL's hex format: \x and two digits an octet.
  const std::string_view text(field.c_str(), field.size());
  return Expect(ca::FromHex(text.substr(std::min<size_t>(2, text.size()))), field);
}

ca::TimePoint TimeOf(const pqxx::field& field) {
  if (field.is_null()) return {};
  // 2026-11-24 12:15:36.123456+00, since the session's time zone is UTC.
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  char fraction[7] = "";
  const int read = std::sscanf(field.c_str(), "%d-%2u-%2u %2u:%2u:%2u.%6[0-9]", &year, &month, &day,
                               &hour, &minute, &second, fraction);
  if (read < 6) throw std::runtime_error(std::string("column ") + field.name() + ": not a time");
  std::string digits(fraction);
  digits.resize(6, '0');
  using namespace std::chrono;  // NOLINT(google-build-using-namespace): the calendar's operators
  return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) +
         hours(hour) + minutes(minute) + seconds(second) + microseconds(std::stoi(digits));
}

std::vector<std::string> TextsOf(const pqxx::field& field) {
  std::vector<std::string> texts;
  auto parser = field.as_array();
  for (auto [juncture, text] = parser.get_next(); juncture != pqxx::array_parser::done;
       std::tie(juncture, text) = parser.get_next()) {
    if (juncture == pqxx::array_parser::string_value) texts.push_back(text);
  }
  return texts;
}

ca::SpiffeId SpiffeIdOf(const pqxx::field& field) {
  return Expect(ca::SpiffeId::Parse(field.c_str()), field);
}

ca::SerialNumber SerialOf(const pqxx::field& field) {
  return Expect(ca::SerialNumber::FromBytes(BytesOf(field)), field);
}

std::vector<ca::Bytes> CertificatesOf(const pqxx::field& field) {
  if (field.size() == 0) return {};
  return Expect(ca::FromPem("CERTIFICATE", field.c_str()), field);
}

std::string TimeText(ca::TimePoint time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}+00", fmt::gmtime(whole), (time - whole).count());
}

std::string TextArray(const std::vector<std::string>& texts) {
  std::string array = "{";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return array + "}";
}

std::string CertificatesText(const std::vector<ca::Bytes>& certificates) {
  std::string text;
  for (const ca::Bytes& der : certificates) text += ca::Pem("CERTIFICATE", der);
  return text;
}

}  // namespace db
