#include "tools/client/output.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>

namespace client {
namespace {

// Counts characters, not octets, so that a name in another script does not shift its column.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return (c & 0xc0) != 0x80; }));
}

void PrintAligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - WidthOf(row[i]) + 2, ' ');
    }
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

}  // namespace

void Table::Print() const { PrintAligned(rows_); }

void Facts::Add(std::string name, std::string value) {
  if (!value.empty()) rows_.push_back({std::move(name), std::move(value)});
}

void Facts::Print() const { PrintAligned(rows_); }

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "null";
  while (json.ends_with('\n')) json.pop_back();
  return json;
}

ca::TimePoint FromProto(const google::protobuf::Timestamp& timestamp) {
  return ca::TimePoint(std::chrono::seconds(timestamp.seconds())) +
         std::chrono::microseconds(timestamp.nanos() / 1000);
}

std::string TimeText(const google::protobuf::Timestamp& timestamp) {
  if (timestamp.seconds() == 0 && timestamp.nanos() == 0) return "";
  return ca::Rfc3339(FromProto(timestamp));
}

std::string RelativeText(ca::TimePoint time, ca::TimePoint now) {
  return time >= now ? "in " + ca::HumanDuration(time - now)
                     : ca::HumanDuration(now - time) + " ago";
}

}  // namespace client
