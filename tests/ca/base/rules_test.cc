#include "ca/base/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace ca {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path kRoot = PROJECT_SOURCE_DIR;

std::string TextOf(const fs::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// The first group of each match.
Names Matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Names found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

Names AllNames() {
  Names names;
  for (const Rule* rule : kAllRules) names.emplace(rule->name);
  return names;
}

// "csr.size" for itself, "csr.*" for its family.
bool Covers(const std::string& listed, const std::string& name) {
  if (!listed.ends_with(".*")) return listed == name;
  return name.starts_with(listed.substr(0, listed.size() - 1));
}

// The first column of the table under "Refusals": `a.one`, `.two` means a.one and a.two.
std::vector<std::string> DocumentedRules() {
  const std::string text = TextOf(kRoot / "docs/operating.md");
  const size_t begin = text.find("| rule |", text.find("\n## Refusals\n"));
  const size_t end = text.find("\n\n", begin);
  EXPECT_NE(begin, text.npos);
  std::vector<std::string> rules;
  std::string family;
  const std::string table = text.substr(begin, end - begin);
  const std::regex row(R"(\n\| ([^|]*) \|)");
  for (std::sregex_iterator line(table.begin(), table.end(), row), last; line != last; ++line) {
    const std::string cell = (*line)[1];
    const std::regex name(R"(`([^`]+)`)");
    for (std::sregex_iterator match(cell.begin(), cell.end(), name); match != last; ++match) {
      std::string rule = (*match)[1];
      if (rule.starts_with('.')) rule = family + rule;
      family = rule.substr(0, rule.find('.'));
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

TEST(RulesTest, EachHasItsOwnName) {
  EXPECT_EQ(AllNames().size(), std::size(kAllRules));
  for (const std::string& name : AllNames()) {
    EXPECT_TRUE(name == kRegistration.name ||
                std::regex_match(name, std::regex(R"([a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*)")))
        << name;
    for (const RuleFamily* family : kAllRuleFamilies) EXPECT_FALSE(family->Has(name)) << name;
  }
}

TEST(RulesTest, TheArrayHasAllOfThem) {
  const std::string header = TextOf(kRoot / "ca/base/rules.h");
  EXPECT_EQ(Matches(header, R"re(constexpr Rule \w+\{\s*"([^"]+)")re"), AllNames());
}

TEST(RulesTest, TheDatabaseNamesNoOther) {
  Names named;
  for (const auto& entry : fs::directory_iterator(kRoot / "db/migrations")) {
    const std::string sql = TextOf(entry.path());
    named.merge(Matches(sql, R"((?:THEN|ELSE)\s+'([a-z-]+\.[a-z-]+)')"));
  }
  EXPECT_TRUE(named.contains("join-token.expired") && named.contains("certificate.root"))
      << "the migrations are written in another way";
  const Names all = AllNames();
  for (const std::string& name : named) EXPECT_TRUE(all.contains(name)) << name;
  // And the code that turns them into refusals knows each.
  const std::string rows = TextOf(kRoot / "db/intent_rows.cc");
  const std::string revocations = TextOf(kRoot / "db/postgres_revocation_store.cc");
  Names translated = Matches(rows, R"(Refusal<ca::(\w+)>)");
  translated.merge(Matches(revocations, R"(Refusal<ca::(\w+)>)"));
  EXPECT_EQ(translated.size(), named.size());
}

TEST(RulesTest, TheDocumentationExplainsEach) {
  const std::vector<std::string> documented = DocumentedRules();
  for (const std::string& name : AllNames()) {
    EXPECT_TRUE(std::ranges::any_of(documented, [&](const auto& row) { return Covers(row, name); }))
        << name << " is missing in docs/operating.md";
  }
  for (const RuleFamily* family : kAllRuleFamilies) {
    EXPECT_TRUE(std::ranges::any_of(documented, [&](const auto& row) { return family->Has(row); }))
        << family->prefix << " is missing in docs/operating.md";
  }
}

TEST(RulesTest, TheDocumentationKnowsNoOther) {
  const Names all = AllNames();
  for (const std::string& row : DocumentedRules()) {
    const bool is_known =
        std::ranges::any_of(all, [&](const auto& name) { return Covers(row, name); }) ||
        std::ranges::any_of(kAllRuleFamilies, [&](const auto* family) { return family->Has(row); });
    EXPECT_TRUE(is_known) << row;
  }
}

// A literal would not change with its rule.
TEST(RulesTest, TheCodeSpellsNone) {
  Names spelled;
  for (const std::string& name : AllNames()) spelled.insert('"' + name + '"');
  for (const char* folder : {"ca", "crl", "db", "hsm", "ocsp", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".cc" && path.extension() != ".h") continue;
      if (path.filename() == "rules.h") continue;
      const std::string text = TextOf(path);
      for (const std::string& literal : spelled) {
        EXPECT_EQ(text.find(literal), text.npos) << path << " has " << literal;
      }
    }
  }
}

}  // namespace
}  // namespace ca
