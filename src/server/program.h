// The command line of `bellwire` (docs/commands.md).
#pragma once

namespace bw::server {

// Exit codes, the same for every command.
enum ExitCode : int {
  kOk = 0,
  kBadConfiguration = 1,  // errors in config.yml, or doctor found something wrong
  kBadUsage = 2,          // unknown command or option
  kCannotStart = 3,       // port in use, data directory, database
  kNotRunning = 4,        // no server answers on the control socket, or its data are another user's
  kRefused = 5,           // the server said no
};

int run_program(int argc, char** argv);

}  // namespace bw::server
