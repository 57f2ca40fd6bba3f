#include "config/extensions.h"

#include <yaml-cpp/emitter.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace bw::config {
namespace {

using model::Extension;

// Always quoted: 0100 must stay a text of four digits, and "yes" a name.
void member(YAML::Emitter& out, const char* key, const std::string& value) {
  if (!value.empty()) out << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value;
}

void write_forward(YAML::Emitter& out, const model::Forwarding& forward) {
  if (forward == model::Forwarding{}) return;
  out << YAML::Key << "forward" << YAML::Value << YAML::BeginMap;
  member(out, "always", forward.always);
  member(out, "busy", forward.busy);
  member(out, "no_answer", forward.no_answer);
  member(out, "unreachable", forward.unreachable);
  out << YAML::EndMap;
}

void write_one(YAML::Emitter& out, const Extension& e) {
  out << YAML::BeginMap;
  member(out, "number", e.number.value);
  member(out, "name", e.name.reveal());
  member(out, "email", e.email.reveal());
  out << YAML::Key << "allow_external" << YAML::Value << e.allow_external;
  write_forward(out, e.forward);
  if (e.ring_seconds != 0) out << YAML::Key << "ring_seconds" << YAML::Value << e.ring_seconds;
  out << YAML::Key << "record" << YAML::Value << e.record;
  if (!e.groups.empty()) {
    out << YAML::Key << "groups" << YAML::Value << YAML::Flow << YAML::BeginSeq;
    for (const std::string& group : e.groups) out << YAML::DoubleQuoted << group;
    out << YAML::EndSeq;
  }
  out << YAML::EndMap;
}

using Fields = std::vector<std::pair<const char*, std::string>>;

std::string yes_no(bool value) {
  return value ? "true" : "false";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

// What the file can say about an extension, as text, in the order of the key table.
Fields fields_of(const Extension& e) {
  return {{"name", e.name.reveal()},
          {"email", e.email.reveal()},
          {"allow_external", yes_no(e.allow_external)},
          {"forward.always", e.forward.always},
          {"forward.busy", e.forward.busy},
          {"forward.no_answer", e.forward.no_answer},
          {"forward.unreachable", e.forward.unreachable},
          {"ring_seconds", std::to_string(e.ring_seconds)},
          {"record", yes_no(e.record)},
          {"groups", joined(e.groups)}};
}

void compare(const Extension& file, const Extension& database, std::vector<Difference>& out) {
  const Fields in_file = fields_of(file);
  const Fields in_database = fields_of(database);
  for (std::size_t i = 0; i < in_file.size(); ++i) {
    const auto& [key, value] = in_file[i];
    if (file.ring_seconds == 0 && std::string_view(key) == "ring_seconds") continue;  // the file does not say
    if (value != in_database[i].second) out.push_back({file.number.value, key, value, in_database[i].second});
  }
  const auto& wanted = file.credentials.ha1_md5;
  if (!wanted.reveal().empty() && wanted != database.credentials.ha1_md5) {
    out.push_back({file.number.value, "password", "another one", "another one"});
  }
}

}  // namespace

std::string write_yaml(std::span<const Extension> extensions) {
  YAML::Emitter out;
  out << YAML::Comment(
             "Passwords are not here: the database keeps digests of them only, and those stay in it.")
      << YAML::Newline << YAML::BeginMap << YAML::Key << "extensions" << YAML::Value;
  if (extensions.empty()) out << YAML::Flow;
  out << YAML::BeginSeq;
  for (const Extension& e : extensions) write_one(out, e);
  out << YAML::EndSeq << YAML::EndMap << YAML::Newline;
  return out.c_str();
}

std::vector<Difference> differences(std::span<const Extension> file, std::span<const Extension> database) {
  std::map<std::string_view, const Extension*> by_number;
  for (const Extension& e : database) by_number.emplace(e.number.view(), &e);
  std::vector<Difference> out;
  for (const Extension& e : file) {
    const auto it = by_number.find(e.number.view());
    if (it == by_number.end()) {
      out.push_back({e.number.value, "", "present", "absent"});
      continue;
    }
    compare(e, *it->second, out);
    by_number.erase(it);
  }
  for (const auto& [number, extension] : by_number)
    out.push_back({std::string(number), "", "absent", "present"});
  return out;
}

std::string to_text(const Difference& d) {
  std::string out = "extension " + d.number;
  if (!d.key.empty()) out += ": " + d.key;
  if (d.key == "password") return out + ": the database has another one than the file";
  const char* quote = d.key.empty() ? "" : "\"";
  return out + ": the file says " + quote + d.file + quote + ", the database " + quote + d.database + quote;
}

}  // namespace bw::config
