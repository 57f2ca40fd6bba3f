// Statements of SOCI with their values. Not by its operators (`sql << …`): these use two classes whose type
// information the library hides, and UBSan's check of vptr needs it.
#pragma once

#include <soci/soci.h>

#include <string>
#include <utility>

namespace bw::store::detail {

template <typename... Exchanges>
soci::statement make_statement(soci::session& sql, const std::string& text,
                               soci::details::statement_type kind, Exchanges&&... exchanges) {
  soci::statement statement(sql);
  statement.alloc();
  (statement.exchange(std::forward<Exchanges>(exchanges)), ...);
  statement.prepare(text, kind);
  statement.define_and_bind();
  return statement;
}

// To be executed, as often as one likes. The variables named by into() and use() outlive it.
template <typename... Exchanges>
soci::statement prepared(soci::session& sql, const std::string& text, Exchanges&&... exchanges) {
  return make_statement(sql, text, soci::details::st_repeatable_query, std::forward<Exchanges>(exchanges)...);
}

// Executed now. True: it gave a row, and what into() names holds it.
template <typename... Exchanges>
bool run_once(soci::session& sql, const std::string& text, Exchanges&&... exchanges) {
  return make_statement(sql, text, soci::details::st_one_time_query, std::forward<Exchanges>(exchanges)...)
      .execute(true);
}

}  // namespace bw::store::detail
