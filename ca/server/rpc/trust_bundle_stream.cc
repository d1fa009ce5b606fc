#include "ca/server/rpc/trust_bundle_stream.h"

#include "ca/server/rpc/trust_bundle_mapping.h"

namespace server {

// gRPC may call back from within its functions, so no function of gRPC is called under the lock.

std::shared_ptr<TrustBundleStream> TrustBundleStream::New(grpc::CallbackServerContext* context,
                                                          const CallGate& call_gate,
                                                          const ca::TrustBundles& bundles) {
  std::shared_ptr<TrustBundleStream> stream(new TrustBundleStream(context, call_gate, bundles));
  stream->self_ = stream;
  return stream;
}

void TrustBundleStream::SetSubject(ca::Caller caller, ca::HierarchyId hierarchy) {
  caller_ = std::move(caller);
  hierarchy_ = hierarchy;
}

void TrustBundleStream::Begin() {
  std::optional<ca::Status> end;
  {
    const std::lock_guard lock(mutex_);
    has_begun_ = true;
    end = end_at_begin_;
  }
  if (end) {
    call_gate_.End(*this, *end);
  } else if (const auto bundle = bundles_.Newest(hierarchy_)) {
    Offer(*bundle);
  }
}

void TrustBundleStream::End(const ca::Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (!has_begun_) {
      end_at_begin_ = why;
      return;
    }
  }
  call_gate_.End(*this, why);
}

bool TrustBundleStream::WantsLocked(int version) const {
  return has_begun_ && !end_ && !is_writing_ && version != sent_version_;
}

bool TrustBundleStream::Wants(int version) const {
  const std::lock_guard lock(mutex_);
  return WantsLocked(version);
}

void TrustBundleStream::Offer(const ca::TrustBundle& bundle) {
  {
    const std::lock_guard lock(mutex_);
    if (!WantsLocked(bundle.version)) return;
    is_writing_ = true;
    sent_version_ = bundle.version;
    *message_.mutable_bundle() = ToProto(bundle);
  }
  StartWrite(&message_);
}

bool TrustBundleStream::HasBegun() const {
  const std::lock_guard lock(mutex_);
  return has_begun_;
}

bool TrustBundleStream::HasEnded() const {
  const std::lock_guard lock(mutex_);
  return end_.has_value();
}

bool TrustBundleStream::IsSending() const {
  const std::lock_guard lock(mutex_);
  return is_writing_ && !is_done_;
}

// gRPC sends the status only after the bundle that is being sent.
void TrustBundleStream::Finish(const grpc::Status& status, const std::string& rule) {
  {
    const std::lock_guard lock(mutex_);
    end_ = status;
    if (!rule.empty()) context_->AddTrailingMetadata(CallGate::kRuleMetadata, rule);
    if (is_writing_) return;
  }
  ServerWriteReactor::Finish(status);
}

void TrustBundleStream::OnWriteDone(bool is_written) {
  std::optional<grpc::Status> end;
  {
    const std::lock_guard lock(mutex_);
    is_writing_ = false;
    message_.clear_bundle();
    end = end_;
  }
  if (end) {
    ServerWriteReactor::Finish(*end);
  } else if (!is_written) {
    OnCancel();
  }
}

void TrustBundleStream::Abandon() {
  const std::lock_guard lock(mutex_);
  if (end_ && is_writing_ && !is_done_) context_->TryCancel();
}

void TrustBundleStream::OnCancel() {
  End(ca::Error(ca::StatusCode::kCancelled, "the caller went away"));
}

void TrustBundleStream::OnDone() {
  std::shared_ptr<TrustBundleStream> self;
  const std::lock_guard lock(mutex_);
  is_done_ = true;
  self = std::move(self_);
}

}  // namespace server
