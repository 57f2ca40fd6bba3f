// The text format of Prometheus, version 0.0.4 (docs/decisions/060-metrics.md).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace bw::server {

// A family, then its samples.
class Exposition {
 public:
  // Counters only grow; names end in _total there, and in their unit.
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
  void sample(double value, Labels labels = {});
  std::string take() && { return std::move(text_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  std::string text_;
  std::string name_;
};

}  // namespace bw::server
