#include "ca/files/message_difference.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <algorithm>

#include "ca/base/bytes.h"
#include "ca/base/clock.h"

namespace files {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

struct Value {
  std::string field;
  std::string text;
};

// A message as a list of its values.
class Flattener {
 public:
  static std::vector<Value> Flatten(const Message& message) {
    Flattener flattener;
    flattener.Add("", message);
    return std::move(flattener.values_);
  }

 private:
  void Add(const std::string& prefix, const Message& message) {
    const auto& schema = *message.GetDescriptor();
    for (int i = 0; i < schema.field_count(); ++i) {
      const FieldDescriptor& field = *schema.field(i);
      const std::string path = prefix + field.name();
      const bool is_message = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      if (field.is_repeated()) {
        is_message ? AddElements(path, message, field) : AddList(path, message, field);
      } else if (field.has_presence() && !message.GetReflection()->HasField(message, &field)) {
        continue;
      } else if (!is_message) {
        AddValue(path, TextOf(message, field, kOnly));
      } else {
        AddMessage(path, message.GetReflection()->GetMessage(message, &field));
      }
    }
  }

  void AddMessage(const std::string& path, const Message& inner) {
    const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&inner);
    if (!duration) return Add(path + ".", inner);
    AddValue(path, ca::DurationText(std::chrono::seconds(duration->seconds())));
  }

  void AddList(const std::string& path, const Message& message, const FieldDescriptor& field) {
    std::string text;
    const int size = message.GetReflection()->FieldSize(message, &field);
    for (int i = 0; i < size; ++i) text += (i == 0 ? "" : ", ") + TextOf(message, field, i);
    AddValue(path, text);
  }

  void AddElements(const std::string& path, const Message& message, const FieldDescriptor& field) {
    const Reflection& reflection = *message.GetReflection();
    const FieldDescriptor* const name_field = field.message_type()->FindFieldByName("name");
    std::string names;
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& element = reflection.GetRepeatedMessage(message, &field, i);
      const std::string name =
          name_field ? TextOf(element, *name_field, kOnly) : std::to_string(i + 1);
      names += (i == 0 ? "" : ", ") + name;
      Add(path + "." + name + ".", element);
    }
    AddValue(path, names);
  }

  void AddValue(const std::string& path, const std::string& text) {
    if (!text.empty()) values_.push_back({path, Shortened(text)});
  }

  // Of certificates, what people compare them by.
  static std::string Shortened(const std::string& text) {
    if (!text.starts_with("-----BEGIN CERTIFICATE-----")) return text;
    const auto certificates = ca::FromPem("CERTIFICATE", text);
    if (!certificates.ok()) return text;
    std::string fingerprints;
    for (const ca::Bytes& der : *certificates) {
      fingerprints += (fingerprints.empty() ? "SHA-256 " : ", ") + ca::Hex(ca::Sha256(der));
    }
    return fingerprints;
  }

  static constexpr int kOnly = -1;
  static std::string TextOf(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return reflection.GetBool(message, &field) ? "true" : "false";
      case FieldDescriptor::CPPTYPE_INT32:
        return std::to_string(reflection.GetInt32(message, &field));
      default:
        return index == kOnly ? reflection.GetString(message, &field)
                              : reflection.GetRepeatedString(message, &field, index);
    }
  }

  std::vector<Value> values_;
};

const Value* Find(const std::vector<Value>& values, const std::string& field) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const Value& value) { return value.field == field; });
  return found == values.end() ? nullptr : &*found;
}

}  // namespace

std::vector<FieldDifference> DifferencesOf(const Message& before, const Message& after) {
  const std::vector<Value> old_values = Flattener::Flatten(before);
  const std::vector<Value> new_values = Flattener::Flatten(after);
  std::vector<FieldDifference> differences;
  for (const Value& value : new_values) {
    const Value* const old_value = Find(old_values, value.field);
    if (old_value && old_value->text == value.text) continue;
    differences.push_back({value.field, old_value ? old_value->text : "", value.text});
  }
  for (const Value& value : old_values) {
    if (!Find(new_values, value.field)) differences.push_back({value.field, value.text, ""});
  }
  return differences;
}

}  // namespace files
