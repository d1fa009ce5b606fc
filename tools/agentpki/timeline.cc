#include "tools/agentpki/timeline.h"

#include <fmt/format.h>

#include <algorithm>

namespace cli {

void Timeline::Add(std::string name, std::vector<Span> spans) {
  rows_.push_back({std::move(name), std::move(spans)});
}

std::string Timeline::Text() const {
  if (rows_.empty()) return "";
  ca::TimePoint begin = now_;
  ca::TimePoint end = now_;
  size_t name_width = 0;
  for (const Row& row : rows_) {
    name_width = std::max(name_width, row.name.size());
    for (const Span& span : row.spans) {
      begin = std::min(begin, span.from);
      end = std::max(end, span.to);
    }
  }
  const auto column = [&](ca::TimePoint time) {
    if (end == begin) return 0;
    const double part =
        static_cast<double>((time - begin).count()) / static_cast<double>((end - begin).count());
    return std::clamp(static_cast<int>(part * kWidth), 0, kWidth - 1);
  };

  const std::string first = ca::Rfc3339(begin).substr(0, 10);
  const std::string last = ca::Rfc3339(end).substr(0, 10);
  std::string scale(kWidth, ' ');
  scale.replace(0, first.size(), first);
  scale.replace(kWidth - last.size(), last.size(), last);
  std::string text = fmt::format("{:{}}  {}\n", "", name_width, scale);
  for (const Row& row : rows_) {
    std::string bar(kWidth, ' ');
    for (const Span& span : row.spans) {
      for (int i = column(span.from); i <= column(span.to); ++i) {
        bar[static_cast<size_t>(i)] = span.mark;
      }
    }
    bar.erase(bar.find_last_not_of(' ') + 1);
    text += fmt::format("{:{}}  {}\n", row.name, name_width, bar);
  }
  text += fmt::format("{:{}}  {:>{}} now\n", "", name_width, '^', column(now_) + 1);
  return text;
}

}  // namespace cli
