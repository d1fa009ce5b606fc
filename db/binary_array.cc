#include "db/binary_array.h"

#include "ca/base/bytes.h"

namespace db {
namespace {

// PostgreSQL counts days and microseconds from here.
constexpr std::chrono::sys_days kEpoch = std::chrono::year(2000) / 1 / 1;

template <typename Integer>
std::string BigEndian(Integer number) {
  std::string octets;
  for (int shift = (sizeof(Integer) - 1) * 8; shift >= 0; shift -= 8) {
    octets.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> shift & 0xff));
  }
  return octets;
}

}  // namespace

BinaryArray::BinaryArray(Element element) : element_(element) {}

void BinaryArray::AddNull() {
  data_ += BigEndian<std::int32_t>(-1);
  has_null_ = true;
  ++count_;
}

void BinaryArray::AddBytes(std::string_view octets) { AddOctets(octets); }

void BinaryArray::AddInt64(std::int64_t number) { AddOctets(BigEndian(number)); }

void BinaryArray::AddDay(std::chrono::sys_days day) {
  AddOctets(BigEndian(static_cast<std::int32_t>((day - kEpoch).count())));
}

void BinaryArray::AddTime(ca::TimePoint time) {
  AddOctets(BigEndian(static_cast<std::int64_t>((time - ca::TimePoint(kEpoch)).count())));
}

void BinaryArray::AddUuid(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '-');
  AddOctets(ca::FromHex(digits).value());
}

void BinaryArray::AddOctets(std::string_view octets) {
  data_ += BigEndian(static_cast<std::int32_t>(octets.size()));
  data_ += octets;
  ++count_;
}

pqxx::binarystring BinaryArray::Parameter() const {
  std::string header = BigEndian<std::int32_t>(count_ == 0 ? 0 : 1);  // dimensions
  header += BigEndian<std::int32_t>(has_null_ ? 1 : 0);
  header += BigEndian(static_cast<std::uint32_t>(element_));
  if (count_ > 0) {
    header += BigEndian(count_);
    header += BigEndian<std::int32_t>(1);  // the first index
  }
  return pqxx::binarystring(header + data_);
}

}  // namespace db
