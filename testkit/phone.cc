#include "testkit/phone.h"

#include <fmt/format.h>

#include <algorithm>

#include "testkit/detail/pending.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr Duration kPatience = 40s;  // of a person who waits for a phone
constexpr Duration kListen = 300ms;
constexpr Duration kRecently = 200ms;

bool is_answerable(const Line& l) {
  return !l.outgoing && l.state == LineState::kRinging;
}

}  // namespace

std::string_view name_of(LineState s) {
  switch (s) {
    case LineState::kDialing:
      return "dialing";
    case LineState::kProceeding:
      return "proceeding";
    case LineState::kRinging:
      return "ringing";
    case LineState::kAnswered:
      return "answered";
    case LineState::kUp:
      return "up";
    case LineState::kCancelling:
      return "cancelling";
    case LineState::kEnding:
      return "ending";
    case LineState::kEnded:
      return "ended";
  }
  return "?";
}

Phone::Phone(Stage& stage, std::string name, std::string number, IpAddress ip, Habits habits)
    : stage_(stage),
      name_(std::move(name)),
      number_(std::move(number)),
      ip_(ip),
      habits_(std::move(habits)),
      tone_(ip.to_v4() & 0xffffU),
      layer_(std::make_unique<sip::TransactionLayer>(stage.rng())) {
  stage_.network().attach(*this);
  stage_.time().join(*this);
}

Phone::~Phone() {
  stage_.time().leave(*this);
  stage_.network().detach(*this);
}

// ---- what its owner does ----

void Phone::dials(std::string_view number) {
  if (!on_) return;
  place_call(fmt::format("sip:{}@{}", number, domain_), std::string{number}, flow_to_server(), {});
}

void Phone::dials_the_phone(const Phone& other) {
  if (!on_) return;
  place_call(fmt::format("sip:{}@{};gr={}", other.number(), domain_, other.habits_.instance), other.number(),
             flow_to_server(), {});
}

void Phone::takes_over(const Phone& desk) {
  const auto& dialog = desk.line().dialog;
  if (!on_ || !dialog) return;
  place_call(
      fmt::format("sip:{}@{}", desk.line().peer, domain_), desk.line().peer, flow_to_server(),
      fmt::format("{};to-tag={};from-tag={}", dialog->call_id(), dialog->remote_tag(), dialog->local_tag()));
}

void Phone::dials_directly(const Phone& other) {
  if (!on_) return;
  const sip::Flow flow{sip::Transport::kUdp, {}, endpoint(), other.endpoint()};
  place_call(fmt::format("sip:{}@{}", other.number(), other.endpoint().to_string()), other.number(), flow,
             {});
}

void Phone::answers() {
  stage_.until([this] { return ringing() != nullptr; }, kPatience);
  Line* line = ringing();
  if (line == nullptr) return;
  const std::uint32_t id = line->id;
  accept_call(*line);
  stage_.until(
      [&] {
        const Line* l = line_with(id);
        return l == nullptr || l->state != LineState::kAnswered;
      },
      kPatience);
}

void Phone::picks_up() {
  if (Line* line = ringing()) accept_call(*line);
}

void Phone::rejects(int status) {
  stage_.until([this] { return ringing() != nullptr; }, kPatience);
  if (Line* line = ringing()) refuse(*line, status);
}

void Phone::hangs_up() {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr) return;
  switch (line->state) {
    case LineState::kDialing:
    case LineState::kProceeding:
      return cancel(*line);
    case LineState::kRinging:
      return refuse(*line, 603);
    case LineState::kAnswered:
      line->bye_when_acked = true;
      return;  // RFC 3261 §15: no BYE before the ACK
    case LineState::kUp:
      return send_bye(*line);
    case LineState::kCancelling:
    case LineState::kEnding:
    case LineState::kEnded:
      return;
  }
}

void Phone::hangs_up_all() {
  for (std::size_t i = 0; i < lines_.size() && on_; ++i) {
    Line& l = *lines_[i];
    if (l.state == LineState::kDialing || l.state == LineState::kProceeding) cancel(l);
    if (l.state == LineState::kRinging) refuse(l, 603);
    if (l.state == LineState::kAnswered) l.bye_when_acked = true;
    if (l.state == LineState::kUp) send_bye(l);
  }
}

void Phone::holds() {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr || line->state != LineState::kUp) return;
  line->held_by_me = true;
  send_change(*line);
}

void Phone::resumes() {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr || line->state != LineState::kUp) return;
  line->held_by_me = false;
  send_change(*line);
}

void Phone::updates() {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr || !line->dialog) return;
  sip::Message update = line->dialog->make_request(sip::Method::kUpdate);
  add_session_timer(update, *line);
  send_inside(*line, std::move(update));
}

void Phone::transfers_to(std::string_view number) {
  Line* line = on_ ? current() : nullptr;
  if (line == nullptr || line->state != LineState::kUp) return;
  sip::Message refer = line->dialog->make_request(sip::Method::kRefer);
  refer.add(sip::HeaderName::kReferTo, fmt::format("<sip:{}@{}>", number, domain_));
  refer.add(sip::HeaderName::kReferredBy, fmt::format("<sip:{}@{}>", number_, domain_));
  send_inside(*line, std::move(refer));
}

void Phone::completes_transfer() {
  std::vector<Line*> up;
  for (const auto& l : lines_) {
    if (l->state == LineState::kUp) up.push_back(l.get());
  }
  if (!on_ || up.size() < 2) return;
  Line& first = *up[up.size() - 2];
  const sip::Dialog& consulted = *up.back()->dialog;
  std::string replaces;
  for (const char c : consulted.call_id()) replaces += c == '@' ? std::string{"%40"} : std::string(1, c);
  sip::Message refer = first.dialog->make_request(sip::Method::kRefer);
  refer.add(sip::HeaderName::kReferTo,
            fmt::format("<sip:{}@{}?Replaces={}%3Bto-tag%3D{}%3Bfrom-tag%3D{}>", up.back()->peer, domain_,
                        replaces, consulted.remote_tag(), consulted.local_tag()));
  refer.add(sip::HeaderName::kReferredBy, fmt::format("<sip:{}@{}>", number_, domain_));
  send_inside(first, std::move(refer));
}

// ---- what befalls it ----

void Phone::dies() {
  stage_.remark(name_ + " dies");
  on_ = false;
  registered_ = false;
  ++lives_;
  for (const auto& l : lines_) {
    if (!l->is_over()) end(*l, 0, {}, false);
  }
  pending_.clear();
  layer_ = std::make_unique<sip::TransactionLayer>(stage_.rng());
  media_runs_ = false;
  connection_ = {};
}

void Phone::comes_back() {
  stage_.remark(name_ + " starts");
  on_ = true;
  register_call_id_.clear();
  if (server_.port != 0) registers();
}

void Phone::reboots() {
  dies();
  stage_.network().cuts_streams_of(*this);
  comes_back();
}

void Phone::loses_connection() {
  stage_.remark(name_ + " loses its connection");
  stage_.network().cuts_streams_of(*this);
}

// ---- what one can see of it ----

Line* Phone::current() {
  for (auto it = lines_.rbegin(); it != lines_.rend(); ++it) {
    if (!(*it)->is_over()) return it->get();
  }
  return nullptr;
}

Line* Phone::ringing() {
  for (const auto& l : lines_) {
    if (is_answerable(*l)) return l.get();
  }
  return nullptr;
}

Line* Phone::line_with(std::uint32_t id) {
  const auto it = std::ranges::find_if(lines_, [&](const auto& l) { return l->id == id; });
  return it == lines_.end() ? nullptr : it->get();
}

const Line& Phone::line() const {
  static const Line kNone = [] {
    Line l;
    l.state = LineState::kEnded;
    return l;
  }();
  for (auto it = lines_.rbegin(); it != lines_.rend(); ++it) {
    if (!(*it)->is_over()) return **it;
  }
  return lines_.empty() ? kNone : *lines_.back();
}

bool Phone::is_ringing() const {
  return std::ranges::any_of(lines_, [](const auto& l) { return is_answerable(*l); });
}
bool Phone::hears_ringback() const {
  return line().outgoing && line().state == LineState::kProceeding;
}
bool Phone::in_call() const {
  return line().state == LineState::kUp;
}
bool Phone::is_idle() const {
  return call_count() == 0;
}
bool Phone::is_held() const {
  return in_call() && line().remote && line().remote->holds();
}

std::size_t Phone::call_count() const {
  return static_cast<std::size_t>(std::ranges::count_if(lines_, [](const auto& l) { return !l->is_over(); }));
}

bool Phone::hears(const Phone& other) {
  stage_.run_for(kListen);
  return is_hearing(other);
}

bool Phone::is_hearing(const Phone& other) const {
  return std::ranges::any_of(lines_, [&](const auto& l) {
    const auto it = l->heard.find(other.tone());
    return !l->is_over() && it != l->heard.end() && it->second.last + kRecently >= stage_.now();
  });
}

int Phone::ended_with() const {
  for (auto it = lines_.rbegin(); it != lines_.rend(); ++it) {
    if ((*it)->is_over()) return (*it)->ended_status;
  }
  return 0;
}

std::string Phone::ended_reason() const {
  for (auto it = lines_.rbegin(); it != lines_.rend(); ++it) {
    if ((*it)->is_over()) return (*it)->ended_reason;
  }
  return {};
}

bool Phone::was_hung_up_on() const {
  return !lines_.empty() && lines_.back()->is_over() && lines_.back()->ended_by_peer;
}

std::optional<int> Phone::transfer_status() const {
  for (auto it = lines_.rbegin(); it != lines_.rend(); ++it) {
    if ((*it)->transfer_status) return (*it)->transfer_status;
  }
  return std::nullopt;
}

std::string Phone::digits_heard() const {
  std::string all;
  for (const auto& l : lines_) all += l->digits;
  return all;
}

std::string Phone::status_text() const {
  std::string out =
      fmt::format("{} ({}):", name_, on_ ? registered_ ? "registered" : "not registered" : "off");
  for (const auto& l : lines_) {
    if (!l->is_over()) out += fmt::format(" {} {}", name_of(l->state), l->peer);
  }
  return out;
}

// ---- within ----

void Phone::later(Duration d, std::function<void()> what) {
  stage_.time().after(d, [this, life = lives_, what = std::move(what)] {
    if (on_ && life == lives_) what();
  });
}

void Phone::later(Duration d, const Line& line, std::function<void(Line&)> what) {
  later(d, [this, id = line.id, what = std::move(what)] {
    Line* l = line_with(id);
    if (l != nullptr && !l->is_over()) what(*l);
  });
}

std::string Phone::contact() const {
  std::string out = fmt::format("<sip:{}@{}", number_, endpoint().to_string());
  if (sip::is_stream(habits_.transport))
    out += fmt::format(";transport={}", sip::uri_token(habits_.transport));
  return out + '>';
}

}  // namespace bw::testkit
