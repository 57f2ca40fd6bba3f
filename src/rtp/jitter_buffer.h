// Puts voice packets back into their order and evens out when they come, for who decodes them.
//
// The delay follows what the network does (a histogram of how late packets are, forgetting slowly) and what
// the clocks do: a sender whose clock is slow makes the buffer run dry now and then, which delays what
// follows by the silence; one that is fast makes it grow, and the decoder is asked to leave out a packet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/time.h"
#include "rtp/packet.h"

namespace bw::rtp {

struct JitterLimits {
  Duration least_delay = 20ms;
  Duration most_delay = 400ms;
  std::size_t packets = 64;       // held at most; beyond it the oldest go
  std::size_t payload = 1'500;    // longer ones are cut
  Duration dry_after = 600ms;     // nothing came for so long: the next packet starts afresh
  Duration longest_silence = 1s;  // a jump of the timestamp beyond it is not waited for
};

// How late packets are compared with the earliest ones, and what delay would have served nearly all of them.
class DelayEstimate {
 public:
  explicit DelayEstimate(std::uint32_t clock_rate) : clock_rate_(clock_rate) {}
  void on_packet(std::uint32_t timestamp, Instant now);
  // The sender's timestamps begin anew; what is known of the network stays.
  void restart() { started_ = false; }
  Duration wanted() const { return wanted_; }

 private:
  static constexpr Duration kBin = 10ms;
  static constexpr std::size_t kBins = 48;
  static constexpr Duration kBaseline = 5s;  // the earliest packet of so long a time is the measure

  void count(Duration late);

  std::uint32_t clock_rate_;
  bool started_ = false;
  std::uint32_t last_timestamp_ = 0;
  std::int64_t sent_ticks_ = 0;
  Instant began_;
  Instant bucket_began_;
  Duration earliest_{0};         // of this bucket …
  Duration earliest_before_{0};  // … and of the one before
  std::array<std::uint32_t, kBins> late_{};
  std::uint32_t total_ = 0;
  std::uint32_t until_decay_ = 0;
  Duration wanted_{0};
};

// Of one voice stream. Allocates while its slots grow to the size of the packets, then no more.
class JitterBuffer {
 public:
  explicit JitterBuffer(std::uint32_t clock_rate, JitterLimits limits = {});

  // A new SSRC, or a jump of sequence or timestamp, starts afresh.
  void push(const Header& header, std::span<const std::uint8_t> payload, Instant now);

  struct Step {
    enum class Kind : std::uint8_t {
      kNothing,  // no stream, or it is being gathered: silence
      kEmpty,    // the packet that is due has not come, nor a later one: conceal
      kGap,      // lost, or the sender said nothing: conceal `ticks`
      kPacket,
    };
    Kind kind = Kind::kNothing;
    std::uint8_t payload_type = 0;
    Header header{};  // kPacket
    // kPacket: what to decode. kGap: the packet right after the lost one, if it is here, which may carry a
    // copy.
    std::span<const std::uint8_t> payload{};
    std::uint32_t ticks = 0;
    bool surplus = false;  // more is held than needed: this packet may be left out, then call left_out()
  };
  // What is to be heard next. The payload is valid until the next push(). After kGap and kPacket the caller
  // says with played() how long it lasted.
  Step next(Instant now);
  void played(std::uint32_t ticks) { next_timestamp_ += ticks; }
  void left_out();

  Duration delay() const;  // that is aimed at
  Duration held() const;   // that waits to be heard
  std::uint64_t late() const { return late_; }
  std::uint64_t lost() const { return lost_; }

 private:
  struct Slot {
    bool used = false;
    std::uint8_t payload_type = 0;
    std::uint16_t sequence = 0;
    std::uint32_t timestamp = 0;
    std::vector<std::uint8_t> payload;
  };

  Slot& slot(std::uint16_t sequence) { return slots_[sequence % slots_.size()]; }
  const Slot* first_from(std::uint16_t sequence) const;
  void begin(const Header& header, Instant now);
  void drop_to(std::uint16_t sequence);
  bool fits(const Header& header) const;
  bool make_room(const Header& header);
  void store(const Header& header, std::span<const std::uint8_t> payload);
  bool ready(Instant now) const;
  Step empty();
  Step gap(const Slot& later);
  Step packet(Slot& due);
  void judge_surplus(Step& step);
  std::int64_t ticks(Duration d) const { return d.count() * clock_rate_ / 1'000'000'000; }
  Duration duration(std::int64_t ticks) const { return Duration{ticks * 1'000'000'000 / clock_rate_}; }

  JitterLimits limits_;
  std::uint32_t clock_rate_;
  DelayEstimate estimate_;
  std::vector<Slot> slots_;  // by sequence number
  std::size_t used_ = 0;
  bool known_ = false;    // a stream was seen
  bool playing_ = false;  // it has been gathered and is being heard
  std::uint32_t ssrc_ = 0;
  std::uint16_t next_sequence_ = 0;
  std::uint16_t newest_sequence_ = 0;
  std::uint32_t newest_timestamp_ = 0;
  std::uint32_t next_timestamp_ = 0;
  Instant gathering_since_;
  std::int64_t idle_ = 0;        // ticks concealed because nothing was there, not yet made up for
  std::int64_t least_held_ = 0;  // of the last packets …
  std::uint32_t judged_ = 0;     // … so many
  std::uint64_t late_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace bw::rtp
