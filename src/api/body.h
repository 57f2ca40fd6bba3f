// A JSON request body read field by field: what is unknown, missing or of the wrong kind is named.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bw::api {

struct Problem {
  std::string sentence;
  std::string code;   // "bad_request", "unknown_field", "missing_field", …
  std::string field;  // empty: none in particular
  int status = 400;
};

// Reads ask for each field once; finish() then knows which ones nobody asked for. The first problem is kept.
class Body {
 public:
  // An empty text is an empty object.
  explicit Body(std::string_view text);
  const boost::json::object& value() const { return value_; }  // what nobody has asked for yet

  std::optional<std::string> text(std::string_view name, std::size_t max_bytes = 256);
  std::string required_text(std::string_view name, std::size_t max_bytes = 256);
  std::optional<bool> flag(std::string_view name);
  std::optional<std::uint32_t> number(std::string_view name, std::uint32_t least, std::uint32_t most);
  std::optional<std::vector<std::string>> list(std::string_view name, std::size_t max_items = 100);
  // Texts under names of the sender's choice, in the order they came.
  std::optional<std::vector<std::pair<std::string, std::string>>> map(std::string_view name,
                                                                      std::size_t max_items = 100);
  // The object in field `name` as a body of its own; its problems become ours by absorb().
  std::optional<Body> object(std::string_view name);
  std::optional<std::vector<Body>> objects(std::string_view name, std::size_t max_items = 100);
  // Whatever it is, for those who have a reader of their own for it.
  std::optional<boost::json::value> any(std::string_view name) { return take(name); }
  bool has(std::string_view name) const;
  void absorb(Body& inner);
  void object_to(std::string_view name, std::string sentence, std::string code = "bad_request");

  // The first problem found, an unknown field being the last to be looked for.
  std::optional<Problem> finish();

 private:
  explicit Body(boost::json::object value, std::string prefix);
  std::optional<boost::json::value> take(std::string_view name);

  boost::json::object value_;
  std::string prefix_;  // "forward."
  std::optional<Problem> problem_;
};

}  // namespace bw::api
