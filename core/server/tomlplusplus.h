/* toml++ as it is used here; for C++ only. */
#ifndef AIKV_SERVER_TOMLPLUSPLUS_H
#define AIKV_SERVER_TOMLPLUSPLUS_H

#define TOML_EXCEPTIONS 0
/* "[=" and "[.a]" break what it asserts of the first character of a key; it goes on to refuse that properly a few lines on.
 * With NDEBUG it would make the compiler believe what does not hold. */
#undef NDEBUG
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#endif
