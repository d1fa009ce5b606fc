#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <string>
#include <string_view>

#include "ca/base/clock.h"
#include "ca/base/result.h"
#include "ca/base/spiffe_id.h"

namespace server {

// Shared by the mappings between the messages of proto/agentpki/v1 and the types of ca/. There is
// one mapping for each service. A mapping decides nothing; its errors are kInvalidArgument and name
// the field.

google::protobuf::Timestamp ToProto(ca::TimePoint time);

// Whole seconds. Takes the years that X.509 can write (RFC 5280 section 4.1.2.5), from 1970 on.
ca::Result<ca::TimePoint> TimeFrom(std::string_view field, const google::protobuf::Timestamp& time);

ca::Result<ca::SpiffeId> SpiffeIdFrom(const std::string& field, const std::string& text);

// 0 asks for the default, 100.
ca::Result<int> PageSizeFrom(int asked, int size_max);

}  // namespace server
