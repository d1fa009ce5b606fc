#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>

#include "ca/base/clock.h"
#include "ca/server/http/http.h"
#include "ca/server/http/http_admission.h"
#include "ca/server/http/http_limits.h"
#include "ca/server/http/http_request_parser.h"

namespace server {

class HttpConnection;

// Shared by the connections of one I/O thread.
struct HttpContext {
  HttpHandler& handler;
  const ca::Clock& clock;
  const HttpLimits& limits;
  HttpAdmission& admission;
  // Runs work that may block on another thread; false if too many calls wait already.
  std::function<bool(std::function<void()>)> run;
  std::unordered_set<HttpConnection*> open;
};

// One TCP connection, from its first request to its last. It lives on the one thread of its
// socket's context; only HttpHandler::Handle() runs on another. Each pending operation holds a
// shared_ptr to the connection.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  // `context.admission` has admitted `address`; the connection calls its Leave() when it closes.
  HttpConnection(boost::asio::ip::tcp::socket socket, HttpAdmission::Address address,
                 HttpContext& context);
  ~HttpConnection();

  void Start();
  // Closes the connection if its deadline has passed. The owner calls it at short intervals.
  void CloseIfOverdue(std::chrono::steady_clock::time_point now);
  // Closes the connection as soon as no request is being received or answered.
  void CloseSoon();
  void Close();

 private:
  using Steady = std::chrono::steady_clock;
  enum class State { kIdle, kReceiving, kHandling, kWriting, kLingering, kClosed };
  enum class Next { kAnswer, kRead, kHandOver, kEnd };  // the step after all output is sent
  enum class Sent { kAll, kLater, kBroken };

  void Enter(State state, std::chrono::milliseconds time);
  void EnterBetweenRequests();
  void Read();
  void OnRead(const boost::system::error_code& error, size_t size);
  void Proceed();
  Next AnswerBuffered();
  Next Answer(const HttpResponse& response);
  Next Refuse(const HttpResponse& response);
  bool HandOver();
  Sent Send();
  void WaitUntilWritable();
  void End();
  void Linger();
  void OnLingered(const boost::system::error_code& error, size_t size);

  HttpContext& context_;
  boost::asio::ip::tcp::socket socket_;
  const HttpAdmission::Address address_;
  HttpRequestParser parser_;
  boost::beast::flat_buffer input_;

  State state_ = State::kIdle;
  Steady::time_point deadline_;
  bool closes_after_response_ = false;
  bool lingers_ = false;  // the peer may still be sending octets that the parser will not read
  Next next_ = Next::kRead;
  size_t lingered_ = 0;

  std::string output_;                 // heads and small bodies, sent first
  std::string_view body_;              // a large body, sent after `output_`
  std::shared_ptr<const void> owner_;  // keeps `body_` alive
  size_t output_sent_ = 0;
};

}  // namespace server
