#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ca {

// One field that two values of the same type do not have in common.
struct FieldChange {
  std::string field;      // its path in the file: issuing.rotate_every, profiles.agent.lifetime
  std::string before;     // as it is written in YAML; "" if it was not there
  std::string after;      // "" if it is no longer there
  bool widens = false;    // it allows more than before, or nobody can see that it allows less
  bool is_fixed = false;  // it cannot change

  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// Stands in a path for a member that no row lists.
inline constexpr char kUnlistedField[] = "(unlisted)";

// The value of one field as the items of a list; a single value is one item. Empty if it is not
// there.
using FieldItems = std::vector<std::string>;
std::string TextOf(const FieldItems& items);  // "p256, p384"

// The value of one field of one file, with its path.
struct FieldValue {
  std::string field;
  FieldItems items;
};

enum class FieldStability {
  kChangeable,
  kFixed,
  kPresenceFixed,  // its value can change, but it can neither come nor go
};

// The changes of a table in the order of its rows; what is no longer there comes last.
class FieldChanges {
 public:
  void Add(FieldChange change) {
    (change.after.empty() ? gone_ : there_).push_back(std::move(change));
  }
  std::vector<FieldChange> Take() {
    std::move(gone_.begin(), gone_.end(), std::back_inserter(there_));
    return std::move(there_);
  }

 private:
  std::vector<FieldChange> there_;
  std::vector<FieldChange> gone_;
};

// One row of a FieldTable: one or more members of T, which are one field or one list of the file.
template <typename T>
class FieldRow {
 public:
  // Says whether the changes below a row widen: as each field's own rule says, all, or none.
  enum class Verdict { kByField, kAll, kNone };

  virtual ~FieldRow() = default;
  virtual void AddPaths(const std::string& prefix, std::vector<std::string>& paths) const = 0;
  virtual void AddValues(const std::string& prefix, const T& of,
                         std::vector<FieldValue>& values) const = 0;
  // `before` or `after` is null if there is none.
  virtual void AddChanges(const std::string& prefix, const T* before, const T* after,
                          Verdict verdict, FieldChanges& changes) const = 0;
  virtual void Copy(const T& from, T& to) const = 0;
};

// The one list of the fields of T as its file has them: path, members, whether it can change and
// when it widens. Fails closed: a member that no row lists counts as different, as widening and as
// fixed (see HasUnlistedChange). Immutable.
template <typename T>
class FieldTable {
 public:
  using Row = FieldRow<T>;
  using Verdict = typename Row::Verdict;

  explicit FieldTable(std::vector<std::shared_ptr<const Row>> rows) : rows_(std::move(rows)) {}

  void AddPaths(const std::string& prefix, std::vector<std::string>& paths) const {
    for (const auto& row : rows_) row->AddPaths(prefix, paths);
  }
  void AddValues(const std::string& prefix, const T& of, std::vector<FieldValue>& values) const {
    for (const auto& row : rows_) row->AddValues(prefix, of, values);
  }
  void AddChanges(const std::string& prefix, const T* before, const T* after, Verdict verdict,
                  FieldChanges& changes) const {
    for (const auto& row : rows_) row->AddChanges(prefix, before, after, verdict, changes);
    if (before && after) AddUnlistedChange(prefix, *before, *after, changes);
  }
  // Adds one change if the two differ in a member that no row lists.
  void AddUnlistedChange(const std::string& prefix, const T& before, const T& after,
                         FieldChanges& changes) const {
    T rest = after;
    for (const auto& row : rows_) row->Copy(before, rest);
    if (rest == before) return;
    changes.Add({prefix + kUnlistedField, "?", "?", /*widens=*/true, /*is_fixed=*/true});
  }

 private:
  std::vector<std::shared_ptr<const Row>> rows_;
};

// A row that is one field.
template <typename T>
class SingleField final : public FieldRow<T> {
 public:
  using Verdict = typename FieldRow<T>::Verdict;

  std::string path;  // below the table's own
  FieldStability stability = FieldStability::kFixed;
  std::function<FieldItems(const T&)> read;
  std::function<bool(const T&, const T&)> is_same;
  std::function<void(const T& from, T& to)> copy;
  std::function<bool(const T& before, const T& after)> widens;  // asked only if they differ

  void AddPaths(const std::string& prefix, std::vector<std::string>& paths) const override {
    paths.push_back(prefix + path);
  }
  void AddValues(const std::string& prefix, const T& of,
                 std::vector<FieldValue>& values) const override {
    values.push_back({prefix + path, read(of)});
  }
  void AddChanges(const std::string& prefix, const T* before, const T* after, Verdict verdict,
                  FieldChanges& changes) const override {
    const FieldItems old_items = before ? read(*before) : FieldItems();
    const FieldItems new_items = after ? read(*after) : FieldItems();
    const bool has_both = before && after;
    if (old_items == new_items && (!has_both || is_same(*before, *after))) return;
    const bool is_fixed =
        has_both &&
        (stability == FieldStability::kFixed ||
         (stability == FieldStability::kPresenceFixed && old_items.empty() != new_items.empty()));
    const bool does_widen = verdict == Verdict::kAll ||
                            (verdict == Verdict::kByField && has_both && widens(*before, *after));
    changes.Add({prefix + path, TextOf(old_items), TextOf(new_items), does_widen, is_fixed});
  }
  void Copy(const T& from, T& to) const override { copy(from, to); }
};

enum class ListWidening {
  // A new element widens, an element that is gone does not, and the fields of the others have their
  // own rules. The rule of the list is about the order of the names.
  kByElement,
  // The rule of the list says whether everything that differs in it widens, or nothing does.
  kWhole,
};

// A row that is a list of elements, each with a `name` of its own. Elements of the same name are
// compared; the order of the names is a value of its own.
template <typename T, typename Element>
class FieldList final : public FieldRow<T> {
 public:
  using Elements = std::vector<Element>;
  using Verdict = typename FieldRow<T>::Verdict;
  using ElementVerdict = typename FieldRow<Element>::Verdict;

  std::string path;
  FieldTable<Element> elements{{}};
  std::function<const Elements&(const T&)> read;
  std::function<void(const T& from, T& to)> copy;
  std::function<bool(const T& before, const T& after)> widens;
  ListWidening how = ListWidening::kWhole;

  void AddPaths(const std::string& prefix, std::vector<std::string>& paths) const override {
    elements.AddPaths(prefix + path + ".*.", paths);
  }

  void AddValues(const std::string& prefix, const T& of,
                 std::vector<FieldValue>& values) const override {
    for (const Element& element : read(of)) {
      elements.AddValues(prefix + path + "." + element.name + ".", element, values);
    }
    values.push_back({prefix + path, NamesOf(read(of))});
  }

  void AddChanges(const std::string& prefix, const T* before, const T* after, Verdict verdict,
                  FieldChanges& changes) const override {
    const Elements none;
    const Elements& old_elements = before ? read(*before) : none;
    const Elements& new_elements = after ? read(*after) : none;
    const bool does_widen = verdict == Verdict::kAll || (verdict == Verdict::kByField && before &&
                                                         after && widens(*before, *after));
    const auto verdict_on = [&](const Element* old_element, const Element* new_element) {
      if (verdict != Verdict::kByField || how == ListWidening::kWhole) {
        return does_widen ? ElementVerdict::kAll : ElementVerdict::kNone;
      }
      if (old_element && new_element) return ElementVerdict::kByField;
      return new_element ? ElementVerdict::kAll : ElementVerdict::kNone;
    };
    const auto compare = [&](const Element* old_element, const Element* new_element) {
      const std::string& name = new_element ? new_element->name : old_element->name;
      const std::string element_prefix = prefix + path + "." + name + ".";
      elements.AddChanges(element_prefix, old_element, new_element,
                          verdict_on(old_element, new_element), changes);
      // Nobody could approve a new element as it is if the changes did not show all of it.
      if (!old_element) {
        elements.AddUnlistedChange(element_prefix, Element(), *new_element, changes);
      }
    };
    for (const Element& element : new_elements) compare(Find(old_elements, element.name), &element);
    for (const Element& element : old_elements) {
      if (!Find(new_elements, element.name)) compare(&element, nullptr);
    }
    const FieldItems old_names = NamesOf(old_elements);
    const FieldItems new_names = NamesOf(new_elements);
    if (old_names == new_names) return;
    changes.Add({prefix + path, TextOf(old_names), TextOf(new_names), does_widen, false});
  }

  void Copy(const T& from, T& to) const override { copy(from, to); }

 private:
  static const Element* Find(const Elements& elements, const std::string& name) {
    const auto found = std::find_if(elements.begin(), elements.end(),
                                    [&](const Element& element) { return element.name == name; });
    return found == elements.end() ? nullptr : &*found;
  }
  static FieldItems NamesOf(const Elements& elements) {
    FieldItems names;
    for (const Element& element : elements) names.push_back(element.name);
    return names;
  }
};

}  // namespace ca
