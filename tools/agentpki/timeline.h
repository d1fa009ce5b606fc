#pragma once

#include <string>
#include <vector>

#include "ca/base/clock.h"

namespace cli {

// Spans of time below each other, to the same scale, as text: what overlaps is seen to overlap.
class Timeline {
 public:
  struct Span {
    ca::TimePoint from;
    ca::TimePoint to;
    char mark;  // what fills it
  };

  explicit Timeline(ca::TimePoint now) : now_(now) {}

  // Of two spans that meet in one column the later one is drawn.
  void Add(std::string name, std::vector<Span> spans);

  // A line each, between a line with the ends of the scale and one that points at now. "" when
  // nothing was added.
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
