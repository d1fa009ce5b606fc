#include "tools/agentpki-bench/http_load.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "ca/base/clock.h"

namespace bench {
namespace {

using ca::Result;

constexpr std::chrono::seconds kWarmUp(1);
constexpr size_t kNonceSize = 32;

// A Lua string literal with each octet as an escape.
std::string LuaString(ca::BytesView bytes) {
  std::string text = "\"";
  for (const char octet : bytes) {
    text += fmt::format("\\{:03}", static_cast<unsigned>(static_cast<unsigned char>(octet)));
  }
  return text + "\"";
}

std::string PostScript(const HttpQuestion& question) {
  std::string script =
      "wrk.method = 'POST'\n"
      "wrk.headers['Content-Type'] = 'application/ocsp-request'\n"
      "wrk.body = " +
      LuaString(question.ocsp_request) + "\n";
  if (question.nonce.empty()) return script;
  // The HTTP head is formatted once, because all requests have the same length.
  const size_t at = question.ocsp_request.find(question.nonce);
  script += fmt::format(
      "local before, after = {}, {}\n"
      "local head, count = nil, 0\n"
      "local run = '{:08x}{:08x}'\n"
      "request = function()\n"
      "  if not head then head = string.sub(wrk.format(), 1, -1 - #wrk.body) .. before end\n"
      "  count = count + 1\n"
      "  return head .. run .. string.format('%016x', count) .. after\n"
      "end\n",
      LuaString(ca::BytesView(question.ocsp_request).substr(0, at)),
      LuaString(ca::BytesView(question.ocsp_request).substr(at + kNonceSize)),
      static_cast<std::uint32_t>(ca::SystemClock().Now().time_since_epoch().count() >> 8),
      static_cast<std::uint32_t>(getpid()));
  return script;
}

// Prints exact figures, because wrk's own output rounds them.
constexpr std::string_view kDone =
    "done = function(summary, latency)\n"
    "  local e = summary.errors\n"
    "  io.write(string.format('\\nAGENTPKI %.0f %.0f %.0f %.0f %.0f\\n', summary.requests,\n"
    "    summary.duration, latency:percentile(50), latency:percentile(99),\n"
    "    e.connect + e.read + e.write + e.status + e.timeout))\n"
    "end\n";

std::chrono::microseconds Used(const CpuClock& cpu) {
  const auto readings = cpu.Read();
  return std::accumulate(readings.begin(), readings.end(), std::chrono::microseconds{},
                         [](auto sum, const auto& reading) { return sum + reading.used; });
}

std::vector<std::string> WrkCommand(const HttpQuestion& question, std::chrono::seconds duration,
                                    const std::filesystem::path& script) {
  return {"wrk",       "-t1", "-c48", fmt::format("-d{}s", duration.count()),
          "--latency", "-s",  script, question.url};
}

// The best rate of the servers whose name begins with `baseline`. 0 if there is none.
double BestOf(const std::vector<HttpRate>& rates, const std::string& baseline) {
  double best = 0;
  for (const HttpRate& rate : rates) {
    if (rate.server.starts_with(baseline)) best = std::max(best, rate.requests_per_second);
  }
  return best;
}

}  // namespace

Result<HttpRate> MeasureHttp(const HttpLoad& load, std::chrono::seconds duration,
                             const TemporaryFolder& folder) {
  fmt::print(stderr, "{}: {} for {} s\n", load.server, load.question, duration.count());
  const HttpQuestion& question = load.asked;
  std::string script(kDone);
  if (!question.ocsp_request.empty()) script += PostScript(question);
  TRY(folder.Write("wrk.lua", script));
  const auto log = folder.path() / "wrk.log";
  if (question.is_warmed_up) {
    TRY(OutputOf(WrkCommand(question, kWarmUp, folder.path() / "wrk.lua"), log));
  }

  const CpuClock cpu(load.processes);
  const auto cpu_before = Used(cpu);
  const std::string said =
      TRY(OutputOf(WrkCommand(question, duration, folder.path() / "wrk.lua"), log));
  const auto cpu_used = Used(cpu) - cpu_before;
  const size_t line = said.find("AGENTPKI ");
  double requests = 0;
  double micros = 0;
  HttpRate rate{.server = load.server, .question = load.question};
  if (line == std::string::npos ||
      std::sscanf(said.c_str() + line, "AGENTPKI %lf %lf %lf %lf %lf", &requests, &micros,
                  &rate.p50_ms, &rate.p99_ms, &rate.failures) != 5 ||
      micros <= 0) {
    return ca::Error(ca::StatusCode::kFailedPrecondition, "wrk printed no figures; its output: {}",
                     said);
  }
  rate.requests_per_second = requests / micros * 1e6;
  rate.p50_ms /= 1000;
  rate.p99_ms /= 1000;
  if (requests > 0) rate.cpu_us_per_request = static_cast<double>(cpu_used.count()) / requests;
  return rate;
}

google::protobuf::ListValue RatesForJson(const std::vector<HttpRate>& rates,
                                         const std::vector<std::string>& baselines) {
  google::protobuf::ListValue list;
  for (const HttpRate& rate : rates) {
    auto& cells = *list.add_values()->mutable_struct_value()->mutable_fields();
    cells["server"].set_string_value(rate.server);
    cells["question"].set_string_value(rate.question);
    cells["requests_per_second"].set_number_value(rate.requests_per_second);
    cells["p50_ms"].set_number_value(rate.p50_ms);
    cells["p99_ms"].set_number_value(rate.p99_ms);
    cells["failures"].set_number_value(rate.failures);
    cells["cpu_us_per_request"].set_number_value(rate.cpu_us_per_request);
    for (const std::string& baseline : baselines) {
      const double best = BestOf(rates, baseline);
      if (best > 0) cells["ratio_to_" + baseline].set_number_value(rate.requests_per_second / best);
    }
  }
  return list;
}

void PrintRates(const std::vector<HttpRate>& rates, const std::vector<std::string>& baselines) {
  std::vector<std::string> header = {"SERVER", "QUESTION", "REQUESTS/S",    "P50 MS",
                                     "P99 MS", "FAILED",   "CPU US/REQUEST"};
  for (const std::string& baseline : baselines) header.push_back("OF " + baseline);
  client::Table table(header);
  for (const HttpRate& rate : rates) {
    std::vector<std::string> row = {rate.server,
                                    rate.question,
                                    fmt::format("{:.0f}", rate.requests_per_second),
                                    fmt::format("{:.2f}", rate.p50_ms),
                                    fmt::format("{:.2f}", rate.p99_ms),
                                    fmt::format("{:.0f}", rate.failures),
                                    fmt::format("{:.1f}", rate.cpu_us_per_request)};
    for (const std::string& baseline : baselines) {
      const double best = BestOf(rates, baseline);
      row.push_back(best > 0 ? fmt::format("{:.3f}", rate.requests_per_second / best) : "");
    }
    table.Add(std::move(row));
  }
  table.Print();
}

}  // namespace bench
