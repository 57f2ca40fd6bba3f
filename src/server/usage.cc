#include "server/usage.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/nearest.h"
#include "server/program.h"
#include "server/showing.h"

namespace bw::server {
namespace {

constexpr std::size_t kColumn = 34;

// What stands for the value of an option; a number is N, any other text TEXT.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kValues{{
    {"--config", "FILE"},
    {"--data", "DIR"},
    {"--email", "ADDRESS"},
    {"--event", "TYPE"},
    {"--extension", "NUMBER"},
    {"--header", "'NAME: VALUE'"},
    {"--name", "NAME"},
    {"--role", "ROLE"},
    {"--scope", "SCOPE"},
    {"--secret", "SECRET"},
    {"--since", "TIME"},
    {"--type", "TYPE"},
    {"--until", "TIME"},
    {"--url", "URL"},
}};

std::string value_of(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return {};  // a flag
  const std::string name = option.get_name();
  const auto known = std::ranges::find(kValues, name, &std::pair<std::string_view, std::string_view>::first);
  const bool text = option.get_type_name() == "TEXT";
  if (known != kValues.end() && text) return " " + std::string(known->second);
  if (name.starts_with("--forward")) return " NUMBER";
  return text ? " TEXT" : " N";
}

class Help final : public CLI::Formatter {
 public:
  Help() {
    column_width(kColumn);
    label("Positionals", "Arguments");
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    std::string line = "Usage: " + name;
    const auto commands = app->get_subcommands([](const CLI::App*) { return true; });
    if (!commands.empty()) line += " COMMAND";
    for (const CLI::Option* option : app->get_options())
      if (option->get_positional()) line += " " + option->get_name(true);
    return line + (commands.empty() ? " [OPTIONS]\n" : "\n");
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_positional() ? std::string{} : value_of(*option);
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    const auto add = [&text](const std::string& more) { text += (text.empty() ? "" : " ") + more; };
    if (!option->get_default_str().empty()) add("(default " + option->get_default_str() + ")");
    if (option->get_required() && !option->get_positional()) add("(needed)");
    return text;
  }
};

// The command that the words have led to, and the first one that is no command there.
struct Place {
  const CLI::App* at;
  std::string path = "bellwire";
  std::string_view unknown = {};
};

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); });
}

Place place_of(const CLI::App& app, std::span<char* const> words) {
  Place place{.at = &app};
  for (const std::string_view word : words) {
    const auto known = commands_of(*place.at);
    if (word.starts_with('-') || known.empty()) return place;
    const auto next = std::ranges::find(known, word, &CLI::App::get_name);
    if (next == known.end()) {
      place.unknown = word;
      return place;
    }
    place.at = *next;
    place.path.append(" ").append(word);
  }
  return place;
}

std::string meant(std::string_view word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest(word, views);
  return near.empty() ? std::string{} : fmt::format("did you mean \"{}\"?", near);
}

std::string no_such_command(const Place& place) {
  std::vector<std::string> names;
  for (const CLI::App* sub : commands_of(*place.at)) names.push_back(sub->get_name());
  std::string instead = meant(place.unknown, names);
  if (instead.empty()) instead = fmt::format("there is {}", fmt::join(names, ", "));
  return fmt::format("there is no command \"{}\" {}; {}", place.unknown,
                     place.at->get_parent() == nullptr ? "here" : "in " + place.at->get_name(), instead);
}

// What CLI11 did not expect is an option with a slip in it, or a word too many.
std::string not_expected(const Place& place, const std::string& rest) {
  const std::string word = rest.substr(0, rest.find(' '));
  if (!word.starts_with('-')) return fmt::format("\"{}\" is one word too many", word);
  std::vector<std::string> names;
  for (const CLI::Option* option : place.at->get_options())
    if (option->nonpositional()) names.push_back(option->get_name());
  const std::string instead = meant(word, names);
  return fmt::format("there is no option {}{}{}", word, instead.empty() ? "" : "; ", instead);
}

}  // namespace

void explain_well(CLI::App& app) {
  app.formatter(std::make_shared<Help>());
  app.set_help_flag("-h,--help", "show this");
}

void show_help(const CLI::App& app) {
  fmt::print("{}", app.help());
}

int refuse(const CLI::App& app, const CLI::ParseError& error, std::span<char* const> words) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  const Place place = place_of(app, words);
  if (!place.unknown.empty()) return complain(kBadUsage, no_such_command(place));
  std::string sentence = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    sentence = not_expected(place, sentence.substr(sentence.find(": ") + 2));
  return complain(kBadUsage, fmt::format("{} (`{} --help` tells more)", sentence, place.path));
}

}  // namespace bw::server
