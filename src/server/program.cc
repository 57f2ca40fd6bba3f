#include "server/program.h"

#include <CLI/CLI.hpp>

#include "server/serve.h"

namespace bw::server {

int run_program(int argc, char** argv) {
  CLI::App app{"Bellwire, a telephone system for an office"};
  app.require_subcommand(1);
  ServeOptions serve_options;
  CLI::App* serve_command = app.add_subcommand("serve", "run the server");
  serve_command->add_option("--config", serve_options.config,
                            "configuration file (default: ./config.yml if it exists)");
  serve_command->add_option("--data", serve_options.data, "data directory");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? kOk : kBadUsage;
  }
  return serve(serve_options);
}

}  // namespace bw::server
