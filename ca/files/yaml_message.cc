#include "ca/files/yaml_message.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <vector>

#include "ca/base/clock.h"
#include "ca/x509/credentials.h"

namespace files {
namespace {

using ca::Error;
using ca::Status;
using ca::StatusCode;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kFileSizeMax = 1024 * 1024;
// With aliases, a small file could stand for very many values.
constexpr int kValuesMax = 10'000;

// The fewest insertions, deletions and replacements that turn one word into the other.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string NearestField(const Descriptor& schema, std::string_view key) {
  std::string nearest;
  size_t distance_min = std::max<size_t>(3, key.size() / 2);
  for (int i = 0; i < schema.field_count(); ++i) {
    const std::string& name = schema.field(i)->name();
    const size_t distance = EditDistance(key, name);
    if (distance >= distance_min) continue;
    distance_min = distance;
    nearest = name;
  }
  return nearest;
}

std::string AllFields(const Descriptor& schema) {
  std::string names;
  for (int i = 0; i < schema.field_count(); ++i) {
    names += (i == 0 ? "" : ", ") + schema.field(i)->name();
  }
  return names;
}

class Reader {
 public:
  explicit Reader(std::string file_name) : file_name_(std::move(file_name)) {}

  Status Fill(const YAML::Node& node, const std::string& path, Message& message) {
    const Descriptor& schema = *message.GetDescriptor();
    if (!node.IsMap()) {
      return Wrong(node, path, fmt::format("write a mapping of: {}", AllFields(schema)));
    }
    const std::string prefix = path.empty() ? "" : path + ": ";
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      const FieldDescriptor* const field = schema.FindFieldByName(key);
      if (!field) return UnknownKey(entry.first, prefix, key, schema);
      if (!seen.insert(key).second) return Wrong(entry.first, prefix + key, "it is there twice");
      TRY(FillField(entry.second, prefix + key, *field, message));
    }
    return ca::Ok();
  }

 private:
  Status FillField(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                   Message& message) {
    if (!field.is_repeated()) return FillOne(node, path, field, message);
    if (!node.IsSequence()) return Wrong(node, path, "write a list");
    for (size_t i = 0; i < node.size(); ++i) {
      TRY(FillOne(node[i], fmt::format("{}[{}]", path, i), field, message));
    }
    return ca::Ok();
  }

  // Fills one value: the field's only one, or one element of a repeated field.
  Status FillOne(const YAML::Node& node, const std::string& path, const FieldDescriptor& field,
                 Message& message) {
    if (++values_ > kValuesMax) {
      return Wrong(node, path, fmt::format("more than {} values", kValuesMax));
    }
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Message& inner = field.is_repeated() ? *reflection.AddMessage(&message, &field)
                                           : *reflection.MutableMessage(&message, &field);
      if (auto* duration = dynamic_cast<google::protobuf::Duration*>(&inner)) {
        return FillDuration(node, path, *duration);
      }
      return Fill(node, path, inner);
    }
    if (!node.IsScalar()) return Wrong(node, path, "write a single value");
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        if (field.is_repeated()) {
          reflection.AddString(&message, &field, node.Scalar());
        } else {
          reflection.SetString(&message, &field, node.Scalar());
        }
        return ca::Ok();
      case FieldDescriptor::CPPTYPE_BOOL: {
        bool value = false;
        if (!YAML::convert<bool>::decode(node, value))
          return Wrong(node, path, "write true or false");
        reflection.SetBool(&message, &field, value);
        return ca::Ok();
      }
      case FieldDescriptor::CPPTYPE_INT32: {
        int value = 0;
        if (!YAML::convert<int>::decode(node, value))
          return Wrong(node, path, "write a whole number");
        reflection.SetInt32(&message, &field, value);
        return ca::Ok();
      }
      default:
        return Error(StatusCode::kInternal, "{}: the schema has a type that YAML does not", path);
    }
  }

  Status FillDuration(const YAML::Node& node, const std::string& path,
                      google::protobuf::Duration& duration) const {
    const auto parsed = ca::ParseDuration(node.IsScalar() ? node.Scalar() : "");
    if (!parsed.ok()) return Wrong(node, path, ca::MessageOf(parsed.status()));
    duration.set_seconds(parsed->count());
    return ca::Ok();
  }

  Status UnknownKey(const YAML::Node& node, const std::string& prefix, const std::string& key,
                    const Descriptor& schema) const {
    const std::string nearest = NearestField(schema, key);
    return Wrong(node, prefix + ca::Printable(key),
                 nearest.empty() ? fmt::format("there is no such key, but: {}", AllFields(schema))
                                 : fmt::format("there is no such key; is it '{}'?", nearest));
  }

  Status Wrong(const YAML::Node& node, const std::string& path, std::string_view what) const {
    return Error(StatusCode::kInvalidArgument, "{}:{}: {}: {}", file_name_, node.Mark().line + 1,
                 path.empty() ? "the file" : path, what);
  }

  const std::string file_name_;
  int values_ = 0;
};

class Writer {
 public:
  std::string Write(const Message& message) {
    Emit(message);
    return std::string(emitter_.c_str()) + "\n";
  }

 private:
  void Emit(const Message& message) {
    emitter_ << YAML::BeginMap;
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);  // the ones that are set, by number
    std::sort(fields.begin(), fields.end(),
              [](const auto* a, const auto* b) { return a->index() < b->index(); });
    for (const FieldDescriptor* const field : fields) {
      emitter_ << YAML::Key << field->name() << YAML::Value;
      EmitField(message, *field);
    }
    emitter_ << YAML::EndMap;
  }

  void EmitField(const Message& message, const FieldDescriptor& field) {
    if (!field.is_repeated()) return EmitOne(message, field, -1);
    const bool is_short = field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE;
    emitter_ << (is_short ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
    const int size = message.GetReflection()->FieldSize(message, &field);
    for (int i = 0; i < size; ++i) EmitOne(message, field, i);
    emitter_ << YAML::EndSeq;
  }

  // `index` is that in a repeated field, or -1 for the only value.
  void EmitOne(const Message& message, const FieldDescriptor& field, int index) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const Message& inner = index < 0 ? reflection.GetMessage(message, &field)
                                         : reflection.GetRepeatedMessage(message, &field, index);
        const auto* duration = dynamic_cast<const google::protobuf::Duration*>(&inner);
        if (!duration) return Emit(inner);
        emitter_ << ca::DurationText(std::chrono::seconds(duration->seconds()));
        return;
      }
      case FieldDescriptor::CPPTYPE_BOOL:
        emitter_ << reflection.GetBool(message, &field);
        return;
      case FieldDescriptor::CPPTYPE_INT32:
        emitter_ << reflection.GetInt32(message, &field);
        return;
      default:
        EmitText(index < 0 ? reflection.GetString(message, &field)
                           : reflection.GetRepeatedString(message, &field, index));
    }
  }

  void EmitText(const std::string& text) {
    if (text.find('\n') != std::string::npos) emitter_ << YAML::Literal;
    emitter_ << text;
  }

  YAML::Emitter emitter_;
};

}  // namespace

std::string ToYaml(const Message& message) { return Writer().Write(message); }

Status ParseYaml(const std::string& text, const std::string& file_name, Message& message) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) {
      return Error(StatusCode::kInvalidArgument,
                   "{}:{}: more than one document; write one file each", file_name,
                   documents[1].Mark().line + 1);
    }
    return Reader(file_name).Fill(documents.empty() ? YAML::Node() : documents[0], "", message);
  } catch (const YAML::Exception& e) {
    return Error(StatusCode::kInvalidArgument, "{}:{}: not YAML: {}", file_name, e.mark.line + 1,
                 e.msg);
  }
}

std::vector<int> LinesOfList(const std::string& text, const std::string& key) {
  std::vector<int> lines;
  for (const YAML::Node& element : YAML::Load(text)[key]) lines.push_back(element.Mark().line + 1);
  return lines;
}

Status ParseYamlFile(const std::filesystem::path& path, Message& message) {
  const std::string text = TRY(ca::ReadFile(path, kFileSizeMax));
  return ParseYaml(text, path.string(), message);
}

}  // namespace files
