#include "server/program.h"

int main(int argc, char** argv) {
  return bw::server::run_program(argc, argv);
}
