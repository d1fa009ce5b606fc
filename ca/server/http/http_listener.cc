#include "ca/server/http/http_listener.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "ca/server/http/http_admission.h"
#include "ca/server/http/http_connection.h"

namespace server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kSweepInterval(250);  // a deadline is noticed at most this late
// Bounds the part of an answer that the system buffers for a slow peer. Its default is up to 4 MiB.
constexpr int kSendBuffer = 256 * 1024;
constexpr std::chrono::milliseconds kAcceptPause(
    100);  // after an error, such as no free file descriptor

HttpAdmission::Address AddressOf(const tcp::endpoint& peer) {
  if (peer.address().is_v4()) {
    return asio::ip::make_address_v6(asio::ip::v4_mapped, peer.address().to_v4()).to_bytes();
  }
  auto octets = peer.address().to_v6().to_bytes();
  if (!peer.address().to_v6().is_v4_mapped()) std::fill(octets.begin() + 8, octets.end(), 0);
  return octets;
}

ca::Result<tcp::endpoint> Resolve(const std::string& address, asio::io_context& io) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    return ca::Error(ca::StatusCode::kInvalidArgument, "'{}' is not HOST:PORT",
                     ca::Printable(address));
  }
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(host, address.substr(colon + 1),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (error || found.empty()) {
    return ca::Error(ca::StatusCode::kInvalidArgument, "'{}' is not HOST:PORT of this machine: {}",
                     ca::Printable(address), error.message());
  }
  return found.begin()->endpoint();
}

ca::Result<tcp::acceptor> Listen(const std::string& address, asio::io_context& io) {
  const tcp::endpoint endpoint = TRY(Resolve(address, io));
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(asio::ip::v6_only(false), error);  // [::] accepts IPv4 too, as gRPC does
  }
  // Accepted sockets inherit this option.
  if (!error) acceptor.set_option(asio::socket_base::send_buffer_size(kSendBuffer), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return ca::Error(ca::StatusCode::kFailedPrecondition,
                     "cannot listen on {}: {}; does another program use that port?", address,
                     error.message());
  }
  return acceptor;
}

// One thread with its I/O context and the connections that live on it.
struct IoThread {
  explicit IoThread(HttpContext its_context) : context(std::move(its_context)) {}

  void Sweep() {
    sweep.expires_after(kSweepInterval);
    sweep.async_wait([this](const error_code&) {
      if (is_ending) return;
      ForEach([now = std::chrono::steady_clock::now()](HttpConnection& connection) {
        connection.CloseIfOverdue(now);
      });
      Sweep();
    });
  }

  // Lets the thread end when its last connection has closed.
  void End() {
    is_ending = true;  // cancel() does not stop a sweep that is already due
    sweep.cancel();
    guard.reset();
  }

  // `act` may close its connection.
  template <typename Act>
  void ForEach(Act act) {
    for (auto it = context.open.begin(); it != context.open.end();) act(**it++);
  }

  HttpContext context;     // outlives the pending operations of `io`
  asio::io_context io{1};  // one thread
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  asio::steady_timer sweep{io};
  bool is_ending = false;
  std::thread thread;
};

}  // namespace

class HttpListener::Server {
 public:
  Server(const HttpOptions& options, HttpHandler& handler, const ca::Clock& clock)
      : options_(options),
        admission_(options.limits.connections_per_address, options.limits.connections),
        threads_(MakeThreads(handler, clock)) {}
  ~Server() { Stop(); }

  ca::Status Start(const std::string& address) {
    acceptor_ = TRY(Listen(address, first().io));
    port_ = acceptor_->local_endpoint().port();
    Accept();
    for (const auto& thread : threads_) {
      thread->Sweep();
      thread->thread = std::thread([io = &thread->io] { io->run(); });
    }
    return ca::Ok();
  }

  std::uint16_t port() const { return port_; }
  int connection_count() const { return admission_.count(); }

  void Stop() {
    if (is_stopped_.exchange(true)) return;
    asio::post(first().io, [this] {
      is_stopping_ = true;
      pause_.cancel();
      if (acceptor_) acceptor_->close();
      // Posted from here, so that it also reaches a connection that was accepted just before.
      for (const auto& thread : threads_) OnEach(*thread, &HttpConnection::CloseSoon);
    });
    admission_.WaitUntilNoneIsLeft(options_.grace_time);
    for (const auto& thread : threads_) {
      OnEach(*thread, &HttpConnection::Close);
      asio::post(thread->io, [thread = thread.get()] { thread->End(); });
    }
    for (const auto& thread : threads_) {
      if (thread->thread.joinable()) thread->thread.join();
    }
    workers_.join();
  }

 private:
  std::vector<std::unique_ptr<IoThread>> MakeThreads(HttpHandler& handler, const ca::Clock& clock) {
    std::vector<std::unique_ptr<IoThread>> threads;
    for (int i = 0; i < std::max(1, options_.io_threads); ++i) {
      threads.push_back(std::make_unique<IoThread>(
          HttpContext{.handler = handler,
                      .clock = clock,
                      .limits = options_.limits,
                      .admission = admission_,
                      .run = [this](std::function<void()> work) { return Run(std::move(work)); }}));
    }
    return threads;
  }

  IoThread& first() { return *threads_.front(); }

  static void OnEach(IoThread& thread, void (HttpConnection::*act)()) {
    asio::post(thread.io, [&thread, act] {
      thread.ForEach([act](HttpConnection& connection) { (connection.*act)(); });
    });
  }

  // One thread accepts and gives the connections to all threads in turn. Several listening sockets
  // would share the load less evenly, and would hide two servers that use one port by accident.
  void Accept() {
    IoThread& thread = *threads_[next_thread_];
    next_thread_ = (next_thread_ + 1) % threads_.size();
    acceptor_->async_accept(thread.io,
                            [this, &thread](const error_code& error, tcp::socket socket) {
                              if (is_stopping_) return;
                              if (error) return AcceptLater();
                              Open(thread, std::move(socket));
                              Accept();
                            });
  }

  void AcceptLater() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](const error_code&) {
      if (!is_stopping_) Accept();
    });
  }

  void Open(IoThread& thread, tcp::socket socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;
    socket.non_blocking(true, error);
    if (!error) socket.set_option(tcp::no_delay(true), error);
    if (error) return;
    const HttpAdmission::Address address = AddressOf(peer);
    if (!admission_.Enter(address)) return;
    auto connection = std::make_shared<HttpConnection>(std::move(socket), address, thread.context);
    asio::post(thread.io, [connection = std::move(connection)] { connection->Start(); });
  }

  bool Run(std::function<void()> work) {
    if (calls_.fetch_add(1) >= options_.workers + options_.waiting_calls) {
      calls_.fetch_sub(1);
      return false;
    }
    asio::post(workers_, [this, work = std::move(work)] {
      work();
      calls_.fetch_sub(1);
    });
    return true;
  }

  const HttpOptions options_;
  HttpAdmission admission_;
  const std::vector<std::unique_ptr<IoThread>> threads_;
  std::optional<tcp::acceptor> acceptor_;  // the first thread uses this and the members below
  asio::steady_timer pause_{first().io};
  size_t next_thread_ = 0;
  bool is_stopping_ = false;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_stopped_ = false;
  std::atomic<int> calls_ = 0;
  asio::thread_pool workers_{static_cast<size_t>(std::max(1, options_.workers))};
};

HttpListener::HttpListener(std::unique_ptr<Server> server) : server_(std::move(server)) {}
HttpListener::~HttpListener() = default;

ca::Result<std::unique_ptr<HttpListener>> HttpListener::Start(const std::string& address,
                                                              const HttpOptions& options,
                                                              HttpHandler& handler,
                                                              const ca::Clock& clock) {
  auto server = std::make_unique<Server>(options, handler, clock);
  TRY(server->Start(address));
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(server)));
}

std::uint16_t HttpListener::port() const { return server_->port(); }
int HttpListener::connection_count() const { return server_->connection_count(); }
void HttpListener::Stop() { server_->Stop(); }

}  // namespace server
