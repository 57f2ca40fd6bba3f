// What is remembered of webhooks, as JSON columns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "webhooks/progress.h"

namespace bw::store::detail {

std::string progress_to_json(const webhooks::Progress& progress);  // without the dead letters
std::string dead_to_json(const std::vector<webhooks::DeadLetter>& dead);
std::string log_to_json(const std::vector<webhooks::DeliveryRecord>& log);
std::string secrets_to_json(const webhooks::Subscription& subscription);  // to be sealed

// Into what is given; false: it was not written by us, and nothing is taken from it.
bool progress_from_json(std::string_view text, webhooks::Progress& out);
bool dead_from_json(std::string_view text, std::vector<webhooks::DeadLetter>& out);
bool log_from_json(std::string_view text, std::vector<webhooks::DeliveryRecord>& out);
bool secrets_from_json(std::string_view text, webhooks::Subscription& out);

}  // namespace bw::store::detail
