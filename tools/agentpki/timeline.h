#pragma once

#include <string>
#include <vector>

#include "ca/base/clock.h"

namespace cli {

// A text chart with one bar per row, all rows to one scale of time.
class Timeline {
 public:
  struct Span {
    ca::TimePoint from;
    ca::TimePoint to;
    char mark;  // the character that fills the bar
  };

  explicit Timeline(ca::TimePoint now) : now_(now) {}

  // Adds a row. If two spans meet in one column, the later one in `spans` is drawn.
  void Add(std::string name, std::vector<Span> spans);

  // Returns a line with the ends of the scale, a line for each row, and a line that points at now;
  // "" if there are no rows.
  std::string Text() const;

 private:
  static constexpr int kWidth = 60;
  struct Row {
    std::string name;
    std::vector<Span> spans;
  };

  const ca::TimePoint now_;
  std::vector<Row> rows_;
};

}  // namespace cli
