#include "ca/server/rpc/common_mapping.h"

namespace server {
namespace {

using ca::Error;
using ca::Result;
using ca::StatusCode;

constexpr int kPageSizeDefault = 100;

}  // namespace

google::protobuf::Timestamp ToProto(ca::TimePoint time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(whole.time_since_epoch().count());
  timestamp.set_nanos(static_cast<int>(std::chrono::nanoseconds(time - whole).count()));
  return timestamp;
}

Result<ca::TimePoint> TimeFrom(std::string_view field, const google::protobuf::Timestamp& time) {
  constexpr std::int64_t kEndOf9999 = 253'402'300'799;
  if (time.seconds() >= 0 && time.seconds() <= kEndOf9999) {
    return ca::TimePoint(std::chrono::seconds(time.seconds()));
  }
  return Error(StatusCode::kInvalidArgument, "{}: write a time from 1970 to 9999", field);
}

Result<ca::SpiffeId> SpiffeIdFrom(const std::string& field, const std::string& text) {
  auto id = ca::SpiffeId::Parse(text);
  if (!id.ok()) return ca::Annotate(id.status(), field + ": ");
  return id;
}

Result<int> PageSizeFrom(int asked, int size_max) {
  if (asked == 0) return kPageSizeDefault;
  if (asked > 0 && asked <= size_max) return asked;
  return Error(StatusCode::kInvalidArgument, "page_size: {} is out of bounds; write 1 to {}", asked,
               size_max);
}

}  // namespace server
