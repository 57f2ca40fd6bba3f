#include "sip/dialog.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sip/cseq.h"
#include "sip/name_addr.h"
#include "sip/uri.h"

namespace bw::sip {
namespace {

std::string_view value_of(const Message& message, HeaderName id) {
  return message.get(id).value_or(std::string_view{});
}

std::uint32_t cseq_of(const Message& message) {
  const auto cseq = CSeq::parse(value_of(message, HeaderName::kCSeq));
  return cseq ? cseq->number : 0;
}

// §12.1.1: in order for the UAS; §12.1.2: in reverse for the UAC.
std::expected<std::vector<std::string>, DialogError> routes_of(const Message& message, bool reverse) {
  const auto elements = message.elements(HeaderName::kRecordRoute);
  if (elements.size() > DialogLimits::kRoutes) return std::unexpected{DialogError::kTooManyRoutes};
  std::vector<std::string> routes{elements.begin(), elements.end()};
  if (reverse) std::ranges::reverse(routes);
  return routes;
}

std::string_view contact_uri(const Message& message) {
  const auto contact = message.first_element(HeaderName::kContact);
  return contact ? uri_of(*contact) : std::string_view{};
}

// §19.1.1: a Request-URI has neither headers nor a method parameter.
std::string as_request_uri(std::string_view text) {
  auto uri = Uri::parse(text);
  if (!uri || !uri->is_sip()) return std::string{text};
  const std::string params = uri->params.without("method");
  uri->params = Params{params};
  uri->headers = {};
  return uri->to_string();
}

bool is_loose(std::string_view route) {
  const auto uri = Uri::parse(uri_of(route));
  return uri && uri->params.has("lr");
}

bool makes_dialog(Method method) {
  return method == Method::kInvite || method == Method::kSubscribe || method == Method::kRefer;
}

bool refreshes_target(Method method) {
  return makes_dialog(method) || method == Method::kUpdate || method == Method::kNotify;
}

}  // namespace

std::expected<Dialog, DialogError> Dialog::as_uas(const Message& request, std::string_view local_tag,
                                                  std::string_view contact, bool secure) {
  if (local_tag.empty()) return std::unexpected{DialogError::kNoTag};
  auto routes = routes_of(request, false);
  if (!routes) return std::unexpected{routes.error()};
  const std::string_view from = value_of(request, HeaderName::kFrom);
  Dialog dialog;
  dialog.call_id_ = value_of(request, HeaderName::kCallId);
  dialog.local_tag_ = local_tag;
  dialog.remote_tag_ = tag_of(from);
  dialog.local_uri_ = without_tag(value_of(request, HeaderName::kTo));
  dialog.remote_uri_ = without_tag(from);
  dialog.remote_target_ = contact_uri(request);
  if (dialog.remote_target_.empty()) dialog.remote_target_ = uri_of(from);
  dialog.contact_ = contact;
  dialog.route_set_ = std::move(*routes);
  dialog.remote_cseq_ = cseq_of(request);
  dialog.secure_ = secure;
  return dialog;
}

std::expected<Dialog, DialogError> Dialog::as_uac(const Message& request, const Message& response) {
  const std::string_view to = value_of(response, HeaderName::kTo);
  const std::string_view tag = tag_of(to);
  const bool made = response.status() > 100 && response.status() < 300;
  if (!made || tag.empty()) return std::unexpected{DialogError::kNoTag};
  auto routes = routes_of(response, true);
  if (!routes) return std::unexpected{routes.error()};
  const std::string_view from = value_of(request, HeaderName::kFrom);
  const auto uri = Uri::parse(request.request_uri());
  Dialog dialog;
  dialog.call_id_ = value_of(request, HeaderName::kCallId);
  dialog.local_tag_ = tag_of(from);
  dialog.remote_tag_ = tag;
  dialog.local_uri_ = without_tag(from);
  dialog.remote_uri_ = without_tag(to);
  dialog.remote_target_ = contact_uri(response);
  if (dialog.remote_target_.empty()) dialog.remote_target_ = request.request_uri();
  dialog.contact_ = request.first_element(HeaderName::kContact).value_or("");
  dialog.route_set_ = std::move(*routes);
  dialog.local_cseq_ = cseq_of(request);
  dialog.secure_ = uri && uri->scheme == Scheme::kSips;
  return dialog;
}

Message Dialog::start_request(Method method, std::uint32_t cseq) const {
  // §12.2.1.1: a first route without ;lr is a strict router, which wants to find itself in the Request-URI
  // and the real target at the end of the Route.
  const bool strict = !route_set_.empty() && !is_loose(route_set_.front());
  const std::string uri = as_request_uri(strict ? uri_of(route_set_.front()) : remote_target_);
  Message request = Message::request(method, uri);
  for (std::size_t i = strict ? 1 : 0; i < route_set_.size(); ++i) {
    request.add(HeaderName::kRoute, route_set_[i]);
  }
  if (strict) request.add(HeaderName::kRoute, make_name_addr({}, remote_target_));
  request.add(HeaderName::kMaxForwards, "70");
  request.add(HeaderName::kFrom, with_tag(local_uri_, local_tag_));
  request.add(HeaderName::kTo, remote_tag_.empty() ? remote_uri_ : with_tag(remote_uri_, remote_tag_));
  request.add(HeaderName::kCallId, call_id_);
  request.add(HeaderName::kCSeq, CSeq::of(cseq, method).to_string());
  return request;
}

Message Dialog::make_request(Method method) {
  assert(method != Method::kAck && method != Method::kCancel && method != Method::kUnknown);
  Message request = start_request(method, ++local_cseq_);
  if (!contact_.empty() && method != Method::kBye) request.add(HeaderName::kContact, contact_);
  return request;
}

Message Dialog::make_ack(std::uint32_t invite_cseq) const {
  return start_request(Method::kAck, invite_cseq);
}

Message Dialog::make_response(const Message& request, int status, std::string_view reason) const {
  Message response = sip::make_response(request, status, local_tag_, reason);
  if (status <= 100 || status >= 300) return response;
  const Method method = request.method();
  if (makes_dialog(method)) response.copy(request, HeaderName::kRecordRoute);
  if (refreshes_target(method) && !contact_.empty()) response.add(HeaderName::kContact, contact_);
  return response;
}

std::expected<void, DialogError> Dialog::accept(const Message& request) {
  // Both bear the number of the INVITE they belong to.
  if (request.method() == Method::kAck || request.method() == Method::kCancel) return {};
  const std::uint32_t number = cseq_of(request);
  if (remote_cseq_ && number < *remote_cseq_) return std::unexpected{DialogError::kOutOfOrder};
  remote_cseq_ = number;
  return {};
}

void Dialog::refresh_target(const Message& message) {
  if (!refreshes_target(message.method())) return;
  if (message.is_response() && (message.status() <= 100 || message.status() >= 300)) return;
  const std::string_view uri = contact_uri(message);
  if (!uri.empty()) remote_target_ = uri;
}

void Dialog::refresh_route_set(const Message& response) {
  if (auto routes = routes_of(response, true)) route_set_ = std::move(*routes);
}

std::string_view Dialog::next_hop() const {
  return route_set_.empty() ? std::string_view{remote_target_} : uri_of(route_set_.front());
}

bool Dialog::matches(const Message& message) const {
  if (value_of(message, HeaderName::kCallId) != call_id_) return false;
  const std::string_view from = tag_of(value_of(message, HeaderName::kFrom));
  const std::string_view to = tag_of(value_of(message, HeaderName::kTo));
  return message.is_request() ? from == remote_tag_ && to == local_tag_
                              : from == local_tag_ && to == remote_tag_;
}

std::size_t Dialog::memory_bytes() const {
  std::size_t sum = route_set_.capacity() * sizeof(std::string);
  // Up to 15 characters lie in the string itself.
  const auto heap = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  for (const std::string* s :
       {&call_id_, &local_tag_, &remote_tag_, &local_uri_, &remote_uri_, &remote_target_, &contact_}) {
    sum += heap(*s);
  }
  for (const std::string& route : route_set_) sum += heap(route);
  return sum;
}

Message make_response(const Message& request, int status, std::string_view to_tag, std::string_view reason) {
  Message response = Message::response(status, reason);
  response.copy(request, HeaderName::kVia);
  if (status == 100) response.copy(request, HeaderName::kTimestamp);  // §8.2.6.1
  response.copy(request, HeaderName::kFrom);
  const std::string_view to = value_of(request, HeaderName::kTo);
  if (!to.empty()) {
    const bool tag = to_tag.empty() || !tag_of(to).empty();
    response.add(HeaderName::kTo, tag ? std::string{to} : with_tag(to, to_tag));
  }
  response.copy(request, HeaderName::kCallId);
  response.copy(request, HeaderName::kCSeq);
  return response;
}

}  // namespace bw::sip
