#include "ca/server/http/http_listener.h"

#include <gtest/gtest.h>

#include <latch>
#include <random>
#include <thread>
#include <vector>

#include "tests/ca/server/http/raw_http_client.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/must.h"

namespace server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Exchange;
using testing::RawHttpClient;
using testing::RawResponse;

constexpr size_t kLargeSize = 8 * 1024 * 1024;

// Answers with a description of the request. Below /slow it needs a worker, and waits there until
// the test releases it.
class EchoHandler final : public HttpHandler {
 public:
  std::optional<HttpResponse> HandleAtOnce(const HttpRequest& request) override {
    if (request.target.starts_with("/slow")) return std::nullopt;
    HttpResponse response{.content_type = "text/plain"};
    if (request.target == "/large") {
      response.owner = large_;
      response.body = *large_;
      return response;
    }
    response.Carry(fmt::format("{} {} [{}]", request.method == HttpMethod::kPost ? "POST" : "GET",
                               request.target, request.body));
    return response;
  }

  HttpResponse Handle(const HttpRequest& request) override {
    ++slow_calls;
    go_on.wait();
    HttpResponse response;
    response.Carry(fmt::format("at last {} [{}]", request.target, request.body));
    return response;
  }

  const std::string& large() const { return *large_; }

  std::atomic<int> slow_calls = 0;
  std::latch go_on{1};

 private:
  std::shared_ptr<const std::string> large_ = std::make_shared<const std::string>(kLargeSize, 'x');
};

class HttpListenerTest : public ::testing::Test {
 protected:
  // A test changes the option that it is about.
  HttpOptions options_ = {.workers = 2, .waiting_calls = 2, .grace_time = seconds(5)};
  ca::testing::FakeClock clock_;
  EchoHandler handler_;
  std::unique_ptr<HttpListener> listener_;

  std::uint16_t Start() {
    listener_ = ca::testing::Must(HttpListener::Start("127.0.0.1:0", options_, handler_, clock_));
    return listener_->port();
  }

  void WaitForSlowCalls(int count) {
    while (handler_.slow_calls < count) std::this_thread::yield();
  }

  static std::string GetOf(std::string_view target) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", target);
  }
};

TEST_F(HttpListenerTest, AnswersManyRequestsOnOneConnection) {
  RawHttpClient client(Start());
  for (int i = 0; i < 100; ++i) {
    client.Send(GetOf(fmt::format("/{}", i)));
    const RawResponse response = client.Receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, fmt::format("GET /{} []", i));
    EXPECT_EQ(response.fields.at("content-type"), "text/plain");
    EXPECT_EQ(response.fields.at("date"), "Tue, 24 Nov 2026 12:00:00 GMT");
  }
  EXPECT_EQ(listener_->connection_count(), 1);
}

TEST_F(HttpListenerTest, AnswersPipelinedRequestsInTheirOrder) {
  handler_.go_on.count_down();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += GetOf(fmt::format("{}/{}", i % 7 ? "" : "/slow", i));
  RawHttpClient client(Start());
  std::thread sender([&] { client.Send(requests); });
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(client.Receive().body,
              i % 7 ? fmt::format("GET /{} []", i) : fmt::format("at last /slow/{} []", i));
  }
  sender.join();
}

TEST_F(HttpListenerTest, ReadsARequestOctetByOctet) {
  RawHttpClient client(Start());
  for (const char c : std::string("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")) {
    ASSERT_TRUE(client.Send({&c, 1}));
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(client.Receive().body, "POST /a [abc]");
}

TEST_F(HttpListenerTest, TakesAChunkedBody) {
  const auto response = Exchange(
      Start(),
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n"
      "0\r\nHost: trailer\r\n\r\n");
  EXPECT_EQ(response.body, "POST /a [abcde]");
}

TEST_F(HttpListenerTest, SendsNoBodyToHead) {
  RawHttpClient client(Start());
  client.Send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + GetOf("/b"));
  const RawResponse head = client.Receive(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.at("content-length"), "9");
  EXPECT_EQ(client.Receive().body, "GET /b []");
}

TEST_F(HttpListenerTest, RefusesOtherMethodsAndNamesTheServedOnes) {
  const auto response = Exchange(Start(), "DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.fields.at("allow"), "GET, HEAD, POST");
  EXPECT_EQ(response.body, "the method DELETE is not served; use GET, HEAD or POST\n");
}

TEST_F(HttpListenerTest, RefusesAHeaderThatIsTooLong) {
  const std::uint16_t port = Start();
  const std::string fits = "GET /a HTTP/1.1\r\nHost: a\r\nX: ";
  const std::string room(options_.limits.header - fits.size() - 4, 'x');
  EXPECT_EQ(Exchange(port, fits + room + "\r\n\r\n").status, 200);
  EXPECT_EQ(Exchange(port, fits + room + "x\r\n\r\n").status, 431);
  EXPECT_EQ(Exchange(port, "GET /" + std::string(100'000, 'a')).status, 431);
  EXPECT_EQ(Exchange(port, "GET /a HTTP/1.1\r\n" + std::string(100'000, 'a')).status, 431);
  std::string many = "GET /a HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 2000; ++i) many += "X: y\r\n";
  EXPECT_EQ(Exchange(port, many + "\r\n").status, 431);
}

TEST_F(HttpListenerTest, CountsTheWholeHeaderOfASenderOfSmallPieces) {
  RawHttpClient client(Start());
  client.Send("GET /a HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 2000; ++i) {
    if (!client.Send("X: y\r\n")) break;
  }
  EXPECT_EQ(client.Receive().status, 431);
}

TEST_F(HttpListenerTest, RefusesABodyThatIsTooLong) {
  const std::uint16_t port = Start();
  const size_t most = options_.limits.body;
  const auto with_length = [](size_t size) {
    return fmt::format("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", size,
                       std::string(size, 'x'));
  };
  const auto chunked = [](size_t size) {
    std::string request = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (; size > 1000; size -= 1000) request += "3e8\r\n" + std::string(1000, 'x') + "\r\n";
    return request + fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", size, std::string(size, 'x'));
  };
  EXPECT_EQ(Exchange(port, with_length(most)).status, 200);
  EXPECT_EQ(Exchange(port, with_length(most + 1)).status, 413);
  EXPECT_EQ(Exchange(port, chunked(most)).status, 200);
  EXPECT_EQ(Exchange(port, chunked(most + 1)).status, 413);
  EXPECT_EQ(Exchange(port,
                     "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: "
                     "18446744073709551615\r\n\r\n")
                .status,
            413);
}

TEST_F(HttpListenerTest, SendsContinueIfItIsExpectedAndRefusesALongBodyAtOnce) {
  RawHttpClient client(Start());
  client.Send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.ReceiveOctets(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_EQ(client.Receive().body, "POST /a [abc]");
  client.Send(
      "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 413);
  EXPECT_EQ(Exchange(listener_->port(),
                     "POST /a HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 3\r\n\r\n")
                .status,
            417);
}

TEST_F(HttpListenerTest, ServesHttp10AndClosesUnlessAskedToStay) {
  const std::uint16_t port = Start();
  RawHttpClient once(port);
  once.Send("GET /a HTTP/1.0\r\n\r\n");
  const RawResponse response = once.Receive();
  EXPECT_EQ(response.body, "GET /a []");
  EXPECT_EQ(response.fields.at("connection"), "close");
  EXPECT_TRUE(once.IsClosedWithin(seconds(5)));
  RawHttpClient twice(port);
  twice.Send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(twice.Receive().fields.at("connection"), "keep-alive");
  twice.Send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(twice.Receive().body, "GET /b []");
}

TEST_F(HttpListenerTest, ClosesWhenAskedTo) {
  RawHttpClient client(Start());
  client.Send("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.Receive().fields.at("connection"), "close");
  EXPECT_TRUE(client.IsClosedWithin(seconds(5)));
}

TEST_F(HttpListenerTest, RefusesInvalidRequestsInOneLineAndCloses) {
  const std::uint16_t port = Start();
  const std::pair<std::string, int> cases[] = {
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},  // TLS
      {"GET /a\r\n\r\n", 400},
      {"GET /a HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\n\r\n", 400},                        // without Host
      {"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},  // two Hosts
      {"GET /a HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", 400},
  };
  for (const auto& [request, status] : cases) {
    RawHttpClient client(port);
    client.Send(request);
    const RawResponse response = client.Receive();
    EXPECT_EQ(response.status, status) << request;
    EXPECT_EQ(response.fields.at("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(response.body.find('\n'), response.body.size() - 1) << response.body;
    EXPECT_TRUE(client.IsClosedWithin(seconds(5))) << request;
  }
}

// Request smuggling: two readers of one connection disagree about the end of a request.
TEST_F(HttpListenerTest, RefusesABodyWithAnAmbiguousEnd) {
  const std::uint16_t port = Start();
  const std::pair<std::string, int> cases[] = {
      {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400},
      {"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 501},
      {"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
      {"Transfer-Encoding: identity\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
  };
  for (const auto& [fields, status] : cases) {
    RawHttpClient client(port);
    client.Send("POST /a HTTP/1.1\r\nHost: a\r\n" + fields);
    EXPECT_EQ(client.Receive().status, status) << fields;
    EXPECT_TRUE(client.IsClosedWithin(seconds(5))) << fields;
  }
  EXPECT_EQ(
      Exchange(port, "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status,
      400);
}

TEST_F(HttpListenerTest, TakesTheTargetFormOfProxies) {
  EXPECT_EQ(Exchange(Start(), GetOf("http://pki.example:80/a")).body, "GET /a []");
}

TEST_F(HttpListenerTest, OverlooksEmptyLinesBeforeARequest) {
  EXPECT_EQ(Exchange(Start(), "\r\n\r\n" + GetOf("/a")).body, "GET /a []");
}

TEST_F(HttpListenerTest, ClosesWhenARequestIsTooSlow) {
  options_.limits.request_time = milliseconds(500);
  RawHttpClient client(Start());
  const auto begun = std::chrono::steady_clock::now();
  client.Send("GET /a HTTP/1.1\r\n");
  std::thread trickle([&] {
    while (client.Send("X: y\r\n")) std::this_thread::sleep_for(milliseconds(50));
  });
  EXPECT_EQ(client.Receive().status, 408);
  EXPECT_TRUE(client.IsClosedWithin(seconds(5)));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(3));
  trickle.join();
}

TEST_F(HttpListenerTest, ClosesWhenABodyIsTooSlow) {
  options_.limits.request_time = milliseconds(500);
  RawHttpClient client(Start());
  client.Send("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  EXPECT_EQ(client.Receive().status, 408);
  EXPECT_TRUE(client.IsClosedWithin(seconds(5)));
}

TEST_F(HttpListenerTest, ClosesIdleConnections) {
  options_.limits.request_time = milliseconds(300);
  options_.limits.idle_time = milliseconds(1500);
  const std::uint16_t port = Start();
  RawHttpClient never(port);
  RawHttpClient once(port);
  once.Send(GetOf("/a"));
  EXPECT_EQ(once.Receive().status, 200);
  EXPECT_TRUE(never.IsClosedWithin(seconds(5)));
  EXPECT_FALSE(once.IsClosedWithin(milliseconds(500)));  // the time between two requests is longer
  EXPECT_TRUE(once.IsClosedWithin(seconds(5)));
  while (listener_->connection_count() > 0) std::this_thread::yield();
}

TEST_F(HttpListenerTest, SendsALargeBodyWhole) {
  RawHttpClient client(Start());
  client.Send(GetOf("/large") + GetOf("/a"));
  EXPECT_EQ(client.Receive().body, handler_.large());
  EXPECT_EQ(client.Receive().body, "GET /a []");
}

TEST_F(HttpListenerTest, ClosesWhenThePeerDoesNotReadTheAnswer) {
  options_.limits.write_time = milliseconds(300);
  options_.limits.write_rate = kLargeSize;  // one more second for the rest
  RawHttpClient client(Start());
  client.ReceiveSlowly();
  client.Send(GetOf("/large"));
  const auto begun = std::chrono::steady_clock::now();
  while (listener_->connection_count() == 0) std::this_thread::yield();
  while (listener_->connection_count() > 0) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_GT(std::chrono::steady_clock::now() - begun, milliseconds(300));
  EXPECT_EQ(client.Receive().status, 0);
}

TEST_F(HttpListenerTest, AnswersAPeerThatHasFinishedSending) {
  const std::uint16_t port = Start();
  handler_.go_on.count_down();
  for (const std::string_view target : {"/a", "/slow"}) {
    RawHttpClient client(port);
    client.Send(GetOf(target));
    client.EndSending();
    EXPECT_EQ(client.Receive().status, 200);
    EXPECT_TRUE(client.IsClosedWithin(seconds(5)));
  }
}

TEST_F(HttpListenerTest, RefusesConnectionsBeyondTheLimitOfAnAddress) {
  options_.limits.connections_per_address = 3;
  const std::uint16_t port = Start();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(port));
    clients.back()->Send(GetOf("/a"));
    EXPECT_EQ(clients.back()->Receive().status, 200);
  }
  RawHttpClient excess(port);
  EXPECT_TRUE(excess.IsClosedWithin(seconds(5)));
  clients.pop_back();
  while (listener_->connection_count() > 2) std::this_thread::yield();
  EXPECT_EQ(Exchange(port, GetOf("/a")).status, 200);
}

TEST_F(HttpListenerTest, RefusesConnectionsBeyondTheLimitOfAllAddresses) {
  options_.limits.connections = 1;
  const std::uint16_t port = Start();
  RawHttpClient first(port);
  first.Send(GetOf("/a"));
  EXPECT_EQ(first.Receive().status, 200);
  RawHttpClient excess(port);
  EXPECT_TRUE(excess.IsClosedWithin(seconds(5)));
}

TEST_F(HttpListenerTest, RefusesCallsBeyondTheWorkersAndTheirQueue) {
  const std::uint16_t port = Start();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 4; ++i) {  // two run and two wait
    clients.push_back(std::make_unique<RawHttpClient>(port));
    clients.back()->Send(GetOf("/slow"));
    if (i < 2) WaitForSlowCalls(i + 1);
  }
  RawHttpClient excess(port);
  RawResponse refused;
  // The test can see the two waiting calls only by the refusal of the next.
  for (int i = 0; i < 100 && refused.status == 0; ++i) {
    std::this_thread::sleep_for(milliseconds(20));
    RawHttpClient probe(port);
    probe.Send(GetOf("/a"));
    EXPECT_EQ(probe.Receive().status, 200) << "what needs no worker is not held up";
    if (i == 0) excess.Send(GetOf("/slow"));
    if (i == 0) refused = excess.Receive();
  }
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  handler_.go_on.count_down();
  for (const auto& client : clients) EXPECT_EQ(client->Receive().body, "at last /slow []");
  excess.Send(GetOf("/a"));
  EXPECT_EQ(excess.Receive().status, 200) << "a connection survives a 503";
}

TEST_F(HttpListenerTest, FinishesBegunRequestsWhenItStops) {
  const std::uint16_t port = Start();
  RawHttpClient idle(port);
  idle.Send(GetOf("/a"));
  EXPECT_EQ(idle.Receive().status, 200);
  RawHttpClient busy(port);
  busy.Send(GetOf("/slow"));
  WaitForSlowCalls(1);
  std::thread stopping([&] { listener_->Stop(); });
  EXPECT_TRUE(idle.IsClosedWithin(seconds(3)));
  handler_.go_on.count_down();
  const RawResponse response = busy.Receive();
  EXPECT_EQ(response.body, "at last /slow []");
  EXPECT_EQ(response.fields.at("connection"), "close");
  stopping.join();
  EXPECT_TRUE(busy.IsClosedWithin(seconds(3)));
  EXPECT_EQ(listener_->connection_count(), 0);
}

TEST_F(HttpListenerTest, ClosesConnectionsAfterTheGraceTime) {
  options_.grace_time = milliseconds(300);
  RawHttpClient client(Start());
  client.Send("GET /a HTTP/1.1\r\nHost: a\r\n");
  while (listener_->connection_count() == 0) std::this_thread::yield();
  std::this_thread::sleep_for(milliseconds(100));
  const auto begun = std::chrono::steady_clock::now();
  listener_->Stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, seconds(3));
  EXPECT_TRUE(client.IsClosedWithin(seconds(3)));
}

TEST_F(HttpListenerTest, SurvivesAnyInput) {
  const std::uint16_t port = Start();
  std::mt19937 random(4711);  // NOLINT: the same octets in every run
  const std::string_view pieces[] = {"GET ",
                                     "POST ",
                                     "/a",
                                     " HTTP/1.1\r\n",
                                     "\r\n",
                                     "0\r\n",
                                     "5\r\n",
                                     "Host: a\r\n",
                                     "\r\n\r\n",
                                     "abc",
                                     ": ",
                                     "Transfer-Encoding: chunked\r\n",
                                     "Content-Length: 3\r\n",
                                     "Expect: 100-continue\r\n",
                                     "\xff",
                                     "Connection: close\r\n"};
  for (int i = 0; i < 400; ++i) {
    RawHttpClient client(port);
    std::string sent = i % 2 ? "POST /a HTTP/1.1\r\nHost: a\r\n" : "";
    for (int k = 0; k < 12; ++k) sent += pieces[random() % std::size(pieces)];
    const size_t cut = random() % (sent.size() + 1);
    client.Send(std::string_view(sent).substr(0, cut));
    client.Send(std::string_view(sent).substr(cut));
    client.EndSending();
    EXPECT_TRUE(client.IsClosedWithin(seconds(5))) << sent;
  }
  EXPECT_EQ(Exchange(port, GetOf("/a")).status, 200);
}

TEST_F(HttpListenerTest, RefusesAnInvalidOrTakenAddress) {
  const std::uint16_t port = Start();
  const auto code = [&](const std::string& address) {
    return HttpListener::Start(address, options_, handler_, clock_).status().code();
  };
  EXPECT_EQ(code("127.0.0.1"), ca::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("127.0.0.1:x"), ca::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(fmt::format("127.0.0.1:{}", port)), ca::StatusCode::kFailedPrecondition);
}

TEST_F(HttpListenerTest, ListensOnEveryAddressOfBothFamilies) {
  const auto all = ca::testing::Must(HttpListener::Start("[::]:0", options_, handler_, clock_));
  EXPECT_EQ(Exchange(all->port(), GetOf("/a")).status, 200);
}

}  // namespace
}  // namespace server
