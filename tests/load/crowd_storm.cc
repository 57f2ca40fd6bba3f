#include "crowd_storm.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include "io/socket_address.h"
#include "stun/message.h"

namespace bw::load {
namespace {

constexpr std::size_t kRecordHead = 13;     // RFC 6347 §4.1
constexpr std::size_t kHandshakeHead = 12;  // RFC 6347 §4.2.2
constexpr std::size_t kAtOnce = 8;

void put24(std::uint8_t* at, std::size_t v) {
  at[0] = static_cast<std::uint8_t>(v >> 16U);
  at[1] = static_cast<std::uint8_t>(v >> 8U);
  at[2] = static_cast<std::uint8_t>(v);
}

Bytes client_hello(const webrtc::DtlsContext& context, Instant now) {
  webrtc::DtlsEndpoint client{context, webrtc::DtlsRole::kClient, {context.fingerprint()}, now};
  return client.poll().value_or(Bytes{});
}

// The same hello in `count` records, each with a part of it.
std::vector<Bytes> in_fragments(const Bytes& hello, std::size_t count) {
  const std::size_t head = kRecordHead + kHandshakeHead;
  const std::size_t whole = hello.size() - head;
  const std::size_t each = (whole + count - 1) / count;
  std::vector<Bytes> parts;
  for (std::size_t at = 0; at < whole; at += each) {
    const std::size_t size = std::min(each, whole - at);
    Bytes part(hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(head));
    part[10] = static_cast<std::uint8_t>(parts.size());  // the number of the record
    part[11] = static_cast<std::uint8_t>((kHandshakeHead + size) >> 8U);
    part[12] = static_cast<std::uint8_t>(kHandshakeHead + size);
    put24(&part[kRecordHead + 6], at);
    put24(&part[kRecordHead + 9], size);
    const auto from = hello.begin() + static_cast<std::ptrdiff_t>(head + at);
    part.insert(part.end(), from, from + static_cast<std::ptrdiff_t>(size));
    parts.push_back(std::move(part));
  }
  return parts;
}

Bytes check_for_nobody(SeededRng& rng) {
  stun::TransactionId id;
  rng.fill(std::as_writable_bytes(std::span{id}));
  stun::Writer check{stun::Class::kRequest, id};
  check.text(stun::Type::kUsername, rng.token(8) + ":" + rng.token(4)).flag(stun::Type::kUseCandidate);
  return check.integrity("a-password-that-was-guessed").fingerprint().take();
}

Bytes garbage(SeededRng& rng, std::uint8_t first) {
  Bytes bytes(1 + rng.below(1'300));
  rng.fill(std::as_writable_bytes(std::span{bytes}));
  bytes[0] = first;
  return bytes;
}

std::vector<Bytes> what_a_stranger_sends(std::size_t number, const Bytes& hello, SeededRng& rng) {
  switch (number % 5) {
    case 0:
      return {hello};
    case 1:
      return in_fragments(hello, 4);
    case 2: {  // one is missing, one comes twice, and the order is wrong
      auto parts = in_fragments(hello, 5);
      parts.erase(parts.begin() + 1);
      parts.push_back(parts.front());
      std::ranges::reverse(parts);
      return parts;
    }
    case 3:
      return {check_for_nobody(rng), hello};
    default:
      return {garbage(rng, 22), garbage(rng, 0x80), garbage(rng, 0), hello};
  }
}

}  // namespace

Storm::Storm(const IpAddress& local, const Endpoint& server, unsigned strangers, Instant now) {
  const webrtc::DtlsContext context = webrtc::test_context();
  SeededRng rng{7};
  for (unsigned i = 0; i < strangers; ++i) {
    sockaddr_storage own{};
    sockaddr_storage to{};
    const socklen_t own_length = io::to_sockaddr({local, 0}, own);
    const socklen_t to_length = io::to_sockaddr(server, to);
    io::Descriptor fd{::socket(own.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&own), own_length) != 0 ||
        ::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), to_length) != 0)
      throw std::system_error(errno, std::system_category(), "a socket of a stranger");
    strangers_.push_back({std::move(fd), what_a_stranger_sends(i, client_hello(context, now), rng)});
  }
}

void Storm::blow() {
  for (std::size_t i = 0; i < kAtOnce && !is_over(); ++i, ++next_) {
    for (const Bytes& datagram : strangers_[next_].datagrams) {
      if (::send(strangers_[next_].socket.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) > 0) ++sent_;
    }
  }
}

Storm::Figures Storm::figures() const {
  Figures figures{.strangers = strangers_.size(), .datagrams = sent_};
  std::array<std::uint8_t, 2'048> buffer;
  for (const Stranger& stranger : strangers_) {
    while (::recv(stranger.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) > 0) ++figures.answers;
  }
  return figures;
}

}  // namespace bw::load
