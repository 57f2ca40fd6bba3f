// How the command line explains itself: its help, and what is wrong with what was typed.
#pragma once

#include <span>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace bw::server {

// Before the commands are added: they take over how help looks.
void explain_well(CLI::App& app);

// The help of the last command that was named, on standard output.
void show_help(const CLI::App& app);

// Says on standard error what is wrong with `words`, which gave `error`, and answers an exit code. Asking for
// help or the version is no error: it is answered.
int refuse(const CLI::App& app, const CLI::ParseError& error, std::span<char* const> words);

}  // namespace bw::server
