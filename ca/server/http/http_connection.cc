#include "ca/server/http/http_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "ca/server/http/http_response_writer.h"

namespace server {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr size_t kReadSize = 4096;
// Answers to requests that arrived together are sent together, up to this size. Later answers wait.
constexpr size_t kOutputMax = 32 * 1024;
constexpr size_t kOutputKept = 8 * 1024;  // capacity that an idle connection keeps
// A refused peer goes on sending for a while. If we closed at once, its system would discard our
// answer (RFC 9112 section 9.6).
constexpr std::chrono::seconds kLingerTime(2);
constexpr size_t kLingerSize = 256 * 1024;

std::string_view View(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

HttpResponse Busy() {
  HttpResponse response =
      HttpResponse::Line(503, "the server has as many requests as it can take; try again");
  response.Add("Retry-After", "1");
  return response;
}

}  // namespace

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, HttpAdmission::Address address,
                               HttpContext& context)
    : context_(context),
      socket_(std::move(socket)),
      address_(address),
      parser_({.header = context.limits.header, .body = context.limits.body}),
      input_(HttpRequestParser::InputMax({context.limits.header, context.limits.body})) {}

HttpConnection::~HttpConnection() { Close(); }

void HttpConnection::Start() {
  context_.open.insert(this);
  Enter(State::kReceiving, context_.limits.request_time);
  Proceed();
}

void HttpConnection::CloseIfOverdue(Steady::time_point now) {
  if (now < deadline_) return;
  if (state_ == State::kReceiving && parser_.has_begun()) {
    // One attempt only: if the peer's system does not take the answer at once, it is lost.
    Refuse(HttpResponse::Line(408, "the request did not arrive in time; send it faster"));
    Send();
  } else if (state_ == State::kWriting) {
    // Without a reset, the system would keep the unsent octets for minutes.
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  }
  Close();
}

void HttpConnection::CloseSoon() {
  closes_after_response_ = true;
  const bool is_busy = state_ == State::kHandling || state_ == State::kWriting ||
                       (state_ == State::kReceiving && parser_.has_begun());
  if (!is_busy) Close();
}

void HttpConnection::Close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  context_.open.erase(this);
  context_.admission.Leave(address_);
}

void HttpConnection::Enter(State state, std::chrono::milliseconds time) {
  state_ = state;
  deadline_ = Steady::now() + time;
}

void HttpConnection::EnterBetweenRequests() {
  if (parser_.has_begun()) {
    Enter(State::kReceiving, context_.limits.request_time);
  } else {
    Enter(State::kIdle, context_.limits.idle_time);
  }
}

void HttpConnection::Read() {
  const size_t room = std::min(kReadSize, input_.max_size() - input_.size());
  socket_.async_read_some(input_.prepare(room),
                          [self = shared_from_this()](const error_code& error, size_t size) {
                            self->OnRead(error, size);
                          });
}

void HttpConnection::OnRead(const error_code& error, size_t size) {
  if (state_ == State::kClosed) return;
  if (error) return Close();  // the peer sends no more, and it has all its answers
  input_.commit(size);
  Proceed();
}

// Runs the connection: sends all output, takes the next step, and returns when it has to wait.
void HttpConnection::Proceed() {
  while (state_ != State::kClosed) {
    const Sent sent = Send();
    if (sent == Sent::kLater) return;
    if (sent == Sent::kBroken) return Close();
    if (state_ == State::kWriting) EnterBetweenRequests();
    switch (next_) {
      case Next::kAnswer:
        next_ = AnswerBuffered();
        break;
      case Next::kRead:
        if (closes_after_response_ && !parser_.has_begun()) return Close();
        next_ = Next::kAnswer;
        return Read();
      case Next::kHandOver:
        next_ = Next::kAnswer;
        if (HandOver()) return;
        next_ = Answer(Busy());
        break;
      case Next::kEnd:
        return End();
    }
  }
}

// Answers the requests that have arrived, as long as there is room for more output.
HttpConnection::Next HttpConnection::AnswerBuffered() {
  while (output_.size() < kOutputMax && body_.empty()) {
    size_t consumed = 0;
    const auto progress = parser_.Consume(View(input_), consumed);
    input_.consume(consumed);
    if (state_ == State::kIdle && parser_.has_begun()) EnterBetweenRequests();
    switch (progress) {
      case HttpRequestParser::Progress::kNeedsMore:
        if (input_.size() < input_.max_size()) return Next::kRead;
        return Refuse(HttpResponse::Line(431, "the fields of the request are too long"));
      case HttpRequestParser::Progress::kHeaderEnded:
        if (parser_.expects_continue() && !parser_.is_http_1_0() && input_.size() == 0) {
          output_ += "HTTP/1.1 100 Continue\r\n\r\n";
        }
        break;
      case HttpRequestParser::Progress::kRefused:
        return Refuse(parser_.refusal());
      case HttpRequestParser::Progress::kDone: {
        const auto response = context_.handler.HandleAtOnce(parser_.request());
        if (!response) return Next::kHandOver;
        if (Answer(*response) == Next::kEnd) return Next::kEnd;
      }
    }
  }
  return Next::kAnswer;
}

// Writes the answer to the parser's request, and prepares the parser for the next request.
HttpConnection::Next HttpConnection::Answer(const HttpResponse& response) {
  const bool keeps_alive = parser_.keeps_alive() && !closes_after_response_;
  body_ = WriteResponse(response,
                        {.now = context_.clock.Now(),
                         .is_head = parser_.is_head(),
                         .keeps_alive = keeps_alive,
                         .is_http_1_0 = parser_.is_http_1_0()},
                        output_);
  if (!body_.empty()) owner_ = response.owner;
  parser_.Reset();
  Enter(State::kIdle, context_.limits.idle_time);
  if (!keeps_alive) lingers_ = input_.size() > 0;
  return keeps_alive ? Next::kAnswer : Next::kEnd;
}

HttpConnection::Next HttpConnection::Refuse(const HttpResponse& response) {
  closes_after_response_ = true;
  Answer(response);
  lingers_ = true;
  return Next::kEnd;
}

bool HttpConnection::HandOver() {
  state_ = State::kHandling;
  deadline_ = Steady::time_point::max();
  return context_.run([self = shared_from_this()]() mutable {
    HttpResponse response = self->context_.handler.Handle(self->parser_.request());
    auto executor = self->socket_.get_executor();
    // Moving `self` makes the connection's own thread, or the end of its context, destroy it.
    asio::post(executor, [self = std::move(self), response = std::move(response)] {
      if (self->state_ == State::kClosed) return;
      self->next_ = self->Answer(response);
      self->Proceed();
    });
  });
}

HttpConnection::Sent HttpConnection::Send() {
  while (output_sent_ < output_.size() + body_.size()) {
    const size_t of_output = std::min(output_sent_, output_.size());
    const size_t of_body = output_sent_ - of_output;
    const std::array<asio::const_buffer, 2> rest = {
        asio::buffer(output_.data() + of_output, output_.size() - of_output),
        asio::buffer(body_.data() + of_body, body_.size() - of_body)};
    error_code error;
    output_sent_ += socket_.write_some(rest, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      WaitUntilWritable();
      return Sent::kLater;
    }
    if (error && error != asio::error::interrupted) return Sent::kBroken;
  }
  if (output_.capacity() > kOutputKept) {
    output_ = {};
  } else {
    output_.clear();
  }
  body_ = {};
  owner_.reset();
  output_sent_ = 0;
  return Sent::kAll;
}

void HttpConnection::WaitUntilWritable() {
  if (state_ != State::kWriting) {  // one deadline for the whole response, however slow the peer
    const size_t rest = output_.size() + body_.size() - output_sent_;
    Enter(State::kWriting, context_.limits.write_time +
                               std::chrono::milliseconds(rest * 1000 / context_.limits.write_rate));
  }
  socket_.async_wait(asio::ip::tcp::socket::wait_write,
                     [self = shared_from_this()](const error_code& error) {
                       if (self->state_ == State::kClosed) return;
                       if (error) return self->Close();
                       self->Proceed();
                     });
}

void HttpConnection::End() {
  if (!lingers_) return Close();
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  if (error) return Close();
  Enter(State::kLingering, kLingerTime);
  Linger();
}

void HttpConnection::Linger() {
  input_.clear();
  socket_.async_read_some(input_.prepare(kReadSize),
                          [self = shared_from_this()](const error_code& error, size_t size) {
                            self->OnLingered(error, size);
                          });
}

void HttpConnection::OnLingered(const error_code& error, size_t size) {
  if (state_ == State::kClosed) return;
  lingered_ += size;
  if (error || lingered_ > kLingerSize) return Close();
  Linger();
}

}  // namespace server
