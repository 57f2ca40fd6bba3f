#include "testkit/ladder.h"

#include <fmt/format.h>

#include <algorithm>

namespace bw::testkit {
namespace {

constexpr std::size_t kColumn = 16;

std::string_view header_of(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  if (at == text.npos) return {};
  text.remove_prefix(at + name.size());
  text = text.substr(0, text.find('\r'));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return text;
}

// "INVITE+ 1", "200 1 INVITE", "NOTIFY 3": the first word and the CSeq; a plus where a session is described.
std::string label_of(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\r'));
  const std::string_view cseq = header_of(text, "\r\nCSeq:");
  const char* sdp = text.find("\r\nv=0\r\n") != text.npos ? "+" : "";
  if (line.starts_with("SIP/2.0 ")) return fmt::format("{}{} {}", line.substr(8, 3), sdp, cseq);
  const std::string_view method = line.substr(0, line.find(' '));
  return fmt::format("{}{} {}", method.substr(0, 12), sdp, cseq.substr(0, cseq.find(' ')));
}

std::string detail_of(std::string_view text) {
  const std::string_view line = text.substr(0, text.find('\r'));
  std::string out{line.substr(0, 60)};
  const std::string_view id = header_of(text, "\r\nCall-ID:");
  if (!id.empty()) out += fmt::format("  [{}]", id.substr(0, 8));
  const std::string_view reason = header_of(text, "\r\nReason:");
  if (!reason.empty()) out += fmt::format("  Reason: {}", reason);
  return out;
}

}  // namespace

void Ladder::name(IpAddress ip, std::string name) {
  if (!names_.contains(ip)) columns_.push_back(ip);
  names_[ip] = std::move(name);
}

void Ladder::message(Instant at, IpAddress from, IpAddress to, std::shared_ptr<const std::string> bytes,
                     Fate fate) {
  entries_.push_back({at, from, to, std::move(bytes), {}, fate});
  if (entries_.size() > kKept) entries_.pop_front();
}

void Ladder::remark(Instant at, std::string text) {
  entries_.push_back({at, {}, {}, nullptr, std::move(text), Fate::kDelivered});
  if (entries_.size() > kKept) entries_.pop_front();
}

std::string Ladder::column_line(const Entry& e) const {
  const auto column = [&](IpAddress ip) {
    return static_cast<std::size_t>(std::ranges::find(columns_, ip) - columns_.begin());
  };
  std::string line(columns_.size() * kColumn + 1, ' ');
  for (std::size_t i = 0; i < columns_.size(); ++i) line[i * kColumn] = '|';
  const std::size_t a = column(e.from);
  const std::size_t b = column(e.to);
  if (a == b || a >= columns_.size() || b >= columns_.size()) return line;
  const std::size_t left = std::min(a, b) * kColumn + 1;
  const std::size_t right = std::max(a, b) * kColumn;
  for (std::size_t i = left; i < right; ++i) line[i] = '-';
  line[a < b ? right - 1 : left] = e.fate == Fate::kLost ? 'x' : a < b ? '>' : '<';
  const std::string label = label_of(*e.bytes).substr(0, right - left - 2);
  line.replace(left + (right - left - label.size()) / 2, label.size(), label);
  return line;
}

std::string Ladder::print(std::size_t lines) const {
  std::string out = "\n           ";
  for (const IpAddress& ip : columns_) out += fmt::format("{:<{}}", names_.at(ip), kColumn);
  out += '\n';
  const std::size_t first = entries_.size() > lines ? entries_.size() - lines : 0;
  if (first > 0) out += fmt::format("  ({} earlier lines are not shown)\n", first);
  for (std::size_t i = first; i < entries_.size(); ++i) {
    const Entry& e = entries_[i];
    const double t = std::chrono::duration<double>(e.at - start_).count();
    if (!e.bytes) {
      out += fmt::format("{:9.3f}  * {}\n", t, e.remark);
      continue;
    }
    const char* mark = e.fate == Fate::kLost ? " LOST" : e.fate == Fate::kDuplicated ? " TWICE" : "";
    out += fmt::format("{:9.3f}  {}  {}{}\n", t, column_line(e), detail_of(*e.bytes), mark);
  }
  return out;
}

std::shared_ptr<const std::string> Ladder::last(std::string_view start, IpAddress from) const {
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    if (it->bytes && it->from == from && it->bytes->starts_with(start)) return it->bytes;
  }
  return nullptr;
}

std::size_t Ladder::count(std::string_view start, IpAddress from, IpAddress to) const {
  return static_cast<std::size_t>(std::ranges::count_if(entries_, [&](const Entry& e) {
    return e.bytes && e.from == from && e.to == to && e.bytes->starts_with(start);
  }));
}

std::vector<std::string_view> Ladder::messages() const {
  std::vector<std::string_view> all;
  for (const Entry& e : entries_) {
    if (e.bytes) all.push_back(*e.bytes);
  }
  return all;
}

}  // namespace bw::testkit
