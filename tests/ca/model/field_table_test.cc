// A list of fields over a type of its own, with a member that the list leaves out.

#include "ca/model/field_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ca {
namespace {

struct Part {
  std::string name;
  int size = 0;
  int unlisted = 0;
  friend bool operator==(const Part&, const Part&) = default;
};

struct Whole {
  int size = 0;
  std::string label;
  int unlisted = 0;
  std::vector<Part> parts;
  friend bool operator==(const Whole&, const Whole&) = default;
};

template <typename T>
std::shared_ptr<SingleField<T>> SizeRow(FieldStability stability) {
  auto row = std::make_shared<SingleField<T>>();
  row->path = "size";
  row->stability = stability;
  row->read = [](const T& of) { return FieldItems{std::to_string(of.size)}; };
  row->is_same = [](const T& a, const T& b) { return a.size == b.size; };
  row->copy = [](const T& from, T& to) { to.size = from.size; };
  row->widens = [](const T& before, const T& after) { return after.size > before.size; };
  return row;
}

std::shared_ptr<SingleField<Whole>> LabelRow() {
  auto row = std::make_shared<SingleField<Whole>>();
  row->path = "label";
  row->stability = FieldStability::kPresenceFixed;
  row->read = [](const Whole& of) {
    return of.label.empty() ? FieldItems() : FieldItems{of.label};
  };
  row->is_same = [](const Whole& a, const Whole& b) { return a.label == b.label; };
  row->copy = [](const Whole& from, Whole& to) { to.label = from.label; };
  row->widens = [](const Whole&, const Whole&) { return false; };
  return row;
}

using Parts = FieldList<Whole, Part>;

std::shared_ptr<Parts> PartsRow(ListWidening how) {
  auto name = std::make_shared<SingleField<Part>>();
  name->path = "name";
  name->read = [](const Part& of) { return FieldItems{of.name}; };
  name->is_same = [](const Part& a, const Part& b) { return a.name == b.name; };
  name->copy = [](const Part& from, Part& to) { to.name = from.name; };
  name->widens = [](const Part&, const Part&) { return true; };
  auto row = std::make_shared<Parts>();
  row->path = "parts";
  row->elements = FieldTable<Part>({name, SizeRow<Part>(FieldStability::kChangeable)});
  row->read = [](const Whole& of) -> const std::vector<Part>& { return of.parts; };
  row->copy = [](const Whole& from, Whole& to) { to.parts = from.parts; };
  row->widens = [](const Whole& before, const Whole& after) {
    return after.parts.size() > before.parts.size();
  };
  row->how = how;
  return row;
}

class FieldTableTest : public ::testing::Test {
 protected:
  using Verdict = FieldRow<Whole>::Verdict;

  static FieldTable<Whole> TableOf(ListWidening how) {
    return FieldTable<Whole>({SizeRow<Whole>(FieldStability::kFixed), LabelRow(), PartsRow(how)});
  }
  static std::vector<FieldChange> Changes(const Whole& before, const Whole& after,
                                          ListWidening how = ListWidening::kByElement) {
    FieldChanges changes;
    TableOf(how).AddChanges("", &before, &after, Verdict::kByField, changes);
    return changes.Take();
  }
  using ChangeList = std::vector<FieldChange>;

  const Whole standing_{.size = 1, .label = "x", .parts = {{"a", 1}, {"b", 2}}};
  Whole wanted_ = standing_;
};

TEST_F(FieldTableTest, HasAPathForEachField) {
  std::vector<std::string> paths;
  TableOf(ListWidening::kWhole).AddPaths("", paths);
  EXPECT_EQ(paths, (std::vector<std::string>{"size", "label", "parts.*.name", "parts.*.size"}));
}

TEST_F(FieldTableTest, HasNoChangeIfNothingDiffers) {
  EXPECT_TRUE(Changes(standing_, standing_).empty());
}

TEST_F(FieldTableTest, SaysOfEachChangeWhetherItWidensAndIsFixed) {
  wanted_.size = 2;
  wanted_.parts[0].size = 0;
  wanted_.parts[1].size = 3;
  EXPECT_EQ(Changes(standing_, wanted_), (ChangeList{{"size", "1", "2", true, true},
                                                     {"parts.a.size", "1", "0", false, false},
                                                     {"parts.b.size", "2", "3", true, false}}));
}

TEST_F(FieldTableTest, FixesThePresenceOfAFieldAlone) {
  wanted_.label = "y";
  EXPECT_EQ(Changes(standing_, wanted_), (ChangeList{{"label", "x", "y", false, false}}));
  wanted_.label = "";
  EXPECT_EQ(Changes(standing_, wanted_), (ChangeList{{"label", "x", "", false, true}}));
  EXPECT_EQ(Changes(wanted_, standing_), (ChangeList{{"label", "", "x", false, true}}));
}

TEST_F(FieldTableTest, WidensByANewElementAndNotByOneThatIsGone) {
  wanted_.parts = {{"b", 2}, {"c", 0}};
  EXPECT_EQ(Changes(standing_, wanted_), (ChangeList{{"parts.c.name", "", "c", true, false},
                                                     {"parts.c.size", "", "0", true, false},
                                                     {"parts", "a, b", "b, c", false, false},
                                                     {"parts.a.name", "a", "", false, false},
                                                     {"parts.a.size", "1", "", false, false}}));
}

TEST_F(FieldTableTest, JudgesAListAsAWholeWhereItsRowSaysSo) {
  wanted_.parts[0].size = 0;
  EXPECT_EQ(Changes(standing_, wanted_, ListWidening::kWhole),
            (ChangeList{{"parts.a.size", "1", "0", false, false}}));
  wanted_.parts.push_back({"c", 0});
  for (const FieldChange& change : Changes(standing_, wanted_, ListWidening::kWhole)) {
    EXPECT_TRUE(change.widens) << change.field;
  }
}

TEST_F(FieldTableTest, ComparesTheOrderOfNames) {
  std::swap(wanted_.parts[0], wanted_.parts[1]);
  EXPECT_EQ(Changes(standing_, wanted_), (ChangeList{{"parts", "a, b", "b, a", false, false}}));
}

// ---- members that no row lists ------------------------------------------------------------------

TEST_F(FieldTableTest, CountsAnUnlistedMemberAsDifferentWideningAndFixed) {
  wanted_.unlisted = 1;
  EXPECT_EQ(Changes(standing_, wanted_), (ChangeList{{kUnlistedField, "?", "?", true, true}}));
}

TEST_F(FieldTableTest, CountsAnUnlistedMemberOfAnElement) {
  for (const ListWidening how : {ListWidening::kByElement, ListWidening::kWhole}) {
    Whole wanted = standing_;
    wanted.parts[1].unlisted = 1;
    EXPECT_EQ(Changes(standing_, wanted, how),
              (ChangeList{{"parts.b.(unlisted)", "?", "?", true, true}}));
  }
}

TEST_F(FieldTableTest, CountsAnUnlistedMemberOfANewElement) {
  wanted_.parts.push_back({"c", 0, /*unlisted=*/1});
  const ChangeList changes = Changes(standing_, wanted_);
  EXPECT_NE(std::find(changes.begin(), changes.end(),
                      FieldChange{"parts.c.(unlisted)", "?", "?", true, true}),
            changes.end());
}

}  // namespace
}  // namespace ca
