#include "testkit/browser.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr Duration kPatience = 30s;
constexpr std::string_view kFormats = "111 63 9 0 8 13 110 126";  // in the order of a browser's own offer

// Of an offer: who answers keeps its order (RFC 3264 §6.1).
std::string_view formats_of(std::string_view sdp) {
  constexpr std::string_view kLine = "UDP/TLS/RTP/SAVPF ";
  const auto at = sdp.find(kLine);
  if (at == std::string_view::npos) return kFormats;
  const auto formats = sdp.substr(at + kLine.size());
  return formats.substr(0, formats.find_first_of("\r\n"));
}

}  // namespace

Browser::Browser(Stage& stage, Pbx& pbx, std::string number)
    : stage_(stage), pbx_(pbx), number_(std::move(number)), name_(stage.rng().token(8)) {}

std::string Browser::ufrag() const {
  return name_ + std::to_string(certificate_);
}

// As Chromium writes it, shortened.
std::string Browser::description(std::string_view setup, std::string_view formats) const {
  std::string fingerprint = fmt::format("{:02X}", certificate_);
  for (int i = 1; i < 32; ++i) fingerprint += fmt::format(":{:02X}", i);
  return fmt::format(
      "v=0\r\no=- {0} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=extmap-allow-mixed\r\n"
      "a=msid-semantic: WMS 7f\r\n"
      "m=audio 9 UDP/TLS/RTP/SAVPF {4}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
      "a=ice-ufrag:{3}\r\na=ice-pwd:password-of-browser-number-{0}\r\na=ice-options:trickle\r\n"
      "a=fingerprint:sha-256 {1}\r\na=setup:{2}\r\na=mid:0\r\n"
      "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\na=msid:7f 8a\r\na=rtcp-mux\r\n"
      "a=rtcp-rsize\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"
      "a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
      "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n"
      "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
      "a=ssrc:{0} cname:c\r\na=ssrc:{0} msid:7f 8a\r\n",
      1000 + certificate_, fingerprint, setup, ufrag(), formats);
}

// ---- what its person and its page do ----

void Browser::opens() {
  const auto reply = pbx_.asks(ports::AskBrowser{{}, ports::OpenBrowserSession{number_}, number_});
  if (!reply) return;
  if (const auto* no = std::get_if<ports::Refused>(&*reply)) {
    refused_ = *no;
    return;
  }
  session_ = ports::browser_reply<ports::BrowserSessionOpened>(*reply)->session.id;
  offers();
}

void Browser::offers() {
  const auto reply = asks(ports::BrowserOffer{description("actpass", kFormats)});
  if (!reply) return;
  if (const auto* no = std::get_if<ports::Refused>(&*reply)) refused_ = *no;
  const auto* answer = ports::browser_reply<ports::BrowserDescription>(*reply);
  if (answer == nullptr) return;
  answer_ = answer->sdp;
  stage_.until([&] { return shown() && shown()->state == "connected"; }, kPatience);
}

void Browser::reloads() {
  pbx_.hears_no_more_of(ufrag());
  ++certificate_;
  offers();
}

void Browser::goes_away() {
  pbx_.hears_no_more_of(ufrag());
  stage_.run_for(10ms);
}

void Browser::closes() {
  does(ports::CloseBrowserSession{});
}

std::optional<ports::Reply> Browser::asks(ports::BrowserWish wish) {
  return pbx_.asks(ports::AskBrowser{session_, std::move(wish), number_});
}

bool Browser::does(ports::BrowserWish wish) {
  const auto reply = asks(std::move(wish));
  if (!reply) return false;
  const auto* no = std::get_if<ports::Refused>(&*reply);
  if (no != nullptr) refused_ = *no;
  return no == nullptr;
}

bool Browser::dials(std::string_view number) {
  return does(ports::BrowserDials{std::string(number)});
}

void Browser::answers() {
  if (!stage_.until([&] { return is_ringing(); }, kPatience)) return;
  accepts();
  stage_.until([&] { return in_call(); }, kPatience);
}

bool Browser::holds(std::string_view call) {
  return does(ports::BrowserHolds{model::CallId{call}});
}

bool Browser::resumes(std::string_view call) {
  return does(ports::BrowserResumes{model::CallId{call}});
}

bool Browser::transfers_to(std::string_view number) {
  return does(ports::BrowserTransfers{{}, std::string(number), {}});
}

bool Browser::joins(std::string_view call, std::string_view with) {
  return does(ports::BrowserTransfers{model::CallId{call}, {}, model::CallId{with}});
}

bool Browser::presses(std::string_view digits) {
  return does(ports::BrowserPresses{{}, std::string(digits)});
}

bool Browser::answers_offer(std::optional<std::size_t> number) {
  const auto offers = told<ports::BrowserPush::Offered>();
  if (offers.empty()) return false;
  const auto& offer = number ? offers.at(*number - 1) : offers.back();
  return does(ports::BrowserAnswer{description("active", formats_of(offer.sdp)), offer.offer});
}

bool Browser::offers_again() {
  return does(ports::BrowserOffer{description("actpass", kFormats)});
}

// ---- what one can see ----

std::optional<ports::BrowserSession> Browser::shown() {
  const auto reply = asks(ports::ShowBrowserSession{});
  const auto* shown = reply ? ports::browser_reply<ports::BrowserSessionOpened>(*reply) : nullptr;
  return shown == nullptr ? std::nullopt : std::optional{shown->session};
}

namespace {

enum class Stand { kRings, kCalls, kTalks, kEnded };

std::map<std::string, Stand> stands(const Pbx& pbx, const ports::BrowserSessionId& session) {
  using Push = ports::BrowserPush;
  std::map<std::string, Stand> calls;
  for (const Push& push : pbx.pushes()) {
    if (push.session != session) continue;
    std::visit(Overloaded{
                   [&](const Push::Incoming& p) { calls[p.call.value] = Stand::kRings; },
                   [&](const Push::Ringing& p) { calls[p.call.value] = Stand::kCalls; },
                   [&](const Push::Answered& p) { calls[p.call.value] = Stand::kTalks; },
                   [&](const Push::Ended& p) { calls[p.call.value] = Stand::kEnded; },
                   [&](const Push::Offered&) {},
                   [&](const Push::Pressed&) {},
                   [&](const Push::Heard&) {},
                   [&](const Push::SessionChanged&) {},
               },
               push.what);
  }
  return calls;
}

template <typename Wanted>
std::vector<std::string> calls_that(const Pbx& pbx, const ports::BrowserSessionId& session, Wanted wanted) {
  std::vector<std::string> found;
  for (const auto& [call, stand] : stands(pbx, session)) {
    if (wanted(stand)) found.push_back(call);
  }
  return found;
}

}  // namespace

std::vector<std::string> Browser::ringing() const {
  return calls_that(pbx_, session_, [](Stand s) { return s == Stand::kRings; });
}

std::vector<std::string> Browser::talking() const {
  return calls_that(pbx_, session_, [](Stand s) { return s == Stand::kTalks; });
}

std::vector<std::string> Browser::calls() const {
  return calls_that(pbx_, session_, [](Stand s) { return s != Stand::kEnded; });
}

bool Browser::hears_ringback() const {
  return !calls_that(pbx_, session_, [](Stand s) { return s == Stand::kCalls; }).empty();
}

std::string Browser::ended_because() const {
  const auto ended = told<ports::BrowserPush::Ended>();
  return ended.empty() ? std::string{} : ended.back().reason;
}

}  // namespace bw::testkit
