// Phones that do nothing but talk: RTP streams at a fixed pace, and how late and how many come back.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace bw::load {

struct GeneratorSettings {
  IpAddress local = IpAddress::v4(0x7f000001);
  Duration interval = 20ms;       // between two packets of a stream
  std::size_t payload = 160;      // G.711: 160 bytes, 172 with the RTP header
  std::uint8_t payload_type = 0;  // PCMU
  Duration tick = 100us;          // how evenly packets leave: all that are due at a tick go at once
};

struct GeneratorReport {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t foreign = 0;         // received, but not a packet of this generator
  std::uint64_t silent_streams = 0;  // of which nothing came back
  Duration delay_p50{0};             // from before sendmmsg to the kernel's receive time stamp
  Duration delay_p99{0};
  Duration delay_max{0};

  std::uint64_t lost() const { return sent > received ? sent - received : 0; }
};

// Opens ports (for the SDP of a leg), then sends a stream from a port to where the server listens. One port
// may carry many streams. Single-threaded; throws std::system_error if the system refuses a socket.
class RtpGenerator {
 public:
  explicit RtpGenerator(GeneratorSettings settings = {});
  ~RtpGenerator();
  RtpGenerator(const RtpGenerator&) = delete;
  RtpGenerator& operator=(const RtpGenerator&) = delete;

  std::uint16_t open_port();
  void add_stream(std::uint16_t from_port, const Endpoint& server);
  std::size_t streams() const { return streams_.size(); }

  // Sends and receives for `length`, then waits a moment for the last ones. Each run reports for itself;
  // sequence numbers go on.
  GeneratorReport run(Duration length);

 private:
  struct Port;
  struct Stream {
    std::uint32_t port = 0;  // index
    Endpoint server;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::uint64_t received = 0;
  };
  class Histogram {
   public:
    void add(Duration delay);
    Duration quantile(double q) const;
    Duration largest() const { return largest_; }

   private:
    static constexpr Duration kStep = 10us;
    std::array<std::uint32_t, 20'000> bins_{};  // up to 200 ms, the last one holds the rest
    std::uint64_t count_ = 0;
    Duration largest_{0};
  };

  void send_due(std::span<const std::uint32_t> due, GeneratorReport& report);
  void send_batch(Port& port, std::span<const std::uint32_t> streams, GeneratorReport& report);
  void drain(GeneratorReport& report, Histogram& delays);
  void count(std::span<const std::uint8_t> packet, Duration received_at, GeneratorReport& report,
             Histogram& delays);

  GeneratorSettings settings_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<Stream> streams_;
};

}  // namespace bw::load
