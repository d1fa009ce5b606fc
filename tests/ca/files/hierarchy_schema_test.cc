// The schema of a hierarchy's file, the list of its fields and the mapping between them name the
// same fields: a field that is added to one of them alone fails here.

#include <gmock/gmock.h>
#include <google/protobuf/duration.pb.h>

#include "agentpki/v1/hierarchy.pb.h"
#include "ca/files/hierarchy_file.h"
#include "ca/model/hierarchy_fields.h"
#include "tests/fakes/hierarchy_field_samples.h"
#include "tests/fakes/must.h"

namespace files {
namespace {

using ca::testing::FullDeclaration;
using ca::testing::HierarchyFieldSample;
using ca::testing::HierarchyFieldSamples;
using ca::testing::Must;
using ::testing::ElementsAreArray;
using ::testing::UnorderedElementsAreArray;

// The paths of all fields below a message; `*` stands for the name of a list's element.
void AddPaths(const google::protobuf::Descriptor& schema, const std::string& prefix,
              std::vector<std::string>& paths) {
  for (int i = 0; i < schema.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& field = *schema.field(i);
    const std::string path = prefix + field.name();
    const auto* const inner = field.message_type();
    if (!inner || inner == google::protobuf::Duration::descriptor()) {
      paths.push_back(path);
    } else {
      AddPaths(*inner, path + (field.is_repeated() ? ".*." : "."), paths);
    }
  }
}

std::vector<std::string> PathsOfTheSchema() {
  std::vector<std::string> paths;
  AddPaths(*agentpki::v1::HierarchySpec::descriptor(), "", paths);
  return paths;
}

TEST(HierarchySchemaTest, HasTheFieldsOfTheListInItsOrder) {
  EXPECT_THAT(ca::HierarchyFieldPaths(), ElementsAreArray(PathsOfTheSchema()))
      << "write the field into ca/model/hierarchy_fields.cc";
}

TEST(HierarchySchemaTest, HasASampleOfEachField) {
  std::vector<std::string> sampled;
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) sampled.push_back(sample.path);
  EXPECT_THAT(sampled, UnorderedElementsAreArray(PathsOfTheSchema()))
      << "write a change of the field into tests/fakes/hierarchy_field_samples.cc";
}

TEST(HierarchySchemaTest, WritesAndReadsEachField) {
  const std::string standing = SpecOf(FullDeclaration()).SerializeAsString();
  for (const HierarchyFieldSample& sample : HierarchyFieldSamples()) {
    ca::HierarchyDeclaration changed = FullDeclaration();
    sample.change(changed);
    const agentpki::v1::HierarchySpec spec = SpecOf(changed);
    EXPECT_NE(spec.SerializeAsString(), standing) << sample.path << " is not written";
    const auto read = DeclarationOf(spec);
    ASSERT_TRUE(read.ok()) << sample.path << ": " << read.status();
    EXPECT_TRUE(*read == changed) << sample.path << " is not read";
  }
}

}  // namespace
}  // namespace files
