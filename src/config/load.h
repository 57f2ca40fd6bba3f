// The strict reader of config.yml: pure, from text to values, with every problem at once.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace bw::config {

struct Limits {
  std::size_t file_bytes = 1U << 20U;
  std::size_t depth = 16;          // the deepest key of the table stands at 6
  std::size_t values = 100'000;    // scalars, lists and mappings, after aliases and merge keys
  std::size_t value_bytes = 8192;  // of one scalar, after the environment was put in
  std::size_t problems = 200;      // further ones are counted, not kept
};

enum class Severity : std::uint8_t { kError, kWarning };

struct Problem {
  std::string file{};
  int line = 0;  // from 1; 0: the file as a whole
  int column = 0;
  std::string key{};      // full path: "extensions[2].number"
  std::string message{};  // never the value of a credential
  std::string allowed{};  // what would be right; may be empty
  std::string nearest{};  // the known key or word that was probably meant; may be empty
  Severity severity = Severity::kError;
};

// "config.yml:7:3: error: server.sip_prt: unknown key; did you mean \"sip_port\"?"
std::string to_text(const Problem& problem);

using Environment = std::map<std::string, std::string, std::less<>>;

// NAME=value lines as of a .env file: comments, `export`, single and double quotes.
struct DotEnv {
  Environment values;
  std::vector<Problem> problems;
};
DotEnv parse_dotenv(std::string_view text, std::string_view file_name, const Limits& limits = {});

struct Loaded {
  Config config;
  std::vector<Problem> problems;  // in the order of the lines
  // The lines of the keys that name certificates and keys: whether those are good only files can tell.
  std::map<std::string, int, std::less<>> file_lines;
  bool usable() const;  // no error among them
};

// Never throws, whatever the text. With errors, `config` still holds what could be read.
Loaded load(std::string_view yaml_text, std::string_view file_name, const Environment& env,
            const Limits& limits = {});

}  // namespace bw::config
