#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <vector>

#include "ca/base/clock.h"

// The output on stdout, for people and programs.
namespace client {

enum class Format { kTable, kJson };

// A table with a header. Each column is as wide as its widest value.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  void Print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// The names and values of one object, one line each. Empty values are left out.
class Facts {
 public:
  void Add(std::string name, std::string value);
  void Print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// JSON with the field names of the proto files, empty fields included.
std::string ToJson(const google::protobuf::Message& message);

template <typename Message>
void PrintJsonArray(const google::protobuf::RepeatedPtrField<Message>& messages) {
  std::string text = "[";
  for (const Message& message : messages) {
    text += (text.size() == 1 ? "\n" : ",\n") + ToJson(message);
  }
  fmt::print("{}{}]\n", text, messages.empty() ? "" : "\n");
}

ca::TimePoint FromProto(const google::protobuf::Timestamp& timestamp);
// 2026-11-24T12:48:13Z, or "" if it is not set.
std::string TimeText(const google::protobuf::Timestamp& timestamp);
// "in 43m 10s", "2h 5m ago".
std::string RelativeText(ca::TimePoint time, ca::TimePoint now);

}  // namespace client
